//! What the pods of a job need besides themselves.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{
    ConfigMap, PersistentVolumeClaim, PersistentVolumeClaimSpec, Secret, Service, ServicePort,
    ServiceSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use shoprl_contract::Role;

use super::{INCARNATION_LABEL, JOB_LABEL, JobFacts, ROLE_LABEL, TRAINER_PORT};
use crate::lower_as;

/// Size of the claim for the run folder: a quickstart leaves some 60 MB.
const STORE_SIZE: &str = "1Gi";
/// Key of the ConfigMap, and name of the file.
pub(super) const CONFIG: &str = "run.json";
/// Key of the Secret, and name of the file.
pub(super) const TOKEN: &str = "token";

/// What the pods of an attempt need.
#[derive(Debug, Clone)]
pub struct Children {
    /// Leads every worker to the trainer of the attempt; applied at every attempt.
    pub service: Service,
    /// The RunConfig; created once.
    pub config: ConfigMap,
    /// The job's token; created once.
    pub token: Secret,
    /// The run folder; created once, and kept when the job goes.
    pub store: PersistentVolumeClaim,
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
pub(super) fn store_name(job: &str) -> String {
    format!("{job}-store")
}

fn named_by_id(job: &JobFacts<'_>, what: &str) -> String {
    let id: String = job.uid.chars().take(8).collect();
    format!("{}-{what}-{id}", job.validated.name)
}

/// What the pods of attempt `attempt` need.
pub fn children(job: &JobFacts<'_>, attempt: i32) -> Children {
    let name = &job.validated.name;
    let labels = BTreeMap::from([(JOB_LABEL.to_owned(), name.clone())]);
    let metadata = |name: String| ObjectMeta {
        name: Some(name),
        namespace: Some(job.namespace.to_owned()),
        labels: Some(labels.clone()),
        owner_references: Some(vec![job.owner.clone()]),
        ..ObjectMeta::default()
    };
    let config = serde_json::to_string_pretty(&lower_as(job.validated, job.uid))
        .expect("plain structs with string keys always serialise");
    Children {
        service: service(name, attempt, metadata(service_name(name))),
        config: ConfigMap {
            metadata: metadata(config_name(job)),
            data: Some(BTreeMap::from([(CONFIG.to_owned(), config)])),
            immutable: Some(true),
            ..ConfigMap::default()
        },
        token: Secret {
            metadata: metadata(token_name(job)),
            data: Some(BTreeMap::from([(
                TOKEN.to_owned(),
                ByteString(job.token.as_bytes().to_vec()),
            )])),
            immutable: Some(true),
            ..Secret::default()
        },
        // Without an owner: what was learned outlives the job.
        store: store(ObjectMeta { owner_references: None, ..metadata(store_name(name)) }),
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
    let spec =
        ServiceSpec { selector: Some(selector), ports: Some(vec![port]), ..ServiceSpec::default() };
    Service { metadata, spec: Some(spec), ..Service::default() }
}

fn store(metadata: ObjectMeta) -> PersistentVolumeClaim {
    let size = BTreeMap::from([("storage".to_owned(), Quantity(STORE_SIZE.to_owned()))]);
    let spec = PersistentVolumeClaimSpec {
        access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
        resources: Some(VolumeResourceRequirements { requests: Some(size), limits: None }),
        ..PersistentVolumeClaimSpec::default()
    };
    PersistentVolumeClaim { metadata, spec: Some(spec), ..PersistentVolumeClaim::default() }
}
