//! A worker's pod, under the *restricted* Pod Security profile.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, ContainerPort, EnvVar, EnvVarSource,
    ObjectFieldSelector, PersistentVolumeClaimVolumeSource, Pod, PodSecurityContext, PodSpec,
    Probe, SeccompProfile, SecretVolumeSource, SecurityContext, TCPSocketAction,
    TopologySpreadConstraint, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use shoprl_contract::Role;
use shoprl_crds::overlay::OWN_VARIABLE;
use shoprl_crds::{PodOverlay, WorkerIntent};

use super::children::{CONFIG, TOKEN, config_name, service_name, store_name, token_name};
use super::ending::WORKER_CONTAINER;
use super::workers::pod_name;
use super::{
    GENERATION_ANNOTATION, INCARNATION_LABEL, INDEX_LABEL, JOB_LABEL, JobFacts, METRICS_PORT,
    READY_PORT, ROLE_LABEL, SIMULATOR_PORT, TRAINER_PORT,
};
use crate::local::ProcessId;
use crate::resources::{resources, threads};
use crate::restart::{TRAINER_GRACE, WORKER_GRACE};

/// User and group id in the worker image.
const USER: i64 = 65532;
const CONFIG_FOLDER: &str = "/etc/shoprl/job";
const TOKEN_FOLDER: &str = "/etc/shoprl/token";
const STORE_FOLDER: &str = "/store";
const TERMINATION_FILE: &str = "/dev/termination-log";

