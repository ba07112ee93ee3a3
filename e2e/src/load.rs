//! Load tests: many jobs under the operator, compared with a bare creator of the same objects (docs/benchmarks/operator.md).
//!
//! All times and counts come from the API server's audit log; nothing is polled.

mod audit;
mod batch;
mod objects;
mod phases;
mod process;
mod table;

pub use audit::{Log, Write};
pub use batch::{Batch, Spread};
pub use phases::{Bare, Measured, Plan, bare, operator};
pub use table::markdown;

/// Pods of a job.
pub const PODS: usize = 8;
/// The user that submits jobs, and that creates all objects when there is no operator.
pub const GENERATOR: &str = "system:serviceaccount:load:generator";
/// The user of the operator.
pub const OPERATOR: &str = "system:serviceaccount:shoprl-system:shoprl-operator";
/// The user that plays the kubelets.
pub const NODES: &str = "kwok";
