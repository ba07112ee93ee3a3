//! The contract between the programs of a job: [`RunConfig`], the rows of the run folder, the exit contract and the gRPC
//! services of `shoprl.v1`.
//!
//! Without the feature `services` this crate holds types only, because planning needs no transport.

mod chain;
mod exit;
mod phase;
#[cfg(feature = "services")]
mod progress;
mod run_config;
pub mod run_folder;

pub use chain::error_chain;
pub use exit::{Exit, ExitReason, Outcome};
pub use phase::TrainerPhase;
#[cfg(feature = "services")]
pub use progress::{ProgressClient, ProgressClientError};
pub use run_config::*;

/// Messages and, with the feature `services`, clients and servers of the package `shoprl.v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated from proto/"
)]
pub mod v1 {
    include!("gen/shoprl.v1.rs");
}
