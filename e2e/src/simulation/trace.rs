//! The trace of a run: lines and a digest. The same seed gives the same bytes.

use std::fmt::{self, Write as _};

/// A run's trace.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    digest: u64,
    lines: Option<Vec<String>>,
    buffer: String,
}

impl Trace {
    /// An empty trace. Without `keep` only the digest is computed.
    pub(super) fn new(keep: bool) -> Self {
        Self { digest: 0xcbf2_9ce4_8422_2325, lines: keep.then(Vec::new), buffer: String::new() }
    }

    /// Adds a line at `now` (ms of virtual time).
    pub(super) fn record(&mut self, now: i64, line: fmt::Arguments<'_>) {
        self.buffer.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.buffer, "{:>9.3} {line}", now as f64 / 1000.0);
        for byte in self.buffer.bytes().chain(*b"\n") {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if let Some(lines) = &mut self.lines {
            lines.push(self.buffer.clone());
        }
    }

    /// FNV-1a digest of all lines.
    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    /// The lines, if they are kept.
    pub(super) fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
