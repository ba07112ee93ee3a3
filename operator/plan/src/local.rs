//! A job on one machine: its processes, their thread counts, and what follows when a process ends.

mod ending;
mod failures;
mod supervisor;

use std::fmt;

use shoprl_contract::{Role, RunConfig};

pub use ending::Ending;
pub use supervisor::{Action, Event, Supervisor};

/// The machine that a job runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Cores that the job may use.
    pub cpus: usize,
}

/// Identifies a worker of a job: a process on a machine, or a pod on a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// Role of the worker.
    pub role: Role,
    /// Replica index within the role.
    pub index: u32,
}

impl ProcessId {
    /// The trainer. There is exactly one.
    pub const TRAINER: Self = Self { role: Role::Trainer, index: 0 };

    /// Name for files and pods: `rollout-1`.
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
    /// Which worker it runs.
    pub id: ProcessId,
    /// Number of threads in the process's thread pools.
    pub threads: usize,
}

/// The processes of a job, the trainer first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPlan {
    /// The processes in start order.
    pub processes: Vec<Process>,
}

/// Plans the processes of `config` on `machine`.
///
/// Trainer and rollouts take turns, because a step trains on the episodes that were just played. So each side gets all
/// cores. Simulators and reward workers need little. Thread counts never change the weights.
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
