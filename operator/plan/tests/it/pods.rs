//! The pods of a job as they are created. `UPDATE_EXPECT=1 cargo test --release -p shoprl-plan` rewrites pods/*.yaml.

use expect_test::expect_file;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use shoprl_crds::{ShopRLJob, ShopRLJobStatus};
use shoprl_plan::cluster::{self, Effect, JobFacts, Observed};
use shoprl_plan::validate;

const DEFAULT_IMAGE: &str = "registry.example/shoprl@sha256:default";

/// The first pods of the job in an accepted manifest.
fn pods(manifest: &str) -> Vec<Pod> {
    let path = format!("{}/tests/manifests/accepted/{manifest}", env!("CARGO_MANIFEST_DIR"));
    let job: ShopRLJob = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validated = validate(&job.spec, "job").unwrap();
    let plan = |status: &ShopRLJobStatus| {
        let facts = JobFacts {
            namespace: "shop",
            uid: "0123456789",
            generation: Some(1),
            version: None,
            owner: OwnerReference { uid: "0123456789".to_owned(), ..OwnerReference::default() },
            image: DEFAULT_IMAGE,
            operator: None,
            token: "token",
            validated: &validated,
            status,
        };
        cluster::plan(&facts, &Observed::default(), Timestamp::UNIX_EPOCH)
    };
    let begun = plan(&ShopRLJobStatus::default()).intent.unwrap();
    let effects = plan(&begun).effects.into_iter();
    effects
        .filter_map(|effect| match effect {
            Effect::Create(pod) => Some(*pod),
            _ => None,
        })
        .collect()
}

fn named(pods: &[Pod], name: &str) -> String {
    let pod = pods.iter().find(|pod| pod.metadata.name.as_deref() == Some(name)).unwrap();
    serde_yaml::to_string(pod).unwrap()
}

#[test]
fn a_pod_combines_the_operators_fields_with_the_roles_overlay() {
    let plain = pods("all-defaults.yaml");
    expect_file!["../pods/rollout-of-defaults.yaml"].assert_eq(&named(&plain, "job-rollout-1-1"));
    expect_file!["../pods/trainer-of-defaults.yaml"].assert_eq(&named(&plain, "job-trainer-0-1"));
    let overlaid = pods("overlay-everything.yaml");
    expect_file!["../pods/trainer-overlaid.yaml"].assert_eq(&named(&overlaid, "job-trainer-0-1"));
    expect_file!["../pods/simulator-overlaid.yaml"]
        .assert_eq(&named(&overlaid, "job-simulator-1-1"));
}

#[test]
fn no_overlay_weakens_the_restricted_pod_security_profile() {
    for manifest in ["all-defaults.yaml", "overlay-everything.yaml"] {
        for pod in pods(manifest) {
            let spec = pod.spec.unwrap();
            let of_pod = spec.security_context.unwrap();
            assert_eq!(of_pod.run_as_non_root, Some(true));
            assert_eq!(of_pod.seccomp_profile.unwrap().type_, "RuntimeDefault");
            assert_eq!(spec.automount_service_account_token, Some(false));
            assert_eq!((spec.host_network, spec.host_pid, spec.host_ipc), (None, None, None));
            let [container] = &spec.containers[..] else { panic!("one container") };
            let security = container.security_context.as_ref().unwrap();
            assert_eq!(security.allow_privilege_escalation, Some(false));
            assert_eq!(security.read_only_root_filesystem, Some(true));
            assert_eq!(security.capabilities.as_ref().unwrap().drop, Some(vec!["ALL".to_owned()]));
            assert!(container.readiness_probe.is_some(), "every role has a readiness probe");
        }
    }
}
