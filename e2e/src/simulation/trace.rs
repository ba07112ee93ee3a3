//! What happened, as lines and as one number: the same seed gives the same bytes.

use std::fmt;

/// A run's trace.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    digest: u64,
    lines: Option<Vec<String>>,
    buffer: String,
}

impl Trace {
    /// An empty one; with `keep` the lines stay, else only their digest.
    pub(super) fn new(keep: bool) -> Self {
        Self { digest: 0xcbf2_9ce4_8422_2325, lines: keep.then(Vec::new), buffer: String::new() }
    }

    /// Adds a line, said at `now` (ms of virtual time).
    pub(super) fn say(&mut self, now: i64, what: fmt::Arguments<'_>) {
        use fmt::Write;
        self.buffer.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.buffer, "{:>9.3} {what}", now as f64 / 1000.0);
        for byte in self.buffer.bytes().chain(*b"\n") {
            // FNV-1a.
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if let Some(lines) = &mut self.lines {
            lines.push(self.buffer.clone());
        }
    }

    /// A number that two equal traces share.
    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    /// The kept lines.
    pub(super) fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
