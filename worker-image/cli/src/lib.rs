//! The program `shoprl`: one subcommand per file.
//!
//! | module | subcommand |
//! |---|---|
//! | [`run`] | trains on this machine, restarts what dies |
//! | [`plan`] | shows what `run` would start, and the manifest with every default |
//! | [`validate`] | checks manifests |
//! | [`trajectories`] | episodes of a run as conversations |
//! | [`credit`] | how an episode's reward is shared among its messages |
//! | [`catalog`] | builds, shows, searches and verifies the catalog of a large shop |
//! | [`environment`] | serves the shop to other programs |
//! | [`report`] | writes a run's report again |
//! | [`worker`] | one worker; what `run` and the image start |
//!
//! Exit codes are those of [`shoprl_contract::ExitReason`]: 0 done, 64 bad configuration or command
//! line, 75 may work next time, 143 asked to stop and a checkpoint was written.

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

pub use arguments::main;
