//! Named float32 tensors as the bytes of a safetensors file. Errors say what is wrong with the bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, View};
use safetensors::{SafeTensors, serialize};
use thiserror::Error;

/// Why bytes are not the expected tensors.
#[derive(Debug, Error, PartialEq)]
pub enum TensorFileError {
    /// The file is shorter than its header says.
    #[error("it is truncated: {found} bytes, but its header needs {expected}")]
    Truncated {
        /// Bytes found.
        found: usize,
        /// Bytes needed; at least 8, the shortest header.
        expected: u64,
    },
    /// The header is damaged, or the file has another format.
    #[error("it is not a safetensors file: {0}")]
    Header(String),
    /// A tensor is absent.
    #[error("tensor `{0}` is missing")]
    Missing(String),
    /// A tensor that the model does not have.
    #[error("tensor `{0}` does not belong to this model")]
    Unexpected(String),
    /// A tensor of another type or shape.
    #[error("tensor `{name}` is {found}, but must be {expected}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Type and shape found.
        found: String,
        /// Type and shape needed.
        expected: String,
    },
    /// A value is infinite or NaN.
    #[error("tensor `{name}` holds {value} at position {position}")]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// The value found.
        value: f32,
        /// Index of the value in the tensor.
        position: usize,
    },
}

struct Float32<'a> {
    shape: &'a [usize],
    values: &'a [f32],
}

impl View for Float32<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }
    fn data_len(&self) -> usize {
        self.values.len() * 4
    }
}

/// The bytes of a file with `tensors` (name, shape, values). The same tensors give the same bytes.
pub(crate) fn write<'a>(
    tensors: impl Iterator<Item = (String, &'a [usize], &'a [f32])>,
) -> Result<Vec<u8>, TensorFileError> {
    // `transformers` refuses files without the name of a framework whose memory layout they follow.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let views = tensors.map(|(name, shape, values)| (name, Float32 { shape, values }));
    serialize(views, Some(metadata)).map_err(|error| TensorFileError::Header(error.to_string()))
}

/// Reads exactly the tensors `expected` (name, shape), in that order. `accept` gets the number and the values of
/// each tensor.
pub(crate) fn read<'a>(
    bytes: &[u8],
    expected: impl Iterator<Item = (String, &'a [usize])>,
    mut accept: impl FnMut(usize, Vec<f32>),
) -> Result<(), TensorFileError> {
    check_length(bytes)?;
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| TensorFileError::Header(error.to_string()))?;
    let mut rest: BTreeMap<&str, _> = file.iter().collect();
    for (number, (name, shape)) in expected.enumerate() {
        let Some(tensor) = rest.remove(name.as_str()) else {
            return Err(TensorFileError::Missing(name));
        };
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
            let found = format!("{} {:?}", tensor.dtype(), tensor.shape());
            return Err(TensorFileError::Shape {
                name,
                found,
                expected: format!("{} {shape:?}", Dtype::F32),
            });
        }
        let values: Vec<f32> =
            tensor.data().as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            return Err(TensorFileError::NotFinite { name, value: values[position], position });
        }
        accept(number, values);
    }
    rest.into_keys().next().map_or(Ok(()), |name| Err(TensorFileError::Unexpected(name.to_owned())))
}

/// Reports a truncated file as truncated. The library would report an invalid header.
fn check_length(bytes: &[u8]) -> Result<(), TensorFileError> {
    let truncated = |expected| Err(TensorFileError::Truncated { found: bytes.len(), expected });
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return truncated(8) };
    let header = u64::from_le_bytes(*length);
    // A longer header is damaged, not truncated; the library refuses it.
    if header > 100_000_000 {
        return Ok(());
    }
    let Some(text) = rest.get(..header as usize) else { return truncated(8 + header) };
    let Ok(serde_json::Value::Object(entries)) = serde_json::from_slice(text) else {
        return Ok(());
    };
    let ends = entries.values().filter_map(|entry| entry.get("data_offsets")?.get(1)?.as_u64());
    let expected = ends.max().unwrap_or(0).saturating_add(8 + header);
    if (bytes.len() as u64) < expected { truncated(expected) } else { Ok(()) }
}
