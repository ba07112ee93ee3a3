//! Shops as files on a disk: built without ever being whole in memory, opened by mapping.

use super::Preset;
use super::catalog::Catalog;
use super::generation;
use super::index::{IndexError, ProductIndex};
use super::layout::{Layout, LayoutError, Origin};
use super::mapped::{self, MapError};
use super::segment::Segmenter;
use super::store::Writer;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use thiserror::Error;

/// Only the owner may write, or the file would not be mapped.
const MODE: u32 = 0o644;

/// Why a shop was not built.
#[derive(Debug, Error)]
pub(super) enum BuildError {
    #[error(transparent)]
    Write(#[from] io::Error),
    #[error("what was written could not be mapped")]
    Map(#[from] MapError),
    #[error("what was written could not be read back")]
    Catalog(#[from] LayoutError),
    #[error("the index could not be built")]
    Index(#[from] IndexError),
}

/// Writes the shop of `preset` and `seed`: a file with this name is either what was there before or complete.
pub(super) fn build(preset: Preset, seed: u64, path: &Path) -> Result<(), BuildError> {
    whole(path, |part| write(preset, seed, part))
}

/// Writes the bytes of a shop, in the same manner.
pub(super) fn save(bytes: &[u8], path: &Path) -> Result<(), BuildError> {
    whole(path, |part| {
        let mut file = create(part)?;
        file.write_all(bytes)?;
        Ok(file.sync_all()?)
    })
}

/// Writes beside `path`, and gives the file its name when it is complete.
fn whole(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = Path::new(&name);
    let built = write(part).and_then(|()| Ok(fs::rename(part, path)?));
    if built.is_err() {
        // What was begun is of no use; that it may be gone already does not matter.
        let _ = fs::remove_file(part);
    }
    built
}

/// Nobody else reads or writes this name, and what another process of the same number left there is of no use.
fn create(part: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(part)
}

fn write(preset: Preset, seed: u64, part: &Path) -> Result<(), BuildError> {
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, create(part)?))?;
    let digest = generation::columns(preset, seed).write(Origin::Generated, &mut writer)?;
    writer.flush()?;
    let place = writer.catalog();
    let length = place.len() as u64;
    // The index is made from the columns on the disk. The map ends here, before the file changes again.
    let index = {
        let catalog = Catalog::new(Layout::new(mapped::map(part)?.slice(place))?, digest)?;
        ProductIndex::build(&catalog, &Segmenter::new(catalog.search_words()))?
    };
    let out = writer.finish(length, digest, &index)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(())
}
