//! The controller: observes jobs and their pods, applies plans, reports in the status.
//!
//! `shoprl_plan::cluster` decides without IO; this crate reads and writes. `apply` is the only module that writes the objects
//! of a job, `report` the only one that writes its status. The clock, the client and the source of progress are parameters,
//! so a simulation runs the same code.

mod admin;
#[expect(clippy::disallowed_methods, reason = "writes the objects of a job")]
mod apply;
mod closed;
mod connection;
#[expect(
    clippy::disallowed_methods,
    reason = "the system's clock is the default; the simulation hands in another"
)]
mod context;
mod controller;
mod error;
#[expect(clippy::disallowed_methods, reason = "writes Events")]
pub mod events;
mod job;
mod key;
#[expect(clippy::disallowed_methods, reason = "writes the Lease, by the clock of the runtime")]
pub mod lease;
pub mod metrics;
mod nodes;
mod observe;
mod permits;
mod pods;
mod process;
#[expect(
    clippy::disallowed_methods,
    reason = "dates an answer of the trainer, outside of the simulation"
)]
mod progress;
mod rate_limit;
#[expect(clippy::disallowed_methods, reason = "measures its own duration")]
mod reconcile;
#[expect(clippy::disallowed_methods, reason = "writes the status")]
mod report;
mod requests;
pub mod rights;
mod written;

pub use connection::connection;
pub use context::Context;
pub use error::Error;
pub use job::{Job, Unreadable};
pub use key::OperatorKey;
pub use metrics::Metrics;
pub use permits::Permits;
pub use pods::Pods;
pub use process::Operator;
pub use progress::{AskTrainer, Dial};
pub use rate_limit::RateLimit;
pub use reconcile::reconcile;
pub use requests::{Checked, NoRight, client};
pub use written::Written;
