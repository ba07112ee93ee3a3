//! A large shop as one file: catalog, search index, and checksums of both.
//!
//! ```text
//! name       12 bytes   `shoprl shop `
//! format      4 bytes   decimal digits, padded with spaces on the left
//! length      8 bytes   of the whole file; this and all other numbers little-endian
//! catalog     8 bytes   length of the catalog
//! digest     32 bytes   SHA-256 of the catalog
//! content     4 bytes   CRC-32 of everything after the header
//! header      4 bytes   CRC-32 of the header before this field
//! catalog, then for each file of the index: length of its name, name, length, bytes
//! ```
//!
//! Stored bytes are used in place: a mapped file occupies memory once for all processes. Opening reads all of it to verify
//! the checksum and the consistency of the columns. The SHA-256 is several times slower and left to `verify`.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use tantivy::directory::OwnedBytes;
use thiserror::Error;

use super::catalog::Catalog;
use super::index::{IndexError, ProductIndex};
use super::layout::{Layout, LayoutError};

const NAME: &[u8; 12] = b"shoprl shop ";
/// Incremented whenever this version cannot read older files.
const FORMAT: u32 = 2;
const HEADER: usize = 72;

/// Why a stored shop is refused.
#[derive(Debug, Error)]
pub(super) enum StoreError {
    #[error("it is not a shop file")]
    Foreign,
    #[error("its format is {0}, which an older shoprl wrote; this one reads {FORMAT}")]
    Older(u32),
    #[error("its format is {0}, which a newer shoprl wrote; this one reads {FORMAT}")]
    Newer(u32),
    #[error("damaged: it has {found} bytes instead of {expected}")]
    Length { found: u64, expected: u64 },
    #[error("damaged: its header is truncated or does not match its checksum")]
    Header,
    #[error("damaged: its content does not match its checksum")]
    Checksum,
    #[error("damaged: its catalog does not match its digest")]
    Digest,
    #[error("damaged: a part is longer than the file")]
    Part,
    #[error("its catalog cannot be used")]
    Catalog(#[from] LayoutError),
    #[error("its search index cannot be used")]
    Index(#[from] IndexError),
}

/// The fields of the header.
struct Header {
    length: u64,
    catalog: u64,
    digest: [u8; 32],
    content: u32,
}

impl Header {
    fn to_bytes(&self) -> [u8; HEADER] {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(NAME);
        bytes.extend_from_slice(format!("{FORMAT:4}").as_bytes());
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&self.catalog.to_le_bytes());
        bytes.extend_from_slice(&self.digest);
        bytes.extend_from_slice(&self.content.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes.try_into().expect("12 + 4 + 8 + 8 + 32 + 4 + 4 bytes")
    }

    /// Reads the header of `bytes` and compares the length; the content is not checked.
    fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let rest = bytes.strip_prefix(NAME).ok_or(StoreError::Foreign)?;
        let (format, rest) = rest.split_first_chunk::<4>().ok_or(StoreError::Header)?;
        let digits = std::str::from_utf8(format).map_err(|_| StoreError::Foreign)?.trim_start();
        match digits.parse().map_err(|_| StoreError::Foreign)? {
            FORMAT => {}
            format if format < FORMAT => return Err(StoreError::Older(format)),
            format => return Err(StoreError::Newer(format)),
        }
        let (length, rest) = rest.split_first_chunk().ok_or(StoreError::Header)?;
        let (catalog, rest) = rest.split_first_chunk().ok_or(StoreError::Header)?;
        let (digest, rest) = rest.split_first_chunk().ok_or(StoreError::Header)?;
        let (content, rest) = rest.split_first_chunk().ok_or(StoreError::Header)?;
        let (checksum, _) = rest.split_first_chunk().ok_or(StoreError::Header)?;
        if crc32fast::hash(&bytes[..HEADER - 4]) != u32::from_le_bytes(*checksum) {
            return Err(StoreError::Header);
        }
        let (found, expected) = (bytes.len() as u64, u64::from_le_bytes(*length));
        if found != expected {
            return Err(StoreError::Length { found, expected });
        }
        Ok(Self {
            length: expected,
            catalog: u64::from_le_bytes(*catalog),
            digest: *digest,
            content: u32::from_le_bytes(*content),
        })
    }
}

/// A shop file under construction.
pub(super) struct Writer<W> {
    out: W,
    content: crc32fast::Hasher,
    written: u64,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins with a placeholder for the header.
    pub(super) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&[0; HEADER])?;
        Ok(Self { out, content: crc32fast::Hasher::new(), written: 0 })
    }

    /// The range of the catalog, after it is written and before anything else is.
    pub(super) fn catalog(&self) -> std::ops::Range<usize> {
        HEADER..HEADER + self.written as usize
    }

    /// Writes the index after a catalog of `catalog` bytes, then the header.
    pub(super) fn finish(
        mut self,
        catalog: u64,
        digest: [u8; 32],
        index: &ProductIndex,
    ) -> io::Result<W> {
        for (path, bytes) in index.files().iter() {
            self.part(path.as_os_str().as_encoded_bytes())?;
            self.part(bytes)?;
        }
        let Self { mut out, content, written } = self;
        let length = HEADER as u64 + written;
        let header = Header { length, catalog, digest, content: content.finalize() };
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&header.to_bytes())?;
        out.flush()?;
        Ok(out)
    }

    fn part(&mut self, content: &[u8]) -> io::Result<()> {
        self.write_all(&(content.len() as u64).to_le_bytes())?;
        self.write_all(content)
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.content.update(&bytes[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A shop in its stored form.
pub(super) fn to_bytes(catalog: &Catalog, index: &ProductIndex) -> Vec<u8> {
    let write = || {
        let mut writer = Writer::new(io::Cursor::new(Vec::new()))?;
        writer.write_all(catalog.bytes())?;
        writer.finish(catalog.bytes().len() as u64, Sha256::digest(catalog.bytes()).into(), index)
    };
    let bytes: io::Result<_> = write();
    bytes.expect("writing to memory cannot fail").into_inner()
}

/// Opens a whole stored shop.
pub(super) fn open(bytes: &OwnedBytes) -> Result<(Catalog, ProductIndex), StoreError> {
    let header = Header::read(bytes)?;
    if crc32fast::hash(&bytes[HEADER..]) != header.content {
        return Err(StoreError::Checksum);
    }
    let mut rest = bytes.slice(HEADER..bytes.len());
    let layout = Layout::new(take(&mut rest, header.catalog)?)?;
    let catalog = Catalog::new(layout, header.digest)?;
    let mut files = Vec::new();
    while !rest.is_empty() {
        let name = part(&mut rest)?;
        let name = PathBuf::from(String::from_utf8_lossy(&name).into_owned());
        files.push((name, part(&mut rest)?));
    }
    let index = ProductIndex::open(files.into_iter().collect(), &catalog)?;
    Ok((catalog, index))
}

fn part(rest: &mut OwnedBytes) -> Result<OwnedBytes, StoreError> {
    let length = take(rest, 8)?;
    let length = length.as_slice().try_into().map_err(|_| StoreError::Part)?;
    take(rest, u64::from_le_bytes(length))
}

fn take(rest: &mut OwnedBytes, length: u64) -> Result<OwnedBytes, StoreError> {
    let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
    let length = length.ok_or(StoreError::Part)?;
    let taken = rest.slice(0..length);
    *rest = rest.slice(length..rest.len());
    Ok(taken)
}

#[cfg(test)]
mod tests;
