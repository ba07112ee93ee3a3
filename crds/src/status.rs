//! `status`: what the operator decided, applied and observed. Only the operator writes it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Deserializer, Serialize};

/// Observed state of the job. Only the operator writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ShopRLJobStatus {
    /// Generation of the spec that this status describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Summary of the conditions for people. New values may be added, so programs should read the conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Conditions of the types Accepted, Placed, RolesReady, Suspended, Complete and Failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What the operator decided. It is written before the operator acts on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// Digest of the NetworkPolicy and the PodDisruptionBudget that were applied last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<String>,
    /// Desired incarnation of the trainer. It starts from the newest checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// Progress of the training, as the trainer reported it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Desired and ready workers of each role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub roles: Vec<RoleStatus>,
    /// Number of live rollout pods, for `kubectl scale`.
    #[serde(skip_serializing_if = "is_zero")]
    pub rollouts: i32,
    /// Label selector of the rollout pods, for `kubectl scale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Number of replaced pods, for any reason.
    #[serde(skip_serializing_if = "is_zero")]
    pub restarts: i32,
    /// Why pods were replaced.
    #[serde(skip_serializing_if = "Failures::is_none")]
    pub failures: Failures,
}

/// What the operator decided. Every pod is a function of this and of the spec.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Image of all pods. Fixed when the job is accepted.
    pub image: String,
    /// Whether the job is suspended. If so, no pod is desired now; `workers` lists the pods to create when it resumes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// Desired pod of each worker.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["worker"]))]
    pub workers: Vec<WorkerIntent>,
    /// Highest incarnation among the workers that were scaled away. A worker that returns gets a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<i32>,
}

/// Desired pod of one worker, named `JOB-WORKER-INCARNATION`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkerIntent {
    /// Role and replica index, for example `rollout-1`.
    pub worker: String,
    /// 1 for the worker's first pod, one more for each replacement.
    pub incarnation: i32,
    /// Earliest time to create the pod, after a back-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
}

/// Progress of the training, as the trainer reported it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// What the trainer does.
    /// starting: loads the newest checkpoint, or waits for its first worker.
    /// warmup: supervised learning from demonstrations.
    /// training: reinforcement learning.
    /// evaluating: evaluation after the warm-up or at the end.
    /// finished: all steps are done.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "known_phase")]
    #[schemars(with = "TrainerPhase")]
    pub phase: Option<TrainerPhase>,
    /// Completed steps of reinforcement learning.
    pub step: i64,
    /// Steps of reinforcement learning in the spec.
    pub target_steps: i64,
    /// Completed and target steps for the printed table, for example `41/60`.
    pub steps: String,
    /// Version of the weights.
    pub weights_version: i64,
    /// Newest success rate, from 0 to 1 with two decimals. Absent before the first measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<String>,
    /// What the trainer waits for. Absent while it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// When the trainer reported this. Not updated while the other fields stay the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// The phase of a trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TrainerPhase {
    /// Loads the newest checkpoint, or waits for its first worker.
    Starting,
    /// Supervised learning from demonstrations.
    Warmup,
    /// Reinforcement learning.
    Training,
    /// Evaluation after the warm-up or at the end.
    Evaluating,
    /// All steps are done.
    Finished,
}

/// Reads a phase; an unknown text reads as absent. Earlier operators wrote other texts, and one of them must not make the
/// whole job unreadable.
fn known_phase<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<TrainerPhase>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let phase = |text: String| -> Result<TrainerPhase, value::Error> {
        TrainerPhase::deserialize(text.into_deserializer())
    };
    Ok(text.and_then(|text| phase(text).ok()))
}

/// Desired and ready workers of one role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleStatus {
    /// simulator, rollout, reward or trainer.
    pub name: String,
    /// Number of workers in the spec.
    pub desired: i32,
    /// Number of ready workers.
    pub ready: i32,
    /// Nodes of the workers: the first 16 by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub nodes: Vec<String>,
}

/// Why pods were replaced.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Failures {
    /// Number of failures by a worker's own fault. They count against the restart budget.
    #[serde(skip_serializing_if = "is_zero")]
    pub application: i32,
    /// Number of workers ended from outside: evicted, deleted, or lost with their node. They have no budget.
    #[serde(skip_serializing_if = "is_zero")]
    pub disruption: i32,
    /// Times of the failures within the window of the restart budget.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub recent: Vec<Time>,
    /// The newest failure or disruption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Failure>,
}

impl Failures {
    /// Whether no pod was replaced yet.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How a pod that was replaced ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Role and replica index, for example `rollout-1`.
    pub worker: String,
    /// One word, for example OOMKilled, Evicted or Temporary.
    pub reason: String,
    /// The worker's termination message, or the kubelet's message.
    pub message: String,
    /// When the operator observed it.
    pub time: Time,
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Progress, TrainerPhase};

    #[test]
    fn an_unknown_phase_reads_as_absent() {
        let check = |phase: serde_json::Value, expected: Option<TrainerPhase>| {
            let read: Progress =
                serde_json::from_value(json!({"phase": phase, "step": 3})).unwrap();
            assert_eq!((read.phase, read.step), (expected, 3), "{phase}");
            let written = serde_json::to_value(&read).unwrap();
            assert_eq!(written.get("phase"), expected.is_some().then_some(&phase));
        };
        check(json!("starting"), Some(TrainerPhase::Starting));
        check(json!("evaluating"), Some(TrainerPhase::Evaluating));
        check(json!("warmupEvaluation"), None);
        check(json!(""), None);
        check(json!(null), None);
        assert_eq!(serde_json::from_value::<Progress>(json!({"step": 3})).unwrap().phase, None);
    }
}
