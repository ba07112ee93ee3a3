//! Message-wise credit: from a sample's advantage to the advantages of its tokens.
//!
//! A scorer judges every token. Scores become labels of ±1 by a trigger with a dead band, labels
//! become segments inside messages, and segments decide how much of the sample's advantage each
//! token gets. Trajectories go through
//!
//! ```text
//! scores -> labels -> segments -> weights -> Â = w A      (mask, conserved, gated)
//! scores -> potential -> rewards per message -> Â         (dense)
//! ```
//!
//! The mask follows Adaptive Message-wise RLHF (arXiv 2411.00809) as far as it can be established
//! from its authors' public figure and sister code; the other modes are ours.
//! `docs/concepts/credit.md` tells which is which, with formulas and measurements.
//!
//! All functions are pure. Sums over a batch are taken in an order that the batch's order cannot
//! change, so shuffling a batch permutes the results and alters no bit of them.

mod assign;
mod dense;
mod error;
mod explain;
mod gate;
#[cfg(test)]
mod invariants;
mod labels;
mod moments;
mod options;
mod reading;
mod segments;
mod telemetry;
mod trajectory;
mod weights;

pub use assign::token_advantages;
pub use error::CreditError;
pub use explain::{ExplainInput, ExplainedSegment, Explanation, Tokens, explain};
pub use gate::Gate;
pub use options::{CreditOptions, Mode, Normalization, ScoreKind};
pub use telemetry::{KindTelemetry, Telemetry};
pub use trajectory::{Kind, Message, ScoredTrajectory, Trajectory};
