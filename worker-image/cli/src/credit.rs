//! `shoprl credit`: how an episode's advantage is split over its messages and tokens.

mod episode;
mod explain;
mod given;
mod scored;

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use shoprl_contract::Exit;
use shoprl_rl::credit::Mode;

use crate::episodes::Selection;

/// Explain message-wise credit for an episode in JSON or an episode of a run.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("episode").required(true)))]
pub struct CreditArguments {
    /// Episode in JSON: tokens, messages {start, end, policy, kind}, scores, reward. Use - for standard input.
    #[arg(group = "episode", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Run folder: explain an episode of this run, token by token.
    #[arg(long, group = "episode", value_name = "FOLDER")]
    run: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// Credit mode of the weights, for an episode of a run. Default: the mode of the run.
    #[arg(long, value_enum, value_name = "MODE")]
    mode: Option<ModeArgument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "camelCase")]
enum ModeArgument {
    SampleWise,
    Mask,
    Conserved,
    Gated,
    Dense,
}

impl From<ModeArgument> for Mode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::SampleWise => Self::Off,
            ModeArgument::Mask => Self::Mask,
            ModeArgument::Conserved => Self::Conserved,
            ModeArgument::Gated => Self::Gated,
            ModeArgument::Dense => Self::Dense,
        }
    }
}

/// Explains an episode in a file as JSON, or an episode of a run as text.
///
/// # Errors
/// When the input is missing, malformed or inconsistent.
pub fn credit(arguments: &CreditArguments) -> Result<(), Exit> {
    match (&arguments.file, &arguments.run) {
        (Some(file), _) => explain::file(file),
        (None, Some(run)) => {
            episode::show(run, &arguments.selection, arguments.mode.map(Mode::from))
        }
        (None, None) => Err(Exit::bad_configuration("use an episode in JSON, or --run FOLDER")),
    }
}
