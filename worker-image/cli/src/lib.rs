//! The program `shoprl`: one subcommand per file.
//!
//! | module | subcommand |
//! |---|---|
//! | [`run`] | trains on this machine and restarts failed workers |
//! | [`plan`] | prints the processes that `run` would start, and the manifest with all defaults |
//! | [`validate`] | checks manifests |
//! | [`trajectories`] | prints episodes of a run as conversations |
//! | [`credit`] | explains how an episode's reward is split over its messages |
//! | [`catalog`] | builds, prints, searches and verifies the catalog of a large shop |
//! | [`environment`] | serves the shop over gRPC |
//! | [`report`] | writes the report of a run again |
//! | [`worker`] | runs one worker; `run` and the image start it |
//!
//! Exit codes are those of [`shoprl_contract::ExitReason`]: 0 done, 64 bad configuration or command
//! line, 75 temporary (retry may succeed), 143 stopped on request with a checkpoint.

mod arguments;
pub mod catalog;
pub mod credit;
pub mod environment;
mod episodes;
mod failure;
mod log;
pub mod manifest;
mod output;
mod paint;
pub mod plan;
pub mod report;
pub mod run;
pub mod trajectories;
pub mod validate;
pub mod worker;
mod yaml;

pub use arguments::main;
