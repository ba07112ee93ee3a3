//! Markdown tables with padded columns.

use std::fmt;

/// A Markdown table that is also readable as plain text.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// Whether all columns but the first are aligned right.
    numbers: bool,
}

impl Table {
    /// A table of numbers with a header.
    pub(super) fn numbers<H: Into<String>>(heads: impl IntoIterator<Item = H>) -> Self {
        Self { rows: vec![heads.into_iter().map(Into::into).collect()], numbers: true }
    }

    /// A table of text with a header.
    pub(super) fn words<H: Into<String>>(heads: impl IntoIterator<Item = H>) -> Self {
        Self { numbers: false, ..Self::numbers(heads) }
    }

    /// Appends a row with one cell per column.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = (0..self.rows[0].len()).map(|column| self.width(column)).collect();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                if column == 0 || !self.numbers {
                    write!(f, "| {cell:<width$} ")?;
                } else {
                    write!(f, "| {cell:>width$} ")?;
                }
            }
            writeln!(f, "|")?;
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let end = if column == 0 || !self.numbers { "-" } else { ":" };
                    write!(f, "|{}{end}", "-".repeat(width + 1))?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}
