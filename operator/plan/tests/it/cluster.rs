//! Jobs on a modelled cluster: random histories of reconciles, crashes and failing pods, and hand-written histories.

mod world;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use shoprl_crds::{Progress, ShopRLJobSpec, TrainerPhase};
use shoprl_plan::cluster::{self, ObservedPod};
use shoprl_plan::validate;
use world::{World, condition, spec, suspended};

#[derive(Debug, Clone)]
enum Step {
    /// A reconcile by an operator that crashes after this number of writes.
    Reconcile(usize),
    Run,
    End(usize, i32, &'static str),
    /// A user deletes a pod without a grace period.
    Remove(usize),
    /// A user deletes a pod with a grace period.
    Terminate(usize),
    Wait(u64),
    Suspend(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let ends = prop_oneof![
        Just((1, "Error")),
        Just((75, "Error")),
        Just((137, "OOMKilled")),
        Just((143, "Error")),
        Just((255, "Unknown")),
    ];
    prop_oneof![
        6 => (0_usize..9).prop_map(Step::Reconcile),
        3 => Just(Step::Run),
        2 => (any::<usize>(), ends).prop_map(|(nth, (code, why))| Step::End(nth, code, why)),
        1 => any::<usize>().prop_map(Step::Remove),
        1 => any::<usize>().prop_map(Step::Terminate),
        1 => (1_u64..2000).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Suspend),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_counts_exactly_ends_once_and_reaches_the_target(
        steps in prop::collection::vec(step(), 0..60), rollouts in 0_i32..4,
    ) {
        let mut world = World::new(rollouts);
        for step in steps {
            match step {
                Step::Reconcile(writes) => world.reconcile(writes),
                Step::Run => world.run(),
                Step::End(nth, code, reason) => world.end(nth, code, reason),
                Step::Remove(nth) => {
                    if let Some(name) = pick(&world, nth) {
                        world.pods.remove(&name);
                    }
                }
                Step::Terminate(nth) => {
                    if let Some(name) = pick(&world, nth) {
                        let gone_by = world.now + Duration::from_secs(30);
                        world.pods.get_mut(&name).unwrap().metadata.deletion_timestamp =
                            Some(Time(gone_by));
                    }
                }
                Step::Suspend(suspend) => world.spec = suspended(rollouts, suspend),
                Step::Wait(seconds) => world.now += Duration::from_secs(seconds),
            }
        }
        // From here on nothing fails.
        world.spec = spec(rollouts);
        for _ in 0..4 {
            world.now += Duration::from_secs(100);
            let deleted = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
            world.pods.retain(|_, pod| !deleted(pod));
            world.settle();
        }
        if !world.is_over() {
            assert_eq!(condition(&world.status, "RolesReady"), Some(("True", "AllReady")));
            let live = world.pods.values().filter(|pod| ObservedPod::of(pod).unwrap().ending().is_none());
            assert_eq!(live.count(), 3 + rollouts as usize);
            world.end_of(&format!("job-trainer-0-{}", world.status.attempt.unwrap()), 0, "Completed");
            world.settle();
            assert_eq!(condition(&world.status, "Complete"), Some(("True", "TargetReached")));
        }
        let last = world.plan();
        assert!(last.intent.is_none() && last.effects.is_empty(), "{last:?}");
        assert_eq!(last.report, world.status, "an unchanged status is not written");
        assert!(world.pods.values().all(|pod| ObservedPod::of(pod).unwrap().ending().is_some()));
    }
}

fn pick(world: &World, nth: usize) -> Option<String> {
    let count = world.pods.len();
    (count > 0).then(|| world.pods.keys().nth(nth % count).unwrap().clone())
}

#[test]
fn a_job_begins_with_its_intent_then_its_pods_then_its_report() {
    let mut world = World::new(2);
    world.reconcile(usize::MAX);
    assert!(world.pods.is_empty(), "intent before effects");
    assert_eq!(condition(&world.status, "Accepted"), Some(("True", "Valid")));
    world.reconcile(usize::MAX);
    assert_eq!(
        world.names(),
        [
            "job-reward-0-1",
            "job-rollout-0-1",
            "job-rollout-1-1",
            "job-simulator-0-1",
            "job-trainer-0-1"
        ]
    );
    assert_eq!(world.status.phase.as_deref(), Some("Pending"));
    world.settle();
    assert_eq!(world.status.phase.as_deref(), Some("Running"));
    assert_eq!(world.plan().report, world.status, "a steady job is not written");
}

#[test]
fn a_complete_job_reports_the_outcome_in_its_trainers_termination_message() {
    let check = |message: Option<&str>, expected: (i64, Option<&str>)| {
        let mut world = World::new(1);
        world.settle();
        let reported = Progress {
            weights_version: 5,
            success: Some("0.25".to_owned()),
            ..Progress::default()
        };
        world.status.progress = Some(reported);
        world.end_of("job-trainer-0-1", 0, "Completed");
        world.set_termination_message("job-trainer-0-1", message);
        world.settle();
        let progress = world.status.progress.unwrap();
        assert_eq!(
            (progress.weights_version, progress.success.as_deref()),
            expected,
            "{message:?}"
        );
        assert_eq!(
            (progress.phase, progress.step),
            (Some(TrainerPhase::Finished), progress.target_steps)
        );
    };
    let message =
        r#"{"reason":"done","message":"","outcome":{"weightsVersion":9,"success":"0.51"}}"#;
    check(Some(message), (9, Some("0.51")));
    // A trainer that restarted after the last evaluation measured no success rate.
    let message = r#"{"reason":"done","message":"","outcome":{"weightsVersion":9}}"#;
    check(Some(message), (9, Some("0.25")));
    // A message of an earlier image, an unreadable one, and none.
    for message in [Some(r#"{"reason":"done","message":""}"#), Some("bye"), None] {
        check(message, (5, Some("0.25")));
    }
}

/// Ends a pod of a running job. Returns (phase, reason of the failure, restarts, live pods).
fn after(pod: &str, code: i32, reason: &str) -> (String, String, i32, Vec<String>) {
    let mut world = World::new(1);
    world.settle();
    world.end_of(pod, code, reason);
    world.settle();
    let live = world.pods.values().filter_map(ObservedPod::of).filter(|pod| pod.ending().is_none());
    (
        world.status.phase.clone().unwrap(),
        world.status.failures.last.as_ref().map(|last| last.reason.clone()).unwrap_or_default(),
        world.status.restarts,
        live.map(|pod| pod.name).collect(),
    )
}

#[test]
fn only_the_worker_that_ended_is_replaced_and_its_exit_decides_how() {
    let check = |(pod, code, why): (&str, i32, &str), phase: &str, reason: &str, live: &[&str]| {
        let found = after(pod, code, why);
        assert_eq!((found.0.as_str(), found.1.as_str()), (phase, reason), "{pod} {code}");
        assert_eq!(found.2, i32::from(!live.is_empty()), "{pod} {code}");
        assert_eq!(found.3, live, "{pod} {code}");
    };
    let second_rollout =
        ["job-reward-0-1", "job-rollout-0-2", "job-simulator-0-1", "job-trainer-0-1"];
    let second_trainer =
        ["job-reward-0-1", "job-rollout-0-1", "job-simulator-0-1", "job-trainer-0-2"];
    check(("job-rollout-0-1", 137, "OOMKilled"), "Running", "OOMKilled", &second_rollout);
    check(("job-rollout-0-1", 101, "Error"), "Running", "Panic", &second_rollout);
    check(("job-rollout-0-1", 143, "Error"), "Running", "Stopped", &second_rollout);
    check(("job-trainer-0-1", 75, "Error"), "Running", "Temporary", &second_trainer);
    check(("job-trainer-0-1", 255, "Unknown"), "Running", "NodeLost", &second_trainer);
    check(("job-trainer-0-1", 64, "Error"), "Failed", "BadConfiguration", &[]);
    check(("job-reward-0-1", 64, "Error"), "Failed", "BadConfiguration", &[]);
}

#[test]
fn containers_of_others_decide_nothing_about_the_worker() {
    let check = |sidecar: (i32, bool), worker: Option<i32>, phase: &str, expected: &str| {
        let mut world = World::new(1);
        world.settle();
        world.inject_sidecar("job-trainer-0-1", sidecar, worker, phase);
        world.settle();
        let status = &world.status;
        let found = if world.is_over() { "over" } else { status.phase.as_deref().unwrap_or("") };
        let restarts = format!("{found} {}", status.restarts);
        assert_eq!(restarts, expected, "{sidecar:?} {worker:?}");
    };
    // The mesh's proxy ended with 0: the trainer runs on, and the job is not complete.
    check((0, true), None, "Running", "Running 0");
    check((1, true), None, "Running", "Running 0");
    // The trainer ended, the proxy lives: the end counts.
    check((0, false), Some(0), "Running", "over 0");
    check((0, false), Some(75), "Running", "Running 1");
    check((0, true), Some(0), "Succeeded", "over 0");
    check((0, true), Some(75), "Failed", "Running 1");
}

#[test]
fn repeated_failures_fail_the_job_and_disruptions_do_not_count() {
    let mut world = World::new(1);
    for incarnation in 1..=20 {
        world.now += Duration::from_secs(40);
        world.settle();
        world.end_of(&format!("job-rollout-0-{incarnation}"), 143, "Error");
    }
    world.settle();
    assert_eq!(world.status.failures.disruption, 20);
    for incarnation in 21..=27 {
        world.now += Duration::from_secs(40);
        world.settle();
        assert!(!world.is_over());
        world.end_of(&format!("job-rollout-0-{incarnation}"), 1, "Error");
        world.settle();
    }
    assert_eq!(condition(&world.status, "Failed"), Some(("True", "TooManyFailures")));
}

#[test]
fn scaling_down_removes_rollouts_and_leaves_the_trainer_untouched() {
    let mut world = World::new(3);
    world.settle();
    let trainer = world.pods["job-trainer-0-1"].clone();
    world.spec = spec(1);
    world.settle();
    assert_eq!(
        world.names(),
        ["job-reward-0-1", "job-rollout-0-1", "job-simulator-0-1", "job-trainer-0-1"]
    );
    assert_eq!(world.pods["job-trainer-0-1"], trainer);
    assert_eq!(world.status.restarts, 0);
}

#[test]
fn phases_are_written_immediately_counters_once_a_minute_and_standstill_never() {
    let mut world = World::new(1);
    world.settle();
    let mut check = |seconds: u64, phase: TrainerPhase, step: i64, written: bool| {
        world.now += Duration::from_secs(seconds);
        let (phase, time) = (Some(phase), Some(Time(world.now)));
        world.progress = Some(Progress { phase, step, time, ..Progress::default() });
        let report = world.plan().report;
        assert_eq!(report != world.status, written, "after {seconds} s, step {step}");
        world.status = report;
    };
    check(10, TrainerPhase::Warmup, 0, true);
    check(10, TrainerPhase::Training, 0, true);
    check(10, TrainerPhase::Training, 1, false);
    check(50, TrainerPhase::Training, 2, true);
    // The trainer hangs: the written time stays that of the last change.
    check(61, TrainerPhase::Training, 2, false);
    check(3600, TrainerPhase::Training, 2, false);
    check(10, TrainerPhase::Training, 3, true);
}

#[test]
fn a_suspended_job_has_no_pods_and_resumes_as_the_next_attempt() {
    let mut world = World::new(1);
    world.settle();
    world.spec = suspended(1, true);
    world.settle();
    assert!(world.names().is_empty(), "{:?}", world.names());
    assert_eq!(world.status.phase.as_deref(), Some("Suspended"));
    assert_eq!(condition(&world.status, "Suspended"), Some(("True", "Suspended")));
    assert_eq!(world.plan().report, world.status, "a suspended job is not written");
    world.spec = spec(1);
    world.settle();
    assert_eq!(
        world.names(),
        ["job-reward-0-2", "job-rollout-0-2", "job-simulator-0-2", "job-trainer-0-2"]
    );
    assert_eq!(condition(&world.status, "Suspended"), Some(("False", "Resumed")));
    assert_eq!(world.status.restarts, 0);
}

#[test]
fn a_stale_cache_leaves_the_pods_of_a_newer_intent_alone() {
    let mut world = World::new(1);
    world.settle();
    let before = world.status.clone();
    world.end_of("job-rollout-0-1", 1, "Error");
    world.settle();
    world.pods.remove("job-rollout-0-1");
    let ahead = world.status.clone();
    // The cached status is older than the pods.
    world.status = before;
    world.reconcile(usize::MAX);
    assert!(world.names().contains(&"job-rollout-0-2"), "{:?}", world.names());
    // The cached spec is older than the pods.
    (world.status, world.spec, world.generation) = (ahead.clone(), spec(2), 2);
    world.settle();
    (world.status, world.spec, world.generation) = (ahead, spec(1), 1);
    world.settle();
    assert!(world.names().contains(&"job-rollout-1-1"), "{:?}", world.names());
    world.generation = 3;
    world.settle();
    assert!(!world.names().contains(&"job-rollout-1-1"), "{:?}", world.names());
}

#[test]
fn the_next_trainer_waits_for_the_checkpoint_of_the_stopping_one() {
    let mut world = World::new(1);
    world.settle();
    let stopping = world.pods.get_mut("job-trainer-0-1").unwrap();
    stopping.metadata.deletion_timestamp = Some(Time(world.now + Duration::from_secs(60)));
    world.settle();
    assert!(!world.names().contains(&"job-trainer-0-2"), "{:?}", world.names());
    world.now += Duration::from_secs(61);
    world.settle();
    assert!(world.names().contains(&"job-trainer-0-2"), "a trainer on a lost node is fenced");
}

#[test]
fn a_worker_that_is_scaled_away_and_back_gets_a_new_incarnation() {
    let mut world = World::new(2);
    world.settle();
    world.spec = spec(1);
    world.reconcile(usize::MAX);
    let gone_by = Some(Time(world.now + Duration::from_secs(10)));
    world.pods.get_mut("job-rollout-1-1").unwrap().metadata.deletion_timestamp = gone_by;
    world.spec = spec(2);
    world.settle();
    assert!(world.names().contains(&"job-rollout-1-2"), "{:?}", world.names());
    assert_eq!((world.status.restarts, world.status.failures.disruption), (0, 0));
}

#[test]
fn a_stale_pod_that_was_scaled_away_is_no_failure_of_its_successor() {
    let mut world = World::new(2);
    world.settle();
    let mut stale = world.pods["job-rollout-1-1"].clone();
    world.spec = spec(1);
    world.settle();
    assert!(!world.names().contains(&"job-rollout-1-1"), "{:?}", world.names());
    // One operator has observed that the pod is gone. The cache of another still holds it as being deleted.
    world.spec = spec(2);
    world.reconcile(usize::MAX);
    stale.metadata.deletion_timestamp = Some(Time(world.now));
    world.pods.insert("job-rollout-1-1".to_owned(), stale);
    world.settle();
    assert!(world.names().contains(&"job-rollout-1-2"), "{:?}", world.names());
    assert_eq!((world.status.restarts, world.status.failures.disruption), (0, 0));
}

#[test]
fn a_pod_that_appears_after_the_suspension_is_stopped_too() {
    let mut world = World::new(1);
    world.reconcile(usize::MAX);
    world.reconcile(usize::MAX);
    // The job is suspended while the cache does not have the pods yet.
    let created = std::mem::take(&mut world.pods);
    world.spec = suspended(1, true);
    world.settle();
    world.pods = created;
    world.settle();
    assert!(world.names().is_empty(), "{:?}", world.names());
    assert_eq!(condition(&world.status, "Suspended"), Some(("True", "Suspended")));
    assert_eq!(world.status.restarts, 0);
}

#[test]
fn the_scale_subresource_counts_live_rollouts() {
    let mut world = World::new(3);
    world.settle();
    assert_eq!(world.status.rollouts, 3);
    assert_eq!(
        world.status.selector.as_deref(),
        Some("shoprl.dev/job=job,shoprl.dev/role=rollout")
    );
}

#[test]
fn an_invalid_spec_sets_a_condition_with_field_and_remedy_until_it_is_fixed() {
    let mut world = World::new(1);
    let mut wrong = ShopRLJobSpec::default();
    wrong.training.tasks_per_step = 0;
    let errors = validate(&wrong, "job").unwrap_err();
    let rejected = cluster::rejected(&world.status, Some(1), &errors, world.now);
    assert_eq!(rejected.phase.as_deref(), Some("Rejected"));
    assert_eq!(condition(&rejected, "Accepted"), Some(("False", "Invalid")));
    let message = &rejected.conditions[0].message;
    assert!(
        message.starts_with("spec.training.tasksPerStep: 0 is invalid: must be from 1"),
        "{message}"
    );
    world.status = rejected;
    world.settle();
    assert_eq!(condition(&world.status, "Accepted"), Some(("True", "Valid")));
    assert_eq!(world.status.phase.as_deref(), Some("Running"));
}
