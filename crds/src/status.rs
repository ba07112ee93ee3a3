//! `status`: what the operator intends, applied and saw. Nobody else writes it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the job is going.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ShopRLJobStatus {
    /// The generation of the spec that the rest of the status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// A summary of the conditions for people; its values may grow, so program against the conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Accepted, Placed, RolesReady, Suspended, Complete, Failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What shall be. Written before anything is done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// Digest of the NetworkPolicy and the PodDisruptionBudget as they were applied last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<String>,
    /// The incarnation of the trainer that is wanted; it begins with the newest checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// How far the trainer is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The workers, by role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub roles: Vec<RoleStatus>,
    /// Rollout workers that are there, for `kubectl scale`.
    #[serde(skip_serializing_if = "is_zero")]
    pub rollouts: i32,
    /// Selects their pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Pods that were replaced, for whatever reason.
    #[serde(skip_serializing_if = "is_zero")]
    pub restarts: i32,
    /// Why they were.
    #[serde(skip_serializing_if = "Failures::is_none")]
    pub failures: Failures,
}

/// What shall be: every pod is a function of this and of the spec.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Image of every pod; fixed for the job's life when it is accepted.
    pub image: String,
    /// No pod is wanted now; those of the workers below are the next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// The wanted pod of every worker.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["worker"]))]
    pub workers: Vec<WorkerIntent>,
    /// The highest incarnation of a worker that an earlier scale took away: one that comes back begins beyond it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<i32>,
}

/// The wanted pod of one worker: `JOB-WORKER-INCARNATION`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkerIntent {
    /// Role and replica index, for example `rollout-1`.
    pub worker: String,
    /// 1 for its first pod, one more for every replacement.
    pub incarnation: i32,
    /// Not to be started before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
}

/// How far the trainer is, as it said itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// warmup, warmupEvaluation, training, finalEvaluation, finished.
    pub phase: String,
    /// Steps of reinforcement learning that were taken.
    pub step: i64,
    /// Steps to take.
    pub target_steps: i64,
    /// Both, for the printed table: `41/60`.
    pub steps: String,
    /// Version of the weights.
    pub weights_version: i64,
    /// Newest success rate, from 0 to 1 with two decimals; absent until there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<String>,
    /// What the trainer waits for, in words; absent while it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// When it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// The workers of one role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleStatus {
    /// simulator, rollout, reward or trainer.
    pub name: String,
    /// As many as the spec wants.
    pub desired: i32,
    /// As many as are ready.
    pub ready: i32,
    /// Nodes that they are on, the first 16 by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub nodes: Vec<String>,
}

/// Why pods were replaced.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Failures {
    /// Times that a worker failed by itself; these have a budget.
    #[serde(skip_serializing_if = "is_zero")]
    pub application: i32,
    /// Times that a worker was taken away: evicted, deleted, its node lost. These have none.
    #[serde(skip_serializing_if = "is_zero")]
    pub disruption: i32,
    /// When workers failed by themselves, within the budget's window.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub recent: Vec<Time>,
    /// The newest of both kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Failure>,
}

impl Failures {
    /// Whether there was none yet.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The end of one pod that was replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Role and replica index.
    pub worker: String,
    /// One word: OOMKilled, Evicted, Temporary and the like.
    pub reason: String,
    /// The worker's last words, or what the kubelet says.
    pub message: String,
    /// When the operator saw it.
    pub time: Time,
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}
