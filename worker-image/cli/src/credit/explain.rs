//! Explains an episode given as JSON; the explanation is JSON too.

use std::io::Read;
use std::path::Path;

use shoprl_contract::Exit;
use shoprl_rl::credit::{CreditError, ExplainInput, Explanation};

use crate::output::to_stdout;

/// Explains the episode in `file` (`-` for standard input).
pub(super) fn file(file: &Path) -> Result<(), Exit> {
    let explanation = explain(file)?;
    to_stdout(|out| {
        serde_json::to_writer_pretty(&mut *out, &explanation)?;
        writeln!(out)
    })
}

fn explain(file: &Path) -> Result<Explanation, ExplainError> {
    let (name, read) = if file == Path::new("-") {
        let mut text = String::new();
        ("standard input".to_owned(), std::io::stdin().read_to_string(&mut text).map(|_| text))
    } else {
        (file.display().to_string(), std::fs::read_to_string(file))
    };
    let text = read.map_err(|cause| ExplainError::Unreadable { name: name.clone(), cause })?;
    let input =
        parse(&text).map_err(|message| ExplainError::Malformed { name: name.clone(), message })?;
    shoprl_rl::credit::explain(&input).map_err(|cause| ExplainError::Inconsistent { name, cause })
}

/// The error names the field (serde_path_to_error) and the line (serde_json).
fn parse(text: &str) -> Result<ExplainInput, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())
}

#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error("{name}: {cause}; use a file, or - for standard input")]
    Unreadable { name: String, cause: std::io::Error },
    #[error(
        "{name}: {message}; write {{tokens, messages: [{{start, end, policy, kind}}], scores, reward}}"
    )]
    Malformed { name: String, message: String },
    #[error("{name}: {cause}")]
    Inconsistent { name: String, cause: CreditError },
}

impl From<ExplainError> for Exit {
    fn from(error: ExplainError) -> Self {
        Self::bad_configuration(error.to_string())
    }
}
