//! What jobs cost the API server: a load of many jobs beside a bare creator of the same objects, and what the server's own
//! audit log says of both (docs/benchmarks/operator.md).
//!
//! Nothing is polled: every time is the API server's, every write is counted where it is recorded.

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
/// Who submits, and who creates without an operator.
pub const GENERATOR: &str = "system:serviceaccount:load:generator";
/// The operator.
pub const OPERATOR: &str = "system:serviceaccount:shoprl-system:shoprl-operator";
/// Who plays the kubelets.
pub const NODES: &str = "kwok";
