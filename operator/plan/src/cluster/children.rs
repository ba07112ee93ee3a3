//! What the pods of a job need besides themselves.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{
    ConfigMap, PersistentVolumeClaim, PersistentVolumeClaimSpec, Secret, Service, ServicePort,
    ServiceSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use shoprl_contract::Role;

use super::{INCARNATION_LABEL, JOB_LABEL, JobFacts, ROLE_LABEL, TRAINER_PORT};
use crate::lower_as;
use crate::validate::Storage;

/// Key of the ConfigMap, and name of the file.
pub(super) const CONFIG: &str = "run.json";
/// Key of the Secret, and name of the file.
pub(super) const TOKEN: &str = "token";

/// What the pods of an attempt need.
#[derive(Debug, Clone)]
pub struct Children {
    /// Leads every worker to the trainer of the attempt; made once, and pointed at every later attempt.
    pub service: Service,
    /// The RunConfig; created once.
    pub config: ConfigMap,
    /// The job's token; created once.
    pub token: Secret,
    /// The run folder; created once. `None` when the manifest names a claim that is there.
    pub store: Option<PersistentVolumeClaim>,
}

/// Name of the Service.
pub(super) fn service_name(job: &str) -> String {
    format!("{job}-trainer")
}

/// Name of the ConfigMap. It carries the job's unique id: that of an earlier job of the same name, which the
/// garbage collector has not come to yet, is never taken for this one's.
pub(super) fn config_name(job: &JobFacts<'_>) -> String {
    named_by_id(job, "config")
}

/// Name of the Secret.
pub(super) fn token_name(job: &JobFacts<'_>) -> String {
    named_by_id(job, "token")
}

/// Name of the claim.
pub(super) fn store_name(job: &JobFacts<'_>) -> String {
    match &job.validated.store {
        Storage::Claim(_) => format!("{}-store", job.validated.name),
        Storage::Existing(name) => name.clone(),
    }
}

pub(super) fn named_by_id(job: &JobFacts<'_>, what: &str) -> String {
    let id: String = job.uid.chars().take(8).collect();
    format!("{}-{what}-{id}", job.validated.name)
}

/// What the pods of attempt `attempt` need.
pub fn children(job: &JobFacts<'_>, attempt: i32) -> Children {
    let name = &job.validated.name;
    let config = serde_json::to_string_pretty(&lower_as(job.validated, job.uid))
        .expect("plain structs with string keys always serialise");
    Children {
        service: service(name, attempt, metadata(job, service_name(name))),
        config: ConfigMap {
            metadata: metadata(job, config_name(job)),
            data: Some(BTreeMap::from([(CONFIG.to_owned(), config)])),
            immutable: Some(true),
            ..ConfigMap::default()
        },
        token: Secret {
            metadata: metadata(job, token_name(job)),
            data: Some(BTreeMap::from([(
                TOKEN.to_owned(),
                ByteString(job.token.as_bytes().to_vec()),
            )])),
            immutable: Some(true),
            ..Secret::default()
        },
        store: store(job),
    }
}

/// Metadata of what goes when the job goes.
pub(super) fn metadata(job: &JobFacts<'_>, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(job.namespace.to_owned()),
        labels: Some(BTreeMap::from([(JOB_LABEL.to_owned(), job.validated.name.clone())])),
        owner_references: Some(vec![job.owner.clone()]),
        ..ObjectMeta::default()
    }
}

fn service(job: &str, attempt: i32, metadata: ObjectMeta) -> Service {
    let selector = BTreeMap::from([
        (JOB_LABEL.to_owned(), job.to_owned()),
        (ROLE_LABEL.to_owned(), Role::Trainer.name().to_owned()),
        (INCARNATION_LABEL.to_owned(), attempt.to_string()),
    ]);
    let port = ServicePort {
        name: Some("grpc".to_owned()),
        port: TRAINER_PORT,
        target_port: Some(IntOrString::Int(TRAINER_PORT)),
        ..ServicePort::default()
    };
    let spec = ServiceSpec {
        selector: Some(selector),
        ports: Some(vec![port]),
        // No address of its own, of which a cluster has few and every node keeps a table, and which the API server gives out
        // one after the other: the name leads to the trainer's pod itself, from the moment that it has an address, so that
        // nobody is told for some seconds that there is no such name.
        cluster_ip: Some("None".to_owned()),
        publish_not_ready_addresses: Some(true),
        ..ServiceSpec::default()
    };
    Service { metadata, spec: Some(spec), ..Service::default() }
}

fn store(job: &JobFacts<'_>) -> Option<PersistentVolumeClaim> {
    let Storage::Claim(claim) = &job.validated.store else { return None };
    let mut metadata = metadata(job, store_name(job));
    if claim.retain {
        // Without an owner: what was learned outlives the job.
        metadata.owner_references = None;
    }
    let size = BTreeMap::from([("storage".to_owned(), claim.size.clone())]);
    let spec = PersistentVolumeClaimSpec {
        access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
        storage_class_name: claim.storage_class_name.clone(),
        resources: Some(VolumeResourceRequirements { requests: Some(size), limits: None }),
        ..PersistentVolumeClaimSpec::default()
    };
    Some(PersistentVolumeClaim { metadata, spec: Some(spec), ..PersistentVolumeClaim::default() })
}
