//! The credit that a step of a run gave to an episode, recomputed from the recorded episodes of that step and of the
//! steps before it, which determine the gate.

use std::collections::BTreeSet;
use std::path::Path;

use shoprl_contract::Exit;
use shoprl_contract::run_folder::Episode;
use shoprl_rl::credit::{CreditOptions, Gate, Kind, Mode, ScoredTrajectory, token_advantages};

use super::scored::scored;
use crate::episodes;

/// Steps that are read for the gate. Its sums decay by a tenth per step, so older steps weigh less than 1e-18.
const GATE_STEPS: u64 = 400;

/// The credit of one episode.
pub(super) struct Given {
    mode: Mode,
    advantage: f64,
    /// Signed credit of each token.
    credit: Vec<f64>,
    /// The gate before the step.
    gate: Gate,
    /// Kinds of messages in the episode.
    kinds: BTreeSet<Kind>,
}

/// The credit of `episode` in its step, or what it would have been in another `mode`; `None` for an episode of an evaluation.
pub(super) fn credit(run: &Path, episode: &Episode, mode: Mode) -> Result<Option<Given>, Exit> {
    let Some(step) = episodes::step_of(&episode.batch) else { return Ok(None) };
    let options = CreditOptions { mode, ..CreditOptions::default() };
    let refused = |batch: &str, why: String| {
        Exit::bad_configuration(format!(
            "{}: {batch}: {why}; restore the file from a backup",
            run.display()
        ))
    };
    let mut gate = Gate::default();
    for earlier in step.saturating_sub(GATE_STEPS).max(1)..step {
        let name = episodes::step_name(earlier);
        let batch = read(&episodes::batch(run, &name)?).map_err(|why| refused(&name, why))?;
        gate.observe(&batch, &options).map_err(|error| refused(&name, error.to_string()))?;
    }
    let rows = episodes::batch(run, &episode.batch)?;
    let refused = |why: String| refused(&episode.batch, why);
    let batch = read(&rows).map_err(refused)?;
    let all =
        token_advantages(&batch, &options, &gate).map_err(|error| refused(error.to_string()))?;
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
    /// Credit divided by the sample's advantage; 0 if the advantage is 0.
    pub(super) fn weights(&self) -> Vec<f64> {
        let share =
            |credit: &f64| if self.advantage == 0.0 { 0.0 } else { credit / self.advantage };
        self.credit.iter().map(share).collect()
    }

    /// Learned quantities that the weights depend on in addition to the verdicts.
    pub(super) fn remark(&self) -> Option<String> {
        match self.mode {
            Mode::Off | Mode::Mask | Mode::Conserved => None,
            Mode::Dense => {
                Some(format!("reward per verdict before this step: {:.3}", self.gate.slope()))
            }
            Mode::Gated => {
                let options = CreditOptions::default();
                let trust =
                    |kind: &Kind| format!("{} {:.2}", kind.name(), self.gate.eta(*kind, &options));
                let trust: Vec<String> = self.kinds.iter().map(trust).collect();
                Some(format!("trust in the verdicts before this step: {}", trust.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests;
