//! A model cluster in virtual time, in which the operator's real reconcile runs.
//!
//! Not to be confused with the crate `shoprl-simulator`, which simulates shops.
//!
//! The seed of a run decides the order of events and all faults. Invariants are checked after every write. When the faults
//! end, the job must reach its goal, and from then on the operator must write nothing. docs/runbooks/simulation.md explains
//! how to replay a seed.

pub mod api;
mod bug;
mod campaign;
mod chaos;
mod fault;
mod informer;
mod invariants;
mod kubelet;
mod lineage;
mod names;
mod process;
mod random;
pub mod recording;
mod requeue;
mod run;
mod trace;
mod transport;
mod world;

pub use bug::Bug;
pub use campaign::{Campaign, campaign, hunt};
pub use fault::{Coverage, Fault};
pub use random::Random;
pub use run::{Outcome, run};

/// The command that replays a seed.
pub fn replay_command(seed: u64) -> String {
    format!("cargo run --release -p shoprl-e2e --bin simulate -- --seed {seed}")
}
