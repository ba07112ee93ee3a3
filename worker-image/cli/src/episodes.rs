//! Finds episodes in a run folder.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use shoprl_contract::Exit;
use shoprl_contract::run_folder::{Episode, file};

/// Selects episodes of a run.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Selection {
    /// Batch, for example step-000012, or 12 for short. Default: the newest step.
    #[arg(long, value_name = "BATCH")]
    pub(crate) batch: Option<String>,
    /// Number of the group in the job.
    #[arg(long, value_name = "N")]
    pub(crate) group: Option<u64>,
    /// Number of the episode in its group.
    #[arg(long, value_name = "N")]
    pub(crate) member: Option<u32>,
}

/// The first `limit` episodes of `run` that match `selection`, in file order.
pub(crate) fn find(
    run: &Path,
    selection: &Selection,
    limit: usize,
) -> Result<Vec<Episode>, EpisodesError> {
    let batches = batches(run)?;
    let name = match &selection.batch {
        Some(batch) => batch_name(batch),
        None => newest(&batches).to_owned(),
    };
    if !batches.contains(&name) {
        return Err(EpisodesError::NoBatch { run: run.to_owned(), name, known: batches });
    }
    let path = batch_file(run, &name);
    let matches = |episode: &Episode| {
        selection.group.is_none_or(|group| group == episode.group)
            && selection.member.is_none_or(|member| member == episode.member)
    };
    let rows = read(&path)?;
    let groups: Vec<_> =
        rows.iter().map(|episode| format!("{}/{}", episode.group, episode.member)).collect();
    let found: Vec<_> = rows.into_iter().filter(matches).take(limit).collect();
    if found.is_empty() { Err(EpisodesError::NoEpisode { path, groups }) } else { Ok(found) }
}

/// All episodes of a batch, in training order.
pub(crate) fn batch(run: &Path, name: &str) -> Result<Vec<Episode>, EpisodesError> {
    read(&batch_file(run, name))
}

fn batch_file(run: &Path, name: &str) -> PathBuf {
    run.join(file::TRAJECTORIES).join(format!("{name}.jsonl"))
}

/// Names of the batches with episodes, sorted and not empty.
fn batches(run: &Path) -> Result<Vec<String>, EpisodesError> {
    let folder = run.join(file::TRAJECTORIES);
    let entries = fs::read_dir(&folder)
        .map_err(|cause| EpisodesError::NoRun { folder: folder.clone(), cause })?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let rows = paths.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let mut names: Vec<_> =
        rows.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    if names.is_empty() { Err(EpisodesError::NoneYet { run: run.to_owned() }) } else { Ok(names) }
}

/// A number stands for a step of reinforcement learning.
fn batch_name(batch: &str) -> String {
    batch.parse::<u64>().map_or_else(|_| batch.to_owned(), step_name)
}

/// The batch name of a step of reinforcement learning.
pub(crate) fn step_name(step: u64) -> String {
    format!("{STEP}{step:06}")
}

/// The step of a batch; `None` for the batch of an evaluation.
pub(crate) fn step_of(batch: &str) -> Option<u64> {
    batch.strip_prefix(STEP)?.parse().ok()
}

const STEP: &str = "step-";

fn newest(batches: &[String]) -> &str {
    let step = batches.iter().rfind(|name| name.starts_with(STEP));
    step.or(batches.last()).map_or("", String::as_str)
}

fn read(path: &Path) -> Result<Vec<Episode>, EpisodesError> {
    let unreadable = |cause| EpisodesError::Unreadable { path: path.to_owned(), cause };
    let lines = BufReader::new(File::open(path).map_err(unreadable)?).lines();
    let row = |(index, line): (usize, std::io::Result<String>)| {
        let damaged =
            |message| EpisodesError::Damaged { path: path.to_owned(), line: index + 1, message };
        serde_json::from_str(&line.map_err(|error| damaged(error.to_string()))?)
            .map_err(|error| damaged(error.to_string()))
    };
    lines.enumerate().map(row).collect()
}

/// Why no episode can be printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EpisodesError {
    /// The folder is not a run folder.
    #[error("{}: {cause}; use the folder of a run, for example runs/quickstart", folder.display())]
    NoRun { folder: PathBuf, cause: std::io::Error },
    /// The run has not written episodes yet.
    #[error("{}: no episodes yet; the first evaluation writes them", run.display())]
    NoneYet { run: PathBuf },
    /// The run has no such batch.
    #[error("{}: no batch {name}; existing batches: {}", run.display(), summary(known))]
    NoBatch { run: PathBuf, name: String, known: Vec<String> },
    /// The batch has no such episode.
    #[error("{}: no such episode; existing GROUP/MEMBER: {}", path.display(), summary(groups))]
    NoEpisode { path: PathBuf, groups: Vec<String> },
    /// The batch's file cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: std::io::Error },
    /// A line is not an episode.
    #[error("{} line {line}: {message}; the file is damaged or still being written", path.display())]
    Damaged { path: PathBuf, line: usize, message: String },
}

/// At most six names.
fn summary(names: &[String]) -> String {
    const MAX_NAMES: usize = 6;
    match names {
        many if many.len() > MAX_NAMES => format!(
            "{}, … {} ({} in total)",
            many[..MAX_NAMES - 1].join(", "),
            many[many.len() - 1],
            many.len()
        ),
        few => few.join(", "),
    }
}

impl From<EpisodesError> for Exit {
    fn from(error: EpisodesError) -> Self {
        Self::bad_configuration(error.to_string())
    }
}
