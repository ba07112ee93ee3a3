//! `shoprl trajectories`: prints episodes of a run as conversations.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use shoprl_contract::Exit;
use shoprl_contract::run_folder::{Episode, EpisodeMessage};

use crate::episodes::{self, Selection};
use crate::output::to_stdout;
use crate::paint::Paint;

/// Print episodes of a run as conversations between the shop and the agent.
#[derive(Debug, Args)]
pub struct TrajectoriesArguments {
    /// Run folder.
    run: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Number of episodes to print.
    #[arg(long, default_value_t = 3, value_name = "N")]
    limit: usize,
}

/// Control token that ends an observation; the agent's action follows.
const ACT: &str = "<|act|>";
/// Control token with which the agent ends an action.
const END: &str = "<|end|>";

/// Prints the selected episodes.
///
/// # Errors
/// When no episode matches, or a file of the run is damaged.
pub fn trajectories(arguments: &TrajectoriesArguments) -> Result<(), Exit> {
    let found = episodes::find(&arguments.run, &arguments.selection, arguments.limit.max(1))?;
    let paint = Paint::for_stdout();
    to_stdout(|out| found.iter().try_for_each(|episode| write_episode(out, episode, paint)))
}

fn write_episode(out: &mut dyn Write, episode: &Episode, paint: Paint) -> io::Result<()> {
    writeln!(out, "{}", paint.bold(heading(episode)))?;
    for message in &episode.messages {
        write_message(out, message, paint)?;
    }
    writeln!(out, "{}\n", outcome(episode, paint))
}

/// One line that identifies the episode.
pub(crate) fn heading(episode: &Episode) -> String {
    let scenario = serde_json::to_value(episode.scenario).unwrap_or_default();
    format!(
        "{}, group {}, member {}: {} task {}{}",
        episode.batch,
        episode.group,
        episode.member,
        scenario.as_str().unwrap_or_default(),
        episode.task_seed,
        if episode.held_out { " (held out)" } else { "" },
    )
}

fn write_message(out: &mut dyn Write, message: &EpisodeMessage, paint: Paint) -> io::Result<()> {
    if !message.policy {
        return write_environment(out, &message.text, paint);
    }
    let verdict = message.verdict.unwrap_or_default();
    let kind = message.kind.as_deref().unwrap_or("action");
    // An action that the token limit truncated has no end token.
    let (text, cut) =
        message.text.strip_suffix(END).map_or((message.text.as_str(), "…"), |text| (text, ""));
    let text = paint.bold(format!("{text}{cut}"));
    writeln!(out, "agent | {text}  {}", paint.signed(verdict, format!("[{kind} {verdict:+}]")))
}

/// Prints an observation without its control token.
pub(crate) fn write_environment(out: &mut dyn Write, text: &str, paint: Paint) -> io::Result<()> {
    let mut lines = text.strip_suffix(ACT).unwrap_or(text).lines();
    writeln!(out, "shop  | {}", paint.dim(lines.next().unwrap_or_default()))?;
    lines.try_for_each(|line| writeln!(out, "      | {}", paint.dim(line)))
}

fn outcome(episode: &Episode, paint: Paint) -> String {
    let metrics = &episode.metrics;
    let figures = [
        ("success", metrics.success),
        ("strict", metrics.strict),
        ("loose", metrics.loose),
        ("category", metrics.category),
        ("attribute", metrics.attribute),
        ("option", metrics.option),
        ("price", metrics.price),
    ];
    let figures: Vec<_> =
        figures.iter().map(|(name, value)| format!("{name} {value:.2}")).collect();
    let advantage = episode
        .advantage
        .map(|advantage| format!(", advantage {advantage:+.2}"))
        .unwrap_or_default();
    let text = format!(
        "{}: reward {:.2}{advantage} ({})",
        episode.end,
        episode.reward,
        figures.join(", ")
    );
    paint.signed(metrics.success - 0.5, text)
}

#[cfg(test)]
pub(crate) mod tests;
