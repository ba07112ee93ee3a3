//! The surroundings of a job's pods, the volume claim of its run folder, and its deletion.

use std::collections::BTreeMap;

use expect_test::expect_file;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shoprl_crds::{ShopRLJobSpec, ShopRLJobStatus};
use shoprl_plan::cluster::{
    self, Children, Effect, JobFacts, Observed, OperatorPods, Plan, Surroundings,
};
use shoprl_plan::validate;

fn plan_at(spec: &Value, status: &ShopRLJobStatus, now: Timestamp) -> Plan {
    let spec: ShopRLJobSpec = serde_json::from_value(spec.clone()).unwrap();
    let validated = validate(&spec, "job").unwrap();
    let labels = BTreeMap::from([("app.kubernetes.io/name".to_owned(), "shoprl".to_owned())]);
    let operator = OperatorPods { namespace: "shoprl-system".to_owned(), labels };
    let facts = JobFacts {
        namespace: "shop",
        uid: "0123456789",
        generation: Some(1),
        version: Some("7"),
        owner: OwnerReference { uid: "0123456789".to_owned(), ..OwnerReference::default() },
        image: "registry.example/shoprl@sha256:default",
        operator: Some(&operator),
        token: "token",
        validated: &validated,
        status,
    };
    cluster::plan(&facts, &Observed::default(), now)
}

fn plan(spec: &Value, status: &ShopRLJobStatus) -> Plan {
    plan_at(spec, status, Timestamp::UNIX_EPOCH)
}

/// The status with the first intent.
fn begun(spec: &Value) -> ShopRLJobStatus {
    plan(spec, &ShopRLJobStatus::default()).intent.unwrap()
}

fn surroundings(plan: Plan) -> Option<Surroundings> {
    plan.effects.into_iter().find_map(|effect| match effect {
        Effect::Surround(surroundings) => Some(*surroundings),
        _ => None,
    })
}

fn children(spec: &Value) -> Children {
    let effects = plan(spec, &begun(spec)).effects.into_iter();
    let mut prepared = effects.filter_map(|effect| match effect {
        Effect::Prepare(children) => Some(*children),
        _ => None,
    });
    prepared.next().unwrap()
}

/// Number of rollouts that an eviction must leave.
fn least(surroundings: &Surroundings) -> Option<i32> {
    match surroundings.budget.spec.as_ref()?.min_available.as_ref()? {
        IntOrString::Int(least) => Some(*least),
        IntOrString::String(_) => None,
    }
}

#[test]
fn the_jobs_pods_and_the_operator_reach_workers_and_anyone_the_metrics() {
    let spec = json!({});
    let surroundings = surroundings(plan(&spec, &begun(&spec))).unwrap();
    expect_file!["../pods/network-policy.yaml"]
        .assert_eq(&serde_yaml::to_string(&surroundings.policy).unwrap());
    expect_file!["../pods/disruption-budget.yaml"]
        .assert_eq(&serde_yaml::to_string(&surroundings.budget).unwrap());
}

#[test]
fn surroundings_precede_pods_and_are_applied_again_only_when_changed() {
    let rollouts =
        |replicas: i32| json!({"suspend": true, "roles": {"rollout": {"replicas": replicas}}});
    let mut status = begun(&rollouts(3));
    let first = plan(
        &json!({"roles": {"rollout": {"replicas": 3}}}),
        &begun(&json!({"roles": {"rollout": {"replicas": 3}}})),
    );
    assert!(matches!(first.effects[0], Effect::Surround(_)), "before every pod");
    let mut applied = |replicas: i32| {
        // Intent, effects and report.
        for _ in 0..3 {
            let plan = plan(&rollouts(replicas), &status);
            if let Some(intent) = plan.intent {
                status = intent;
                continue;
            }
            status = plan.report.clone();
            if let Some(surroundings) = surroundings(plan) {
                return Some(least(&surroundings));
            }
        }
        None
    };
    assert_eq!(applied(3), Some(Some(2)));
    assert_eq!(applied(3), None, "a steady job writes nothing");
    assert_eq!(applied(5), Some(Some(4)));
    assert_eq!(applied(1), Some(Some(0)), "the only rollout may be evicted");
    assert_eq!(applied(0), None, "the budget is unchanged");
    assert_eq!(applied(2), Some(Some(1)));
}