/// The desired pod of `worker`, with the role's overlay. Validation ensures that the overlay sets none of the operator's
/// own labels, annotations and variables.
pub(super) fn pod(job: &JobFacts<'_>, image: &str, id: ProcessId, worker: &WorkerIntent) -> Pod {
    let overlay = job.validated.overlay(id.role);
    let mut labels = overlay.labels.clone();
    labels.extend([
        (JOB_LABEL.to_owned(), job.validated.name.clone()),
        (ROLE_LABEL.to_owned(), id.role.name().to_owned()),
        (INDEX_LABEL.to_owned(), id.index.to_string()),
        (INCARNATION_LABEL.to_owned(), worker.incarnation.to_string()),
    ]);
    let mut annotations = overlay.annotations.clone();
    let generation = job.generation.map(|it| (GENERATION_ANNOTATION.to_owned(), it.to_string()));
    annotations.extend(generation);
    let metadata = ObjectMeta {
        name: Some(pod_name(&job.validated.name, worker)),
        namespace: Some(job.namespace.to_owned()),
        labels: Some(labels),
        annotations: non_empty_map(&annotations),
        owner_references: Some(vec![job.owner.clone()]),
        ..ObjectMeta::default()
    };
    let is_trainer = id.role == Role::Trainer;
    let grace = if is_trainer { TRAINER_GRACE } else { WORKER_GRACE };
    let spec = PodSpec {
        restart_policy: Some("Never".to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: i64::try_from(grace.as_secs()).ok(),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            fs_group: Some(USER),
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        image_pull_secrets: non_empty_list(&job.validated.pull_secrets),
        containers: vec![container(job, image, id, overlay)],
        volumes: Some(volumes(job, is_trainer)),
        node_selector: non_empty_map(&overlay.node_selector),
        tolerations: non_empty_list(&overlay.tolerations),
        affinity: overlay.affinity.clone(),
        topology_spread_constraints: Some(vec![spread(job, id.role)]),
        priority_class_name: overlay.priority_class_name.clone(),
        scheduler_name: overlay.scheduler_name.clone(),
        runtime_class_name: overlay.runtime_class_name.clone(),
        ..PodSpec::default()
    };
    Pod { metadata, spec: Some(spec), status: None }
}

/// Spreads the workers of a role over nodes where possible, so that a node failure ends few of them.
fn spread(job: &JobFacts<'_>, role: Role) -> TopologySpreadConstraint {
    let of_the_role = BTreeMap::from([
        (JOB_LABEL.to_owned(), job.validated.name.clone()),
        (ROLE_LABEL.to_owned(), role.name().to_owned()),
    ]);
    TopologySpreadConstraint {
        max_skew: 1,
        topology_key: "kubernetes.io/hostname".to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(LabelSelector {
            match_labels: Some(of_the_role),
            match_expressions: None,
        }),
        ..TopologySpreadConstraint::default()
    }
}

fn non_empty_map<K: Clone + Ord, V: Clone>(map: &BTreeMap<K, V>) -> Option<BTreeMap<K, V>> {
    (!map.is_empty()).then(|| map.clone())
}

fn non_empty_list<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

fn container(job: &JobFacts<'_>, image: &str, id: ProcessId, overlay: &PodOverlay) -> Container {
    let mount = |name: &str, path: &str, read_only: bool| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(read_only),
        ..VolumeMount::default()
    };
    let mut mounts = vec![mount("config", CONFIG_FOLDER, true), mount("token", TOKEN_FOLDER, true)];
    if id.role == Role::Trainer {
        mounts.push(mount("store", STORE_FOLDER, false));
    }
    let address = EnvVar {
        name: OWN_VARIABLE.to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                field_path: "status.podIP".to_owned(),
                ..ObjectFieldSelector::default()
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    };
    Container {
        name: WORKER_CONTAINER.to_owned(),
        image: Some(image.to_owned()),
        args: Some(arguments(job, id)),
        env: Some([address].into_iter().chain(overlay.env.clone()).collect()),
        resources: Some(resources(id.role, &overlay.resources)),
        // A named port, for scrape configurations.
        ports: (id.role == Role::Trainer).then(|| {
            vec![ContainerPort {
                name: Some("metrics".to_owned()),
                container_port: METRICS_PORT,
                ..ContainerPort::default()
            }]
        }),
        readiness_probe: Some(Probe {
            tcp_socket: Some(TCPSocketAction { port: IntOrString::Int(port(id.role)), host: None }),
            period_seconds: Some(2),
            ..Probe::default()
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

/// The port that the readiness probe of a role connects to. Rollouts and reward workers open theirs once they are
/// registered with the trainer.
fn port(role: Role) -> i32 {
    match role {
        Role::Trainer => TRAINER_PORT,
        Role::Simulator => SIMULATOR_PORT,
        Role::Rollout | Role::Reward => READY_PORT,
    }
}

/// The worker's command line. The run folder is named after the job's UID, because jobs may share a claim.
fn arguments(job: &JobFacts<'_>, id: ProcessId) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["worker", id.role.name(), "--log", "json"].map(str::to_owned).into();
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    option("--index", id.index.to_string());
    option("--config", format!("{CONFIG_FOLDER}/{CONFIG}"));
    option("--token-file", format!("{TOKEN_FOLDER}/{TOKEN}"));
    option("--directory", format!("{STORE_FOLDER}/{}", job.uid));
    option("--termination-file", TERMINATION_FILE.to_owned());
    // Without an amount in the manifest the worker uses the cores that its cgroup grants.
    if let Some(threads) = threads(&job.validated.overlay(id.role).resources) {
        option("--threads", threads.to_string());
    }
    // The kubelet expands the variable. A simulator registers this address with the trainer.
    let listen = match id.role {
        Role::Trainer | Role::Simulator => "--listen",
        Role::Rollout | Role::Reward => "--ready",
    };
    option(listen, format!("$({OWN_VARIABLE}):{}", port(id.role)));
    if id.role == Role::Trainer {
        option("--metrics-listen", format!("$({OWN_VARIABLE}):{METRICS_PORT}"));
    } else {
        let service = service_name(&job.validated.name);
        option("--trainer", format!("{service}.{}.svc:{TRAINER_PORT}", job.namespace));
    }
    arguments
}

fn volumes(job: &JobFacts<'_>, is_trainer: bool) -> Vec<Volume> {
    let mut volumes = vec![
        Volume {
            name: "config".to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: config_name(job),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        Volume {
            name: "token".to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(token_name(job)),
                default_mode: Some(0o440),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        },
    ];
    if is_trainer {
        volumes.push(Volume {
            name: "store".to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: store_name(job),
                read_only: None,
            }),
            ..Volume::default()
        });
    }
    volumes
}
