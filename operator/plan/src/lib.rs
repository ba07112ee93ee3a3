//! Pure planning: from what a user wrote to what shall be. No IO, no clock, no randomness.
//!
//! `spec -> validate -> Validated -> lower -> RunConfig`, the same for every place a job runs in;
//! [`local`] plans and supervises the processes of one machine, [`cluster`] the pods of a Kubernetes.

pub mod cluster;
mod continuation;
mod identity;
pub mod local;
mod lower;
pub mod placement;
mod quantity;
mod validate;

pub use continuation::{Difference, differences, may_change};
pub use identity::{job_uid, manifest_digest};
pub use lower::{CONTEXT, MAX_ACTION_TOKENS, lower, lower_as};
pub use validate::{Invalid, Validated, validate};
