//! The optimiser's state as a safetensors file (`optimizer.safetensors` of a checkpoint).

use std::ops::Range;
use std::sync::Arc;

use super::{Optimizer, Settings, is_muon};
use crate::parameters::Layout;
use crate::tensor_file::{self, TensorFileError};

/// A scalar tensor; float32 counts exactly up to 16 million.
const STEPS: &str = "steps";

/// One tensor of the file, and the place of its values.
struct Part<'a> {
    name: String,
    shape: &'a [usize],
    range: Range<usize>,
    second: bool,
}

/// The file's tensors except `steps`: `NAME.momentum` for Muon's tensors, `NAME.first_moment` and
/// `NAME.second_moment` for AdamW's.
fn parts<'a>(layout: &'a Layout, settings: &Settings) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for entry in layout.entries() {
        let mut push = |kind, second| {
            let name = format!("{}.{kind}", entry.name);
            parts.push(Part { name, shape: &entry.shape, range: entry.range(), second });
        };
        if is_muon(settings, entry) {
            push("momentum", false);
        } else {
            push("first_moment", false);
            push("second_moment", true);
        }
    }
    parts
}

impl Optimizer {
    /// The bytes of the state file; the same state gives the same bytes.
    ///
    /// # Errors
    /// The file's header would exceed the format's 100 MB.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TensorFileError> {
        let steps = [self.steps as f32];
        let steps = (STEPS.to_owned(), [].as_slice(), steps.as_slice());
        let moments = parts(&self.layout, &self.settings).into_iter().map(|part| {
            let values =
                if part.second { &self.second[part.range] } else { &self.first[part.range] };
            (part.name, part.shape, values)
        });
        tensor_file::write(std::iter::once(steps).chain(moments))
    }

    /// Reads what [`Optimizer::to_bytes`] wrote with the same geometry and method. Training then continues with the
    /// bits it would have had without the interruption.
    ///
    /// # Errors
    /// The file is truncated, corrupt, or of another geometry or method.
    pub fn from_bytes(
        layout: Arc<Layout>,
        settings: Settings,
        threads: usize,
        bytes: &[u8],
    ) -> Result<Self, TensorFileError> {
        let mut optimizer = Self::new(layout, settings, threads);
        let layout = optimizer.layout.clone();
        let parts = parts(&layout, &settings);
        let names = parts.iter().map(|part| (part.name.clone(), part.shape));
        let names = std::iter::once((STEPS.to_owned(), [].as_slice())).chain(names);
        tensor_file::read(bytes, names, |number, values| {
            let Some(part) = number.checked_sub(1).map(|number| &parts[number]) else {
                optimizer.steps = values[0] as u32;
                return;
            };
            let moments = if part.second { &mut optimizer.second } else { &mut optimizer.first };
            moments[part.range.clone()].copy_from_slice(&values);
        })?;
        Ok(optimizer)
    }
}
