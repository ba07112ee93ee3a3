//! The catalog as bytes: columns of little-endian numbers, read where they lie. What is stored is what is used, so a
//! cached catalog needs no decoding, and its digest is the digest of its bytes.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use tantivy::directory::OwnedBytes;
use thiserror::Error;

/// Where the facts of a catalog come from. The digest covers it, since a reward depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Written by our generator: the same fact is the same word.
    Generated,
    /// Taken from another environment's files: free text.
    Imported,
}

impl Origin {
    /// The name with which columns begin. Its number is raised whenever the meaning of the same columns changes.
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

/// What a column holds. Lists of lists are stored end to end, with a column of the ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Ends of the words in bytes, and the words themselves in UTF-8.
    WordEnds,
    WordBytes,
    /// The words by which search cuts a text.
    SearchWords,
    /// Three words for each leaf: domain, category, leaf.
    Leaves,
    /// Per leaf its other names.
    AliasEnds,
    Aliases,
    /// Per product, in the order of leaves.
    Leaf,
    Family,
    Brand,
    Shop,
    /// Fen: the cheapest variant in stock.
    Listed,
    TitleEnds,
    TitleBytes,
    /// Per product pairs of words: axis and value.
    FactEnds,
    Facts,
    /// Per product its option axes, per axis its values.
    AxisEnds,
    AxisNames,
    ValueEnds,
    Values,
    /// Per product its variants, the last axis running fastest: fen and pieces in stock.
    VariantEnds,
    Prices,
    Stocks,
    /// Per family 1 if its products are targets of held-out tasks, else 0.
    HeldOut,
}

const COLUMNS: usize = Column::HeldOut as usize + 1;
const HEADER: usize = MAGIC + 8 * COLUMNS;

/// What is wrong with the bytes of a catalog.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum LayoutError {
    #[error("not a catalog of this version")]
    Magic,
    #[error("cut off or longer than its header says")]
    Length,
    #[error("column {0:?} does not fit the others")]
    Column(Column),
}

/// Columns that grow.
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

    /// Bytes of a text column, or entries of a column of numbers times four.
    pub(super) fn bytes(&self, column: Column) -> u32 {
        self.0[column as usize].len() as u32
    }

    pub(super) fn count(&self, column: Column) -> u32 {
        self.bytes(column) / 4
    }

    /// Writes them in one piece, and each is freed as soon as it is written. Returns the SHA-256 of what was written.
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

    /// Them in one piece in memory.
    pub(super) fn finish(self, origin: Origin) -> (Layout, [u8; 32]) {
        let size = HEADER + self.0.iter().map(Vec::len).sum::<usize>();
        let mut bytes = Vec::with_capacity(size);
        let digest = self.write(origin, &mut bytes).expect("memory takes what is written to it");
        let layout = Layout::new(OwnedBytes::new(bytes)).expect("the header is of these columns");
        (layout, digest)
    }
}

/// All columns, in one piece.
pub(super) struct Layout {
    bytes: OwnedBytes,
    origin: Origin,
    ranges: [Range<usize>; COLUMNS],
}

impl Layout {
    /// Takes up stored bytes, which stay where they lie. What the columns mean to each other is checked by the catalog.
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

    /// List number `index` of those whose ends are in `ends`.
    pub(super) fn range(&self, ends: Column, index: usize) -> Range<usize> {
        let start = index.checked_sub(1).map_or(0, |before| self.number(ends, before));
        start as usize..self.number(ends, index) as usize
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
