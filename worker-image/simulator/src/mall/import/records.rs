//! Reads the records of a file one by one: a JSON array, or one object per line.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::Value;

use super::{ImportError, Reason};

/// A record, or why it is dropped; with its id if it has one.
pub(super) type Read<T> = Result<T, (Option<String>, Reason)>;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Calls `take` with the number (position in the array, or line, from 1) and the value of each record.
pub(super) fn each(
    bytes: &[u8],
    mut take: impl FnMut(usize, Read<Value>),
) -> Result<(), ImportError> {
    if bytes.starts_with(&GZIP) {
        return Err(ImportError::Compressed);
    }
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(b"[") {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let read = Elements(&mut take).deserialize(&mut reader).and_then(|()| reader.end());
        return read.map_err(ImportError::Json);
    }
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if !line.is_empty() {
            let value = serde_json::from_slice(line);
            take(number, value.map_err(|_| (None, Reason::NotJson)));
        }
    }
    Ok(())
}

/// Passes on the elements of an array as they are parsed.
struct Elements<F>(F);

impl<'de, F: FnMut(usize, Read<Value>)> DeserializeSeed<'de> for Elements<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(usize, Read<Value>)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of products")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(value) = elements.next_element()? {
            number += 1;
            (self.0)(number, Ok(value));
        }
        Ok(())
    }
}
