//! Reports what happened to the records of a file.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Format;
use super::product::Notes;

/// Examples kept per reason.
const EXAMPLES: usize = 3;

/// Why a record was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Reason {
    /// A line that is not JSON.
    NotJson,
    /// JSON that is not an object.
    NotAnObject,
    /// No `asin`.
    NoId,
    /// The `asin` of an earlier record.
    TwiceTheId,
    /// No title, or one that is not text.
    NoTitle,
    /// A title of more than 500 characters.
    LongTitle,
    /// No category, or one that is not text.
    NoCategory,
    /// Neither the product nor all of its options have a price.
    NoPrice,
    /// A price that is not a number, not above zero, or above ten million.
    ImpossiblePrice,
    /// Attributes that are not a list, or options that are not a table.
    WrongType,
    /// More than 64 attributes, 8 axes of options or 2,000 variants.
    TooMuch,
}

impl Reason {
    const fn words(self) -> &'static str {
        match self {
            Self::NotJson => "the line is not JSON",
            Self::NotAnObject => "not a JSON object",
            Self::NoId => "no asin",
            Self::TwiceTheId => "duplicate asin",
            Self::NoTitle => "no title",
            Self::LongTitle => "a title of more than 500 characters",
            Self::NoCategory => "no category",
            Self::NoPrice => "no price",
            Self::ImpossiblePrice => "a price that is not above 0 and at most 10,000,000",
            Self::WrongType => "attributes or options of the wrong type",
            Self::TooMuch => "more than 64 attributes, 8 option axes or 2,000 variants",
        }
    }
}

/// The records dropped for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dropped {
    /// Number of records.
    pub count: usize,
    /// The first few: the `asin`, or the number of the record.
    pub examples: Vec<String>,
}

/// What happened to the records of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The format of the file.
    pub format: Format,
    /// Records in the file.
    pub read: usize,
    /// Products in the catalog.
    pub kept: usize,
    /// Records that were dropped, by reason.
    pub dropped: BTreeMap<Reason, Dropped>,
    /// Dropped parts of kept products.
    pub notes: Notes,
    /// Products from which training tasks are drawn: those with attributes and options.
    pub train: usize,
    /// Products from which held-out tasks are drawn.
    pub held_out: usize,
    /// SHA-256 of the catalog.
    pub digest: String,
}

impl Report {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            read: 0,
            kept: 0,
            dropped: BTreeMap::new(),
            notes: Notes::default(),
            train: 0,
            held_out: 0,
            digest: String::new(),
        }
    }

    pub(super) fn drop(&mut self, reason: Reason, example: String) {
        let dropped = self.dropped.entry(reason).or_default();
        dropped.count += 1;
        if dropped.examples.len() < EXAMPLES {
            dropped.examples.push(example);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} records read, {} kept", self.read, self.kept)?;
        for (reason, Dropped { count, examples }) in &self.dropped {
            let examples = examples.join(", ");
            write!(formatter, "\n  {count} dropped: {} ({examples})", reason.words())?;
        }
        for (part, count) in &self.notes.0 {
            write!(formatter, "\n  {count} parts of kept products dropped: {part}")?;
        }
        let (train, held_out) = (self.train, self.held_out);
        write!(formatter, "\n  tasks are drawn from {train} training, {held_out} held-out products")
    }
}
