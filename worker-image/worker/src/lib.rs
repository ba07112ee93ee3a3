//! The roles of a job: simulator, rollout, reward and trainer, as [`run`] starts them.
//!
//! Everything dials the trainer and pulls: rollouts lease groups of episodes, reward workers lease
//! trajectories, simulators make their address known. A death breaks nothing but a lease.

mod auth;
pub mod checkpoint;
mod client;
pub mod environment;
mod link;
mod numerics;
mod options;
mod policy;
mod ready;
pub mod report;
mod reward;
mod rollout;
mod seal;
mod shop;
mod shutdown;
mod simulator;
mod task;
mod telemetry;
mod trainer;
pub mod voice;
mod worker;

pub use options::WorkerOptions;
pub use shoprl_model::device::DeviceChoice;
pub use worker::run;
