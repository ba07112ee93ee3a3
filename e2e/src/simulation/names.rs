//! Names of the simulated job.

pub(super) const NAMESPACE: &str = "shop";
pub(super) const JOB: &str = "job";
