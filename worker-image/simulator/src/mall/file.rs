//! Shops as files on a disk: built without holding all of it in memory, opened by mapping.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use shoprl_files::Durability;
use thiserror::Error;

use super::Preset;
use super::catalog::Catalog;
use super::generation;
use super::index::{IndexError, ProductIndex};
use super::layout::{Layout, LayoutError, Origin};
use super::mapped::{self, MapError};
use super::segment::Segmenter;
use super::store::Writer;

/// Why a shop was not built.
#[derive(Debug, Error)]
pub(super) enum BuildError {
    #[error(transparent)]
    Write(#[from] io::Error),
    #[error("the written file could not be mapped")]
    Map(#[from] MapError),
    #[error("the written catalog could not be read back")]
    Catalog(#[from] LayoutError),
    #[error("the index could not be built")]
    Index(#[from] IndexError),
}

/// Builds the shop of `preset` and `seed` into the file `path`, which is replaced as a whole or left as it was.
pub(super) fn build(preset: Preset, seed: u64, path: &Path) -> Result<(), BuildError> {
    shoprl_files::write_with(path, Durability::Durable, |file, temporary| {
        fill(preset, seed, file, temporary)
    })
}

/// Writes the bytes of a shop in the same manner.
pub(super) fn save(bytes: &[u8], path: &Path) -> Result<(), BuildError> {
    Ok(shoprl_files::write(path, bytes, Durability::Durable)?)
}

fn fill(preset: Preset, seed: u64, file: &mut File, path: &Path) -> Result<(), BuildError> {
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, file))?;
    let digest = generation::columns(preset, seed).write(Origin::Generated, &mut writer)?;
    writer.flush()?;
    let place = writer.catalog();
    let length = place.len() as u64;
    // The index is built from the columns on the disk. The map is dropped here, before the file changes again.
    let index = {
        let catalog = Catalog::new(Layout::new(mapped::map(path)?.slice(place))?, digest)?;
        ProductIndex::build(&catalog, &Segmenter::new(catalog.search_words()))?
    };
    // `finish` flushes the buffer.
    writer.finish(length, digest, &index)?;
    Ok(())
}
