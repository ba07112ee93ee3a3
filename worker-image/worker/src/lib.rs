//! The roles of a job: simulator, rollout, reward and trainer. [`run`] starts one of them.
//!
//! All workers connect to the trainer and pull work: rollouts lease groups of episodes, reward workers lease trajectories,
//! simulators register their address. When a worker dies, only its leases are lost, and they are handed out again.

mod auth;
pub mod checkpoint;
mod client;
pub mod environment;
mod link;
mod listener;
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
