//! The real reconcile against a modelled cluster, in virtual time.
//!
//! A seed decides who moves next and what goes wrong. After every write the books are compared; at the end, when
//! nothing goes wrong any more, the job must get where it was to go and then cost nothing. docs/runbooks/simulation.md
//! tells how a seed is replayed.

pub mod api;
mod bug;
mod campaign;
mod chaos;
mod fault;
mod informer;
mod kubelet;
mod ledger;
mod lineage;
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

/// The command that shows what happens at a seed.
pub fn replay_command(seed: u64) -> String {
    format!("cargo run --release -p shoprl-e2e --bin simulate -- --seed {seed}")
}
