//! The controller: observes jobs and their pods, applies what the plan says, reports the truth.
//!
//! Pure decisions are in `shoprl_plan::cluster`; here is what reads and writes. `apply` is the only module that
//! writes children, `reconcile` the only one that writes a status. Clock, client and the trainer's answers are
//! handed in, so a simulation drives the same code.

mod admin;
#[expect(clippy::disallowed_methods, reason = "writes the objects of a job")]
mod apply;
mod connection;
#[expect(
    clippy::disallowed_methods,
    reason = "the system's clock is the default; the simulation hands in another"
)]
mod context;
pub mod controller;
#[expect(clippy::disallowed_methods, reason = "writes Events")]
pub mod events;
mod job;
mod key;
#[expect(clippy::disallowed_methods, reason = "writes the Lease, by the clock of the runtime")]
pub mod lease;
pub mod metrics;
mod nodes;
mod pace;
mod pods;
mod process;
#[expect(
    clippy::disallowed_methods,
    reason = "dates an answer of the trainer, outside of the simulation"
)]
mod progress;
#[expect(clippy::disallowed_methods, reason = "writes the status, and measures its own duration")]
mod reconcile;
mod requests;
pub mod rights;
mod turns;
mod written;

pub use connection::connection;
pub use context::Context;
pub use job::{Job, Unreadable};
pub use key::OperatorKey;
pub use metrics::Metrics;
pub use pace::Pace;
pub use pods::Pods;
pub use process::Operator;
pub use progress::{AskTrainer, Dial};
pub use reconcile::{Error, reconcile};
pub use requests::{Checked, NoRight, client};
pub use turns::Turns;
pub use written::Written;
