//! A recording: one sequence per line, compressed.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::Context;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Reads the lines of a recording.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> anyhow::Result<Vec<String>> {
    let file = File::open(path).with_context(|| format!("recording {}", path.display()))?;
    let lines = BufReader::new(GzDecoder::new(file)).lines().collect::<Result<_, _>>();
    lines.with_context(|| format!("recording {}", path.display()))
}

/// Writes a recording. Equal lines give equal bytes.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, lines: &[String]) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("recording {}", path.display()))?;
    let mut file = GzEncoder::new(file, Compression::best());
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.finish().with_context(|| format!("recording {}", path.display()))?;
    Ok(())
}
