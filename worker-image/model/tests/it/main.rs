//! Integration tests of the policy.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod engine;
mod fused;
mod kernel;
mod paths_agree;
mod reference;
