//! A job on one machine: which processes there are, how many threads each computes with, and what
//! happens when one of them ends.

mod budget;
mod ending;
mod supervisor;

use std::fmt;

use shoprl_contract::{Role, RunConfig};

pub use budget::RestartPolicy;
pub use ending::Ending;
pub use supervisor::{Action, Event, Supervisor};

/// The machine a job runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Cores that the job may use.
    pub cpus: usize,
}

/// Names a process of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// What it is.
    pub role: Role,
    /// Replica index within the role.
    pub index: u32,
}

impl ProcessId {
    /// The one controller.
    pub const TRAINER: Self = Self { role: Role::Trainer, index: 0 };

    /// The name of its files: `rollout-1`.
    pub fn slug(self) -> String {
        format!("{}-{}", self.role.name(), self.index)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role.name(), self.index)
    }
}

/// One process of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Which.
    pub id: ProcessId,
    /// Threads it computes with; every pool of the process derives from this number.
    pub threads: usize,
}

/// The processes of a job, the trainer first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPlan {
    /// In the order in which they are started.
    pub processes: Vec<Process>,
}

/// Plans the processes of `config` on `machine`.
///
/// Trainer and rollouts take turns (a step trains on what was just played), so each side gets the whole machine;
/// simulators and reward workers do little beside them. Thread counts never change the weights.
pub fn plan(config: &RunConfig, machine: Machine) -> LocalPlan {
    let roles = &config.roles;
    let rollout_threads = (machine.cpus / (roles.rollout.replicas as usize).max(1)).max(1);
    let sizes = [
        (Role::Trainer, 1, machine.cpus.max(1)),
        (Role::Simulator, roles.simulator.replicas, 1),
        (Role::Reward, roles.reward.replicas, 1),
        (Role::Rollout, roles.rollout.replicas, rollout_threads),
    ];
    let replicas = |(role, replicas, threads)| {
        (0..replicas).map(move |index| Process { id: ProcessId { role, index }, threads })
    };
    LocalPlan { processes: sizes.into_iter().flat_map(replicas).collect() }
}