#[test]
fn a_new_job_records_its_surroundings_and_applies_them_before_its_trainer() {
    let recorded = |spec: Value| begun(&spec).applied;
    let (running, suspended) = (json!({}), json!({"suspend": true}));
    assert!(recorded(suspended).is_none(), "a suspended job creates no trainer");
    let plan = plan(&running, &begun(&running));
    assert_eq!(plan.report.applied, recorded(running));
    assert!(surroundings(plan).is_some(), "there is no trainer yet");
}

#[test]
fn surroundings_whose_application_was_not_reported_are_applied_again() {
    let spec = json!({"suspend": true});
    let status = begun(&spec);
    for _ in 0..2 {
        assert!(surroundings(plan(&spec, &status)).is_some());
    }
    let report = plan(&spec, &status).report;
    let again = |surrounded: bool| {
        let refused = cluster::refused(&report, surrounded, "no", Timestamp::UNIX_EPOCH);
        surroundings(plan(&spec, &refused)).is_some()
    };
    assert!(again(false), "the surroundings were refused");
    assert!(!again(true), "a pod was refused");
}

#[test]
fn the_claim_follows_the_manifest_and_is_retained_by_default() {
    let check = |store: Value, claim: Option<(&str, Option<&str>, bool)>| {
        let spec = json!({"checkpoint": {"store": store}});
        let created = children(&spec).store.map(|claim| {
            let spec = claim.spec.unwrap();
            let size = spec.resources.unwrap().requests.unwrap()["storage"].0.clone();
            assert_eq!(claim.metadata.name.as_deref(), Some("job-store"));
            (size, spec.storage_class_name, claim.metadata.owner_references.is_none())
        });
        let expected =
            claim.map(|(size, class, retain)| (size.to_owned(), class.map(str::to_owned), retain));
        assert_eq!(created, expected);
    };
    check(json!({"volumeClaim": {}}), Some(("1Gi", None, true)));
    check(
        json!({"volumeClaim": {"size": "20Gi", "storageClassName": "fast", "retain": false}}),
        Some(("20Gi", Some("fast"), false)),
    );
    check(json!({"existingClaim": {"name": "results"}}), None);
}

#[test]
fn a_trainer_mounts_the_claim_that_the_manifest_names() {
    let spec = json!({"checkpoint": {"store": {"existingClaim": {"name": "results"}}}});
    let pods = plan(&spec, &begun(&spec)).effects.into_iter().filter_map(|effect| match effect {
        Effect::Create(pod) => Some(*pod),
        _ => None,
    });
    let claims: Vec<String> = pods
        .flat_map(|pod| pod.spec.unwrap().volumes.unwrap())
        .filter_map(|volume| Some(volume.persistent_volume_claim?.claim_name))
        .collect();
    assert_eq!(claims, ["results"]);
}

/// The status of a job that failed at the Unix epoch.
fn ended(spec: &Value) -> ShopRLJobStatus {
    let mut status = begun(spec);
    let mut condition = status.conditions[0].clone();
    condition.type_ = "Failed".to_owned();
    status.conditions.push(condition);
    status
}

#[test]
fn a_job_that_ended_is_deleted_exactly_when_its_time_to_live_has_passed() {
    let deleted = |ttl: Value, after: i64| {
        let spec = json!({"ttlSecondsAfterFinished": ttl});
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(after);
        let plan = plan_at(&spec, &ended(&spec), now);
        let deleted = plan.effects.iter().any(|effect| match effect {
            Effect::DeleteJob { name, uid, version } => {
                assert_eq!((name.as_str(), uid.as_str()), ("job", "0123456789"));
                assert_eq!(
                    version.as_deref(),
                    Some("7"),
                    "a job that changed in the meantime is not deleted"
                );
                true
            }
            _ => false,
        });
        (deleted, plan.requeue_after.map(|it| it.as_secs()))
    };
    assert_eq!(deleted(json!(60), 0), (false, Some(60)));
    assert_eq!(deleted(json!(60), 59), (false, Some(1)));
    assert_eq!(deleted(json!(60), 60), (true, None));
    assert_eq!(deleted(json!(0), 0), (true, None));
    assert_eq!(deleted(json!(60), -5), (false, Some(60)), "a clock that went back");
    assert_eq!(deleted(Value::Null, 1_000_000), (false, None), "kept without a limit");
    let running = json!({"ttlSecondsAfterFinished": 0});
    let plan = plan(&running, &begun(&running));
    assert!(!plan.effects.iter().any(|effect| matches!(effect, Effect::DeleteJob { .. })));
}
