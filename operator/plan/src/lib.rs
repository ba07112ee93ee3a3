//! Pure planning: from a manifest and observations to the desired state. No IO, no clock, no randomness.
//!
//! `spec -> validate -> Validated -> lower -> RunConfig` is the same wherever a job runs.
//! [`local`] plans and supervises processes on one machine, [`cluster`] plans the pods of a Kubernetes cluster.

pub mod cluster;
mod continuation;
mod identity;
pub mod local;
mod lower;
pub mod placement;
mod quantity;
mod resources;
mod restart;
mod validate;

pub use continuation::{Difference, differences, may_change};
pub use identity::{job_uid, manifest_digest};
pub use lower::{lower, lower_as};
pub use restart::{RestartBudget, TRAINER_GRACE, WORKER_GRACE};
pub use validate::{CONTEXT, Invalid, MAX_ACTION_TOKENS, Validated, validate};
