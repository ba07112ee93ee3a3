//! The controller: observes jobs and their pods, applies what the plan says, reports the truth.
//!
//! Pure decisions are in `shoprl_plan::cluster`; here is what reads and writes. `apply` is the only module that
//! writes children, `reconcile` the only one that writes a status. Clock, client and the trainer's answers are
//! handed in, so a simulation drives the same code.

mod apply;
pub mod controller;
mod key;
mod nodes;
mod progress;
mod reconcile;

pub use controller::{Context, Settings};
pub use key::OperatorKey;
pub use progress::{AskTrainer, Dial};
pub use reconcile::{Error, Written, reconcile};
