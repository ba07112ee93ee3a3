//! The objects that the pods of a job need: Service, ConfigMap, Secret and volume claim.

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

/// Key in the ConfigMap and name of the mounted file.
pub(super) const CONFIG: &str = "run.json";
/// Key in the Secret and name of the mounted file.
pub(super) const TOKEN: &str = "token";

/// The objects that the pods of an attempt need.
#[derive(Debug, Clone)]
pub struct Children {
    /// Resolves to the trainer of the attempt. Created once; each later attempt changes its selector.
    pub service: Service,
    /// The RunConfig. Created once.
    pub config: ConfigMap,
    /// The job's token. Created once.
    pub token: Secret,
    /// The volume of the run folder. Created once. `None` if the manifest names an existing claim.
    pub store: Option<PersistentVolumeClaim>,
}

/// Name of the Service.
pub(super) fn service_name(job: &str) -> String {
    format!("{job}-trainer")
}

/// Name of the ConfigMap. It contains part of the job's UID, so that the ConfigMap of a deleted job of the same name,
/// not yet garbage-collected, is never mistaken for this job's.
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

/// The objects that the pods of `attempt` need.
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

/// Metadata of an object that is garbage-collected with the job.
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
        // Headless: ClusterIPs are scarce and slow to allocate. Unready addresses are published, so that DNS resolves as
        // soon as the trainer's pod has an IP; negative answers would be cached for some seconds.
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
        // Without an owner the claim, and with it the trained weights, outlives the job.
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
