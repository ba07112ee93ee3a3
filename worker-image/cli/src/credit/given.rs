//! The credit that a step of a run gave, computed again from what the run wrote down: the step's episodes, and
//! those of the steps before it, of which the gate is made.

use std::collections::BTreeSet;
use std::path::Path;

use shoprl_contract::Exit;
use shoprl_contract::run_folder::Episode;
use shoprl_rl::credit::{CreditOptions, Gate, Kind, Mode, ScoredTrajectory, token_advantages};

use super::episode::scored;
use crate::episodes;

/// Steps that have a say in the gate. Its sums decay by a tenth a step: what is older weighs less than 1e-18.
const REMEMBERED: u64 = 400;

/// What one episode was given.
pub(super) struct Given {
    mode: Mode,
    advantage: f64,
    /// Signed credit of every token.
    credit: Vec<f64>,
    /// As the step found it.
    gate: Gate,
    /// Kinds of messages in the episode.
    kinds: BTreeSet<Kind>,
}

/// What `episode` was given in its step, or would have been in another mode; `None` for one that is of no step.
pub(super) fn credit(run: &Path, episode: &Episode, mode: Mode) -> Result<Option<Given>, Exit> {
    let Some(step) = episodes::step_of(&episode.batch) else { return Ok(None) };
    let options = CreditOptions { mode, ..CreditOptions::default() };
    let refused = |batch: &str, why: String| {
        Exit::bad_configuration(format!(
            "{}: {batch}: {why}; restore the file from a copy",
            run.display()
        ))
    };
    let mut gate = Gate::default();
    for earlier in step.saturating_sub(REMEMBERED).max(1)..step {
        let name = episodes::step_name(earlier);
        let batch = read(&episodes::batch(run, &name)?).map_err(|why| refused(&name, why))?;
        gate.observe(&batch, &options).map_err(|error| refused(&name, error.to_string()))?;
    }
    let rows = episodes::batch(run, &episode.batch)?;
    let refused = |why: String| refused(&episode.batch, why);
    let batch = read(&rows).map_err(refused)?;
    let all = token_advantages(&batch, &options, &gate).map_err(|e| refused(e.to_string()))?;
    let place = rows.iter().position(|row| row == episode);
    let found = place.and_then(|place| Some((all.into_iter().nth(place)?, batch.get(place)?)));
    Ok(found.map(|(credit, scored)| {
        let messages = scored.trajectory.messages.iter().filter(|message| message.policy);
        let kinds = messages.map(|message| message.kind).collect();
        Given { mode, advantage: scored.advantage, credit, gate, kinds }
    }))
}

fn read(rows: &[Episode]) -> Result<Vec<ScoredTrajectory>, String> {
    rows.iter().map(scored).collect()
}

impl Given {
    /// Credit as a share of the sample's advantage; 0 where there was none to share.
    pub(super) fn weights(&self) -> Vec<f64> {
        let share =
            |credit: &f64| if self.advantage == 0.0 { 0.0 } else { credit / self.advantage };
        self.credit.iter().map(share).collect()
    }

    /// What the weights rest on, beside the verdicts.
    pub(super) fn remark(&self) -> Option<String> {
        match self.mode {
            Mode::Off | Mode::Mask | Mode::Conserved => None,
            Mode::Dense => Some(format!("reward per verdict so far {:.3}", self.gate.slope())),
            Mode::Gated => {
                let options = CreditOptions::default();
                let trust =
                    |kind: &Kind| format!("{} {:.2}", kind.name(), self.gate.eta(*kind, &options));
                let trust: Vec<String> = self.kinds.iter().map(trust).collect();
                Some(format!("trust in the verdicts by then: {}", trust.join(", ")))
            }
        }
    }
}

#[cfg(test)]
#[path = "given_tests.rs"]
mod tests;
