//! The catalog as bytes: columns of little-endian numbers that are read in place. The stored form is the form in use, so a
//! cached catalog needs no decoding, and its digest is the digest of its bytes.

use std::io::{self, Write};
use std::ops::Range;

use sha2::{Digest as _, Sha256};
use tantivy::directory::OwnedBytes;
use thiserror::Error;

/// The source of a catalog's facts. The digest covers it, because the reward depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Written by this crate's generator: equal facts are equal words.
    Generated,
    /// Imported from another environment's files: free text.
    Imported,
}

impl Origin {
    /// The magic bytes. Their number is incremented whenever the meaning of a column changes.
    const fn magic(self) -> &'static [u8; MAGIC] {
        match self {
            Self::Generated => b"shoprl catalog 2",
            Self::Imported => b"shoprl imports 2",
        }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        [Self::Generated, Self::Imported].into_iter().find(|it| bytes.starts_with(it.magic()))
    }
}

const MAGIC: usize = 16;

/// A column. Lists of lists are stored end to end, with a column of their ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Ends of the words in bytes, and the words in UTF-8.
    WordEnds,
    WordBytes,
    /// The words that search cuts texts into.
    SearchWords,
    /// Three words for each leaf: domain, category, leaf.
    Leaves,
    /// Other names per leaf.
    AliasEnds,
    Aliases,
    /// Per product, in order of leaves.
    Leaf,
    Family,
    Brand,
    Shop,
    /// Price of the cheapest variant in stock, in fen.
    Listed,
    TitleEnds,
    TitleBytes,
    /// Pairs of words per product: axis and value.
    FactEnds,
    Facts,
    /// Option axes per product, values per axis.
    AxisEnds,
    AxisNames,
    ValueEnds,
    Values,
    /// Variants per product, the last axis varying fastest: fen, and pieces in stock.
    VariantEnds,
    Prices,
    Stocks,
    /// Per family: 1 if its products are targets of held-out tasks, else 0.
    HeldOut,
}

const COLUMNS: usize = Column::HeldOut as usize + 1;
const HEADER: usize = MAGIC + 8 * COLUMNS;

/// Why the bytes of a catalog are refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum LayoutError {
    #[error("not a catalog of this version")]
    Magic,
    #[error("truncated, or longer than its header says")]
    Length,
    #[error("column {0:?} does not fit the others")]
    Column(Column),
}

/// Columns under construction.
#[derive(Debug)]
pub(super) struct Columns([Vec<u8>; COLUMNS]);

impl Default for Columns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Vec::new()))
    }
}

impl Columns {
    pub(super) fn push(&mut self, column: Column, number: u32) {
        self.0[column as usize].extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn extend_text(&mut self, column: Column, text: &str) {
        self.0[column as usize].extend_from_slice(text.as_bytes());
    }

    /// Bytes of a column; a column of numbers has four per entry.
    pub(super) fn bytes(&self, column: Column) -> u32 {
        self.0[column as usize].len() as u32
    }

    pub(super) fn count(&self, column: Column) -> u32 {
        self.bytes(column) / 4
    }

    /// Writes the columns and frees each as soon as it is written. Returns the SHA-256 of the written bytes.
    pub(super) fn write(self, origin: Origin, out: &mut dyn Write) -> io::Result<[u8; 32]> {
        let mut hasher = Sha256::new();
        let mut put = |bytes: &[u8]| {
            hasher.update(bytes);
            out.write_all(bytes)
        };
        put(origin.magic())?;
        for column in &self.0 {
            put(&(column.len() as u64).to_le_bytes())?;
        }
        self.0.into_iter().try_for_each(|column| put(&column))?;
        Ok(hasher.finalize().into())
    }

    /// The columns in one piece of memory, and their SHA-256.
    pub(super) fn finish(self, origin: Origin) -> (Layout, [u8; 32]) {
        let size = HEADER + self.0.iter().map(Vec::len).sum::<usize>();
        let mut bytes = Vec::with_capacity(size);
        let digest = self.write(origin, &mut bytes).expect("writing to memory cannot fail");
        let layout = Layout::new(OwnedBytes::new(bytes)).expect("the header is of these columns");
        (layout, digest)
    }
}

/// All columns in one piece of memory.
pub(super) struct Layout {
    bytes: OwnedBytes,
    origin: Origin,
    ranges: [Range<usize>; COLUMNS],
}

impl Layout {
    /// Reads the header of stored bytes, which are not copied. The catalog checks the consistency of the columns.
    pub(super) fn new(bytes: OwnedBytes) -> Result<Self, LayoutError> {
        let origin = Origin::of(&bytes).ok_or(LayoutError::Magic)?;
        let lengths = bytes.get(MAGIC..HEADER).ok_or(LayoutError::Length)?;
        let mut ranges = [const { 0..0 }; COLUMNS];
        let mut start = HEADER;
        for (range, length) in ranges.iter_mut().zip(lengths.as_chunks().0) {
            let length = usize::try_from(u64::from_le_bytes(*length));
            let length = length.map_err(|_| LayoutError::Length)?;
            let end = start.checked_add(length).ok_or(LayoutError::Length)?;
            *range = start..end;
            start = end;
        }
        if start != bytes.len() {
            return Err(LayoutError::Length);
        }
        Ok(Self { bytes, origin, ranges })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// SHA-256 of the bytes.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.bytes()).into()
    }

    pub(super) fn column(&self, column: Column) -> &[u8] {
        &self.bytes[self.ranges[column as usize].clone()]
    }

    /// Entries of a column of numbers.
    pub(super) fn count(&self, column: Column) -> usize {
        self.column(column).len() / 4
    }

    pub(super) fn number(&self, column: Column, index: usize) -> u32 {
        let bytes = &self.column(column)[4 * index..];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// The numbers of a range of a column.
    pub(super) fn numbers(
        &self,
        column: Column,
        range: Range<usize>,
    ) -> impl ExactSizeIterator<Item = u32> + '_ {
        let bytes = &self.column(column)[4 * range.start..4 * range.end];
        bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// List number `index` of those that end at `ends`.
    pub(super) fn range(&self, ends: Column, index: usize) -> Range<usize> {
        let start = index.checked_sub(1).map_or(0, |before| self.number(ends, before));
        start as usize..self.number(ends, index) as usize
    }
}
