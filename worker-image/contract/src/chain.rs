//! Texts of errors.

use std::error::Error;

/// An error with its causes: `write weights (disk full)`. A cause that the text before it already contains is left out.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    for cause in causes.map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text} ({cause})");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    #[test]
    fn causes_follow_in_brackets_unless_the_text_has_them() {
        let check = |texts: &[&'static str], expected: &str| {
            let error =
                texts.iter().rev().fold(None, |source, text| Some(Box::new(Link { text, source })));
            assert_eq!(error_chain(&error.unwrap()), expected);
        };
        check(&["write weights"], "write weights");
        check(&["write weights", "disk full"], "write weights (disk full)");
        check(&["write weights: disk full", "disk full"], "write weights: disk full");
        check(&["connect", "TLS", "no route"], "connect (TLS) (no route)");
    }
}
