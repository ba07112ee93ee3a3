//! Message-wise credit: from a sample's advantage to the advantages of its tokens.
//!
//! A scorer judges every token. A trigger with a dead band turns scores into labels of ±1. Runs of
//! equal labels inside a message are segments, and segments decide how much of the sample's
//! advantage each token gets. The steps are
//!
//! ```text
//! scores -> labels -> segments -> weights -> Â = w A      (mask, conserved, gated)
//! scores -> potential -> rewards per message -> Â         (dense)
//! ```
//!
//! Three sources, marked in `docs/concepts/credit.md` with formulas and measurements: \[paper\] is
//! Adaptive Message-wise RLHF (arXiv 2411.00809), as far as its abstracts state it; \[sister\] is the
//! public code and figure of overlapping authors (arXiv 2502.11555); \[ours\] is everything else. The
//! mask is \[paper\] and \[sister\]; the modes conserved, gated and dense are \[ours\].
//!
//! All functions are pure. Sums over a batch do not depend on the batch's order, so shuffling a
//! batch permutes the results and changes no bit of them.

mod assign;
mod dense;
mod error;
mod explain;
mod gate;
mod labels;
mod moments;
mod options;
mod reading;
mod segments;
mod telemetry;
#[cfg(test)]
mod tests;
mod trajectory;
mod weights;

pub use assign::token_advantages;
pub use error::CreditError;
pub use explain::{ExplainInput, ExplainedSegment, Explanation, Tokens, explain};
pub use gate::Gate;
pub use options::{CreditOptions, Mode, Normalization, ScoreKind};
pub use telemetry::{KindTelemetry, Telemetry};
pub use trajectory::{Kind, Message, ScoredTrajectory, Trajectory};
