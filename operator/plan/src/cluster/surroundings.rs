//! What surrounds the pods of a job: who may reach them, and how many rollouts an eviction must leave.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shoprl_contract::Role;

use super::children::{metadata, named_by_id};
use super::{
    GENERATION_ANNOTATION, JOB_LABEL, JobFacts, METRICS_PORT, ROLE_LABEL, SIMULATOR_PORT,
    TRAINER_PORT,
};

/// Where names are resolved.
const DNS_PORT: i32 = 53;
/// Namespaces carry their name as this label.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// The operator's own pods, which ask the trainers how far they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorPods {
    /// Their namespace.
    pub namespace: String,
    /// Labels that only they have there.
    pub labels: BTreeMap<String, String>,
}

/// What surrounds the pods of a job.
#[derive(Debug, Clone, Serialize)]
pub struct Surroundings {
    /// Who may reach whom.
    pub policy: NetworkPolicy,
    /// How many rollouts an eviction must leave: one fewer than there are, so that a drain takes one after the other. It is
    /// there for a single rollout too, and leaves none then: what was deleted, an operator with an old view could make again.
    pub budget: PodDisruptionBudget,
}

impl Surroundings {
    /// Tells one state from another.
    pub(super) fn digest(&self) -> String {
        let json =
            serde_json::to_vec(self).expect("plain structs with string keys always serialise");
        Sha256::digest(json).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same, saying which generation of the spec asked for it: an earlier one's never takes its place.
    pub(super) fn of_generation(mut self, generation: Option<i64>) -> Self {
        for metadata in [&mut self.policy.metadata, &mut self.budget.metadata] {
            metadata.annotations = generation
                .map(|it| BTreeMap::from([(GENERATION_ANNOTATION.to_owned(), it.to_string())]));
        }
        self
    }
}

/// The surroundings that the spec asks for. Their names carry the job's unique id: what is left of an earlier job of the
/// same name is not touched.
pub(super) fn surroundings(job: &JobFacts<'_>) -> Surroundings {
    Surroundings { policy: policy(job), budget: budget(job) }
}

fn policy(job: &JobFacts<'_>) -> NetworkPolicy {
    let ours =
        NetworkPolicyPeer { pod_selector: Some(of_job(job, None)), ..NetworkPolicyPeer::default() };
    let workers = vec![port(TRAINER_PORT, "TCP"), port(SIMULATOR_PORT, "TCP")];
    // Without knowing where the operator is the trainer's port is open to all; it asks everybody for the job's token.
    let operator = job.operator.map(|operator| {
        let namespace = BTreeMap::from([(NAMESPACE_LABEL.to_owned(), operator.namespace.clone())]);
        vec![NetworkPolicyPeer {
            namespace_selector: Some(matching(namespace)),
            pod_selector: Some(matching(operator.labels.clone())),
            ip_block: None,
        }]
    });
    let spec = NetworkPolicySpec {
        pod_selector: Some(of_job(job, None)),
        policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        ingress: Some(vec![
            NetworkPolicyIngressRule {
                from: Some(vec![ours.clone()]),
                ports: Some(workers.clone()),
            },
            NetworkPolicyIngressRule {
                from: operator,
                ports: Some(vec![port(TRAINER_PORT, "TCP")]),
            },
            // Who scrapes is not known here; there are numbers to read and nothing else.
            NetworkPolicyIngressRule { from: None, ports: Some(vec![port(METRICS_PORT, "TCP")]) },
        ]),
        egress: Some(vec![
            NetworkPolicyEgressRule { to: Some(vec![ours]), ports: Some(workers) },
            NetworkPolicyEgressRule {
                to: None,
                ports: Some(vec![port(DNS_PORT, "UDP"), port(DNS_PORT, "TCP")]),
            },
        ]),
    };
    NetworkPolicy { metadata: named(job, "workers"), spec: Some(spec) }
}

fn budget(job: &JobFacts<'_>) -> PodDisruptionBudget {
    let least = job.validated.roles.rollout.replicas.saturating_sub(1);
    let least = i32::try_from(least).unwrap_or(i32::MAX);
    let spec = PodDisruptionBudgetSpec {
        // A number and no share: the owner of these pods has no scale that the controller knows.
        min_available: Some(IntOrString::Int(least)),
        selector: Some(of_job(job, Some(Role::Rollout))),
        // One that is not ready plays nothing; it shall not hold up a drain.
        unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
        ..PodDisruptionBudgetSpec::default()
    };
    PodDisruptionBudget { metadata: named(job, "rollouts"), spec: Some(spec), status: None }
}

fn named(job: &JobFacts<'_>, what: &str) -> ObjectMeta {
    metadata(job, named_by_id(job, what))
}

fn of_job(job: &JobFacts<'_>, role: Option<Role>) -> LabelSelector {
    let mut labels = BTreeMap::from([(JOB_LABEL.to_owned(), job.validated.name.clone())]);
    labels.extend(role.map(|role| (ROLE_LABEL.to_owned(), role.name().to_owned())));
    matching(labels)
}

fn matching(labels: BTreeMap<String, String>) -> LabelSelector {
    LabelSelector { match_labels: Some(labels), match_expressions: None }
}

fn port(port: i32, protocol: &str) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(port)),
        protocol: Some(protocol.to_owned()),
        end_port: None,
    }
}
