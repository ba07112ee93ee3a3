//! What a checkpoint carries beside weights and optimiser: enough to go on to the same bytes.

use serde::{Deserialize, Serialize};
use shoprl_contract::TrainerPhase;
use shoprl_contract::run_folder::PhaseBudget;
use shoprl_rl::credit::Gate;
use shoprl_rl::ledger::Ledger;

/// Where a job stands. Every field changes only between two optimiser updates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JobState {
    /// What is done next.
    pub(super) phase: Phase,
    /// Optimiser updates so far; also the version of the weights.
    pub(super) updates: u64,
    /// Warm-up steps taken.
    pub(super) warmup_step: u64,
    /// Warm-up tokens trained.
    pub(super) warmup_tokens: u64,
    /// Demonstrations consumed.
    pub(super) demonstrations: u64,
    /// Steps of reinforcement learning taken.
    pub(super) step: u64,
    /// First group index that is not used yet.
    pub(super) next_group: u64,
    /// Chain of the samples of every step.
    pub(super) ledger: Ledger,
    /// How far each kind of message is trusted, from previous batches.
    pub(super) gate: Gate,
    /// Rows written so far; later ones are of a past that did not happen.
    pub(super) journal: JournalLengths,
    /// Time and tokens by phase.
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

/// Bytes of the journal's files at a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JournalLengths {
    /// Of metrics.jsonl.
    pub(super) metrics: u64,
    /// Of evaluations.jsonl.
    pub(super) evaluations: u64,
}

impl JobState {
    /// A job that did nothing yet.
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

    /// Number of a checkpoint taken now: it grows with every update and with every phase.
    pub(super) fn tick(&self) -> u64 {
        self.updates + self.phase as u64
    }

    /// Adds time and tokens to a phase's account.
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
