//! A large shop as one file: catalog, search index, and a checksum over both.

use super::catalog::Catalog;
use super::index::{IndexError, IndexFile, ProductIndex};
use super::layout::{Layout, LayoutError};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

const MAGIC: &[u8; 16] = b"shoprl shop    1";
const CHECKSUM: usize = 32;

/// What is wrong with a stored shop.
#[derive(Debug, Error)]
pub(super) enum StoreError {
    #[error("not a shop stored by this version of shoprl")]
    Magic,
    #[error("damaged: its checksum does not fit its bytes")]
    Checksum,
    #[error("damaged: a part of it is longer than the whole")]
    Length,
    #[error("its catalog cannot be used")]
    Catalog(#[from] LayoutError),
    #[error("its search index cannot be used")]
    Index(#[from] IndexError),
}

pub(super) fn to_bytes(catalog: &Catalog, index: &ProductIndex) -> Result<Vec<u8>, IndexError> {
    let files = index.files()?;
    let size: usize = files.iter().map(|file| file.bytes.len() + file.name.len() + 16).sum();
    let mut bytes = Vec::with_capacity(catalog.bytes().len() + size + 64);
    bytes.extend_from_slice(MAGIC);
    part(&mut bytes, catalog.bytes());
    for file in files {
        part(&mut bytes, file.name.as_bytes());
        part(&mut bytes, &file.bytes);
    }
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    Ok(bytes)
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<(Catalog, ProductIndex), StoreError> {
    if !bytes.starts_with(MAGIC) {
        return Err(StoreError::Magic);
    }
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(StoreError::Checksum)?;
    if Sha256::digest(content)[..] != *checksum {
        return Err(StoreError::Checksum);
    }
    let mut rest = &content[MAGIC.len()..];
    let catalog = Catalog::new(Layout::from_bytes(take(&mut rest)?.to_vec())?)?;
    let mut files = Vec::new();
    while !rest.is_empty() {
        let name = String::from_utf8_lossy(take(&mut rest)?).into_owned();
        files.push(IndexFile { name, bytes: take(&mut rest)?.to_vec() });
    }
    let index = ProductIndex::from_files(files, &catalog)?;
    Ok((catalog, index))
}

fn part(bytes: &mut Vec<u8>, content: &[u8]) {
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(content);
}

fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], StoreError> {
    let (length, tail) = rest.split_first_chunk::<8>().ok_or(StoreError::Length)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (content, tail) = tail.split_at_checked(length).ok_or(StoreError::Length)?;
    *rest = tail;
    Ok(content)
}
