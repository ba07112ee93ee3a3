//! The surroundings of a job's pods: a NetworkPolicy and a PodDisruptionBudget for rollouts.

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

/// Port of the cluster's DNS.
const DNS_PORT: i32 = 53;
/// Label with which every namespace carries its name.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// The operator's own pods. They call `GetProgress` of the trainers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorPods {
    /// Namespace of the operator.
    pub namespace: String,
    /// Labels that select the operator's pods in that namespace.
    pub labels: BTreeMap<String, String>,
}

/// The surroundings of a job's pods.
#[derive(Debug, Clone, Serialize)]
pub struct Surroundings {
    /// Allowed connections from and to the pods.
    pub policy: NetworkPolicy,
    /// Rollouts that an eviction must leave: all but one, so that a drain evicts one after the other. With a single rollout
    /// the object stays and requires 0: a deleted object could be recreated by an operator with a stale cache.
    pub budget: PodDisruptionBudget,
}

impl Surroundings {
    /// Digest of the content, for `status.applied`.
    pub(super) fn digest(&self) -> String {
        let json =
            serde_json::to_vec(self).expect("plain structs with string keys always serialise");
        base16ct::lower::encode_string(&Sha256::digest(json)[..8])
    }

    /// Adds the generation of the spec, so that surroundings of an earlier generation never replace these.
    pub(super) fn of_generation(mut self, generation: Option<i64>) -> Self {
        for metadata in [&mut self.policy.metadata, &mut self.budget.metadata] {
            metadata.annotations = generation
                .map(|it| BTreeMap::from([(GENERATION_ANNOTATION.to_owned(), it.to_string())]));
        }
        self
    }
}

/// The desired surroundings. Their names contain part of the job's UID, so that objects left over from a deleted job of
/// the same name are not touched.
pub(super) fn surroundings(job: &JobFacts<'_>) -> Surroundings {
    Surroundings { policy: policy(job), budget: budget(job) }
}

fn policy(job: &JobFacts<'_>) -> NetworkPolicy {
    let ours =
        NetworkPolicyPeer { pod_selector: Some(of_job(job, None)), ..NetworkPolicyPeer::default() };
    let workers = vec![port(TRAINER_PORT, "TCP"), port(SIMULATOR_PORT, "TCP")];
    // If the operator's pods are unknown, the trainer's port is open to all pods; the trainer requires the job's token.
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
            // The scraper's pods are unknown here. The port serves only metrics.
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
        // A number, not a percentage: the disruption controller knows no scale of these pods' owner.
        min_available: Some(IntOrString::Int(least)),
        selector: Some(of_job(job, Some(Role::Rollout))),
        // A rollout that is not ready plays no episodes and must not delay a drain.
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
