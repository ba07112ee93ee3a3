//! Reading a run folder, also while the run goes on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::de::DeserializeOwned;
use shoprl_contract::RunConfig;
use shoprl_contract::run_folder::{
    Budget, Decoding, Evaluation, Metric, PhaseBudget, Subject, TrainingMetric, WarmupMetric, file,
};

use super::ReportError;

/// The rows of a run folder.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) config: RunConfig,
    pub(super) warmup: Vec<WarmupMetric>,
    pub(super) training: Vec<TrainingMetric>,
    /// The newest evaluation of each subject except [`Subject::Progress`].
    pub(super) evaluations: BTreeMap<(Subject, Decoding), Evaluation>,
    /// Evaluations during training, by step.
    pub(super) progress: BTreeMap<(Decoding, u64), Evaluation>,
    pub(super) budget: Vec<PhaseBudget>,
}

impl Run {
    /// Reads the run in `folder`. Only run.json must exist.
    pub(super) fn read(folder: &Path) -> Result<Self, ReportError> {
        let path = folder.join(file::RUN_CONFIG);
        let Some(config) = document(&path)? else {
            return Err(ReportError::NoRun { path });
        };
        // A repeated row replaces the earlier one.
        let (mut warmup, mut training) = (BTreeMap::new(), BTreeMap::new());
        for row in rows(&folder.join(file::METRICS))? {
            match row {
                Metric::Warmup(row) => drop(warmup.insert(row.step, row)),
                Metric::Training(row) => drop(training.insert(row.step, row)),
            }
        }
        let (mut evaluations, mut progress) = (BTreeMap::new(), BTreeMap::new());
        for row in rows::<Evaluation>(&folder.join(file::EVALUATIONS))? {
            match row.subject {
                Subject::Progress => drop(progress.insert((row.decoding, row.step), row)),
                subject => drop(evaluations.insert((subject, row.decoding), row)),
            }
        }
        let (warmup, training) = (warmup.into_values().collect(), training.into_values().collect());
        let budget: Option<Budget> = document(&folder.join(file::BUDGET))?;
        let budget = budget.map_or_else(Vec::new, |budget| budget.phases);
        Ok(Self { config, warmup, training, evaluations, progress, budget })
    }

    /// The evaluation of a subject.
    pub(super) fn evaluation(&self, subject: Subject, decoding: Decoding) -> Option<&Evaluation> {
        self.evaluations.get(&(subject, decoding))
    }

    /// The policy's evaluations by step. The final one replaces an evaluation during training at the same step, because it has
    /// more tasks.
    pub(super) fn policy(&self, decoding: Decoding) -> Vec<&Evaluation> {
        let trained = self.evaluation(Subject::Trained, decoding);
        let before = |step| trained.is_none_or(|trained| step < trained.step);
        let on_the_way =
            self.progress.values().filter(|e| e.decoding == decoding && before(e.step));
        let warmup = self.evaluation(Subject::Warmup, decoding);
        warmup.into_iter().chain(on_the_way).chain(trained).collect()
    }

    /// Last completed step of reinforcement learning; 0 before the first.
    pub(super) fn last_step(&self) -> u64 {
        self.training.last().map_or(0, |row| row.step)
    }
}

/// Reads a JSON document; `None` if the file does not exist.
fn document<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ReportError> {
    let Some(text) = read(path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(malformed(path, None))
}

/// Reads the rows of a file; no rows if it does not exist. A last line without a line feed is still being written and is
/// ignored.
fn rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, ReportError> {
    let text = read(path)?.unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let row = |(index, line)| serde_json::from_str(line).map_err(malformed(path, Some(index + 1)));
    whole.lines().enumerate().map(row).collect()
}

fn read(path: &Path) -> Result<Option<String>, ReportError> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => {
            text.map(Some).map_err(|source| ReportError::Read { path: path.to_owned(), source })
        }
    }
}

fn malformed(
    path: &Path,
    line: Option<usize>,
) -> impl FnOnce(serde_json::Error) -> ReportError + use<> {
    let path: PathBuf = path.to_owned();
    move |source| ReportError::Malformed { path, line, source }
}
