//! The job state in a checkpoint. With weights and optimiser it determines all further bytes.

use serde::{Deserialize, Serialize};
use shoprl_contract::TrainerPhase;
use shoprl_contract::run_folder::PhaseBudget;
use shoprl_rl::credit::Gate;
use shoprl_rl::ledger::Ledger;

/// Progress of a job. Every field changes only between two optimiser updates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JobState {
    /// Current phase.
    pub(super) phase: Phase,
    /// Completed optimiser updates; also the version of the weights.
    pub(super) updates: u64,
    /// Completed warm-up steps.
    pub(super) warmup_step: u64,
    /// Tokens trained on in the warm-up.
    pub(super) warmup_tokens: u64,
    /// Demonstrations trained on.
    pub(super) demonstrations: u64,
    /// Completed steps of reinforcement learning.
    pub(super) step: u64,
    /// First unused group index.
    pub(super) next_group: u64,
    /// Hash chain over the samples of every step.
    pub(super) ledger: Ledger,
    /// Trust in each kind of message, estimated from previous batches.
    pub(super) gate: Gate,
    /// Lengths of the journal's files; later rows are cut off when the job continues.
    pub(super) journal: JournalLengths,
    /// Time and tokens by activity.
    pub(super) budget: Vec<PhaseBudget>,
}

/// What a job does, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Phase {
    /// Supervised learning from demonstrations.
    Warmup,
    /// The comparison before reinforcement learning.
    WarmupEvaluation,
    /// Reinforcement learning.
    Training,
    /// The comparison at the end.
    FinalEvaluation,
    /// Nothing is left to do.
    Finished,
}

impl Phase {
    /// The phase that `GetProgress` reports.
    pub(super) fn reported(self) -> TrainerPhase {
        match self {
            Self::Warmup => TrainerPhase::Warmup,
            Self::WarmupEvaluation | Self::FinalEvaluation => TrainerPhase::Evaluating,
            Self::Training => TrainerPhase::Training,
            Self::Finished => TrainerPhase::Finished,
        }
    }

    /// Name of the reported phase.
    pub(super) fn name(self) -> &'static str {
        self.reported().name()
    }
}

/// Lengths of the journal's files at a checkpoint, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JournalLengths {
    /// Of metrics.jsonl.
    pub(super) metrics: u64,
    /// Of evaluations.jsonl.
    pub(super) evaluations: u64,
}

impl JobState {
    /// A new job.
    pub(super) fn new(gate: Gate) -> Self {
        Self {
            phase: Phase::Warmup,
            updates: 0,
            warmup_step: 0,
            warmup_tokens: 0,
            demonstrations: 0,
            step: 0,
            next_group: 0,
            ledger: Ledger::default(),
            gate,
            journal: JournalLengths::default(),
            budget: Vec::new(),
        }
    }

    /// Number of a checkpoint taken now. It grows with every update and with every phase.
    pub(super) fn tick(&self) -> u64 {
        self.updates + self.phase as u64
    }

    /// Adds time and tokens to an activity.
    pub(super) fn spend(&mut self, phase: &str, seconds: f64, tokens: u64) {
        match self.budget.iter_mut().find(|account| account.name == phase) {
            Some(account) => {
                account.seconds += seconds;
                account.tokens += tokens;
            }
            None => self.budget.push(PhaseBudget { name: phase.to_owned(), seconds, tokens }),
        }
    }
}
