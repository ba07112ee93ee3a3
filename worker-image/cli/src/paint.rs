//! Colours for terminals.

use std::fmt::Display;

use console::Style;

/// Colours text if switched on. The text is complete without colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// On if standard output is a terminal with colours. NO_COLOR and CLICOLOR_FORCE override the detection.
    pub(crate) fn for_stdout() -> Self {
        Self { on: console::colors_enabled() }
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) fn off() -> Self {
        Self { on: false }
    }

    fn apply(self, style: Style, text: impl Display) -> String {
        if self.on {
            style.force_styling(true).apply_to(text).to_string()
        } else {
            text.to_string()
        }
    }

    /// Green.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.apply(Style::new().green(), text)
    }

    /// Red.
    pub(crate) fn bad(self, text: impl Display) -> String {
        self.apply(Style::new().red(), text)
    }

    /// Dimmed.
    pub(crate) fn dim(self, text: impl Display) -> String {
        self.apply(Style::new().dim(), text)
    }

    /// Bold.
    pub(crate) fn bold(self, text: impl Display) -> String {
        self.apply(Style::new().bold(), text)
    }

    /// Green above 0, red below, plain at 0.
    pub(crate) fn signed(self, sign: f64, text: impl Display) -> String {
        if sign > 0.0 {
            self.good(text)
        } else if sign < 0.0 {
            self.bad(text)
        } else {
            text.to_string()
        }
    }
}
