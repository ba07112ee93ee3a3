//! Jobs on a modelled cluster: random histories of passes, crashes, stale views and dying pods, and the histories a
//! person would think of.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod world;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use shoprl_crds::{Progress, ShopRLJobSpec};
use shoprl_plan::cluster::{self, ObservedPod};
use shoprl_plan::validate;
use world::{World, condition, spec, suspended};

#[derive(Debug, Clone)]
enum Step {
    /// A pass of which so many writes happen before the operator dies.
    Pass(usize),
    Run,
    End(usize, i32, &'static str),
    /// Somebody deletes a pod at once.
    Remove(usize),
    /// Somebody deletes a pod, which takes its time.
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
        6 => (0_usize..9).prop_map(Step::Pass),
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
    fn whatever_happens_budgets_are_exact_the_end_is_final_and_the_job_gets_there(
        steps in prop::collection::vec(step(), 0..60), rollouts in 0_i32..4,
    ) {
        let mut world = World::new(rollouts);
        for step in steps {
            match step {
                Step::Pass(done) => world.pass(done),
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
        // Nothing goes wrong any more.
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
        let quiet = world.plan();
        assert!(quiet.intent.is_none() && quiet.effects.is_empty(), "{quiet:?}");
        assert_eq!(quiet.report, world.status, "a job at rest is not written");
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
    world.pass(usize::MAX);
    assert!(world.pods.is_empty(), "intent before effects");
    assert_eq!(condition(&world.status, "Accepted"), Some(("True", "Valid")));
    world.pass(usize::MAX);
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
fn a_job_that_ends_tells_what_came_of_it_by_the_last_words_of_its_trainer() {
    let check = |words: Option<&str>, expected: (i64, Option<&str>)| {
        let mut world = World::new(1);
        world.settle();
        let known = Progress {
            weights_version: 5,
            success: Some("0.25".to_owned()),
            ..Progress::default()
        };
        world.status.progress = Some(known);
        world.end_of("job-trainer-0-1", 0, "Completed");
        world.says("job-trainer-0-1", words);
        world.settle();
        let told = world.status.progress.unwrap();
        assert_eq!((told.weights_version, told.success.as_deref()), expected, "{words:?}");
        assert_eq!((told.phase.as_str(), told.step), ("finished", told.target_steps));
    };
    let words = r#"{"reason":"done","message":"","outcome":{"weightsVersion":9,"success":"0.51"}}"#;
    check(Some(words), (9, Some("0.51")));
    // Born again after the last evaluation, it measured none itself.
    let words = r#"{"reason":"done","message":"","outcome":{"weightsVersion":9}}"#;
    check(Some(words), (9, Some("0.25")));
    // What an earlier image says, what does not read, and nothing.
    for words in [Some(r#"{"reason":"done","message":""}"#), Some("bye"), None] {
        check(words, (5, Some("0.25")));
    }
}

/// Ends a pod of a running job and tells (phase, the failure's reason, restarts, pods that live).
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
fn only_what_failed_is_replaced_and_by_its_ending() {
    let check = |(pod, code, reason): (&str, i32, &str), phase: &str, said: &str, live: &[&str]| {
        let (seen_phase, seen_said, restarts, seen_live) = after(pod, code, reason);
        assert_eq!((seen_phase.as_str(), seen_said.as_str()), (phase, said), "{pod} {code}");
        assert_eq!(seen_live, live, "{pod} {code}");
        assert_eq!(restarts, i32::from(!live.is_empty()), "{pod} {code}");
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
fn a_job_whose_workers_keep_failing_fails_in_the_end_and_disruptions_never_count() {
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
fn fewer_rollouts_leave_and_the_trainer_does_not_notice() {
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
fn progress_is_told_at_once_where_it_matters_else_once_a_minute_and_not_where_nothing_moved() {
    let mut world = World::new(1);
    world.settle();
    let mut check = |seconds: u64, phase: &str, step: i64, written: bool| {
        world.now += Duration::from_secs(seconds);
        let (phase, time) = (phase.to_owned(), Some(Time(world.now)));
        world.progress = Some(Progress { phase, step, time, ..Progress::default() });
        let report = world.plan().report;
        assert_eq!(report != world.status, written, "after {seconds} s, step {step}");
        world.status = report;
    };
    check(10, "warmup", 0, true);
    check(10, "training", 0, true);
    check(10, "training", 1, false);
    check(50, "training", 2, true);
    // It hangs: the time stays at which it moved last.
    check(61, "training", 2, false);
    check(3600, "training", 2, false);
    check(10, "training", 3, true);
}

#[test]
fn a_suspended_job_has_no_pods_and_goes_on_as_the_next_attempt_without_a_failure() {
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
fn a_view_that_is_behind_leaves_the_pods_of_a_later_wish_alone() {
    let mut world = World::new(1);
    world.settle();
    let before = world.status.clone();
    world.end_of("job-rollout-0-1", 1, "Error");
    world.settle();
    world.pods.remove("job-rollout-0-1");
    let ahead = world.status.clone();
    // Its job was not told yet what the pods were told.
    world.status = before;
    world.pass(usize::MAX);
    assert!(world.names().contains(&"job-rollout-0-2"), "{:?}", world.names());
    // Nor that there shall be more of them.
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
fn the_next_trainer_waits_for_the_checkpoint_of_one_that_leaves() {
    let mut world = World::new(1);
    world.settle();
    let leaves = world.pods.get_mut("job-trainer-0-1").unwrap();
    leaves.metadata.deletion_timestamp = Some(Time(world.now + Duration::from_secs(60)));
    world.settle();
    assert!(!world.names().contains(&"job-trainer-0-2"), "{:?}", world.names());
    world.now += Duration::from_secs(61);
    world.settle();
    assert!(world.names().contains(&"job-trainer-0-2"), "it sits on a lost node and is fenced");
}

#[test]
fn a_worker_that_is_wanted_again_is_another_one_and_what_left_is_no_failure() {
    let mut world = World::new(2);
    world.settle();
    world.spec = spec(1);
    world.pass(usize::MAX);
    let gone_by = Some(Time(world.now + Duration::from_secs(10)));
    world.pods.get_mut("job-rollout-1-1").unwrap().metadata.deletion_timestamp = gone_by;
    world.spec = spec(2);
    world.settle();
    assert!(world.names().contains(&"job-rollout-1-2"), "{:?}", world.names());
    assert_eq!((world.status.restarts, world.status.failures.disruption), (0, 0));
}

#[test]
fn a_pod_that_a_scale_took_away_is_no_failure_of_the_worker_that_comes_back_in_a_view_that_is_behind()
 {
    let mut world = World::new(2);
    world.settle();
    let mut behind = world.pods["job-rollout-1-1"].clone();
    world.spec = spec(1);
    world.settle();
    assert!(!world.names().contains(&"job-rollout-1-1"), "{:?}", world.names());
    // One operator knows that it is gone, and the other one only that it leaves.
    world.spec = spec(2);
    world.pass(usize::MAX);
    behind.metadata.deletion_timestamp = Some(Time(world.now));
    world.pods.insert("job-rollout-1-1".to_owned(), behind);
    world.settle();
    assert!(world.names().contains(&"job-rollout-1-2"), "{:?}", world.names());
    assert_eq!((world.status.restarts, world.status.failures.disruption), (0, 0));
}

#[test]
fn a_pod_that_shows_up_only_after_its_job_was_suspended_leaves_too() {
    let mut world = World::new(1);
    world.pass(usize::MAX);
    world.pass(usize::MAX);
    // The passes that suspend the job do not see the pods yet.
    let made = std::mem::take(&mut world.pods);
    world.spec = suspended(1, true);
    world.settle();
    world.pods = made;
    world.settle();
    assert!(world.names().is_empty(), "{:?}", world.names());
    assert_eq!(condition(&world.status, "Suspended"), Some(("True", "Suspended")));
    assert_eq!(world.status.restarts, 0);
}

#[test]
fn the_scale_subresource_counts_the_rollouts_that_are_there() {
    let mut world = World::new(3);
    world.settle();
    assert_eq!(world.status.rollouts, 3);
    assert_eq!(
        world.status.selector.as_deref(),
        Some("shoprl.dev/job=job,shoprl.dev/role=rollout")
    );
}

#[test]
fn a_mistake_is_a_condition_that_names_the_field_and_the_remedy_and_goes_when_it_is_mended() {
    let mut world = World::new(1);
    let mut wrong = ShopRLJobSpec::default();
    wrong.training.tasks_per_step = 0;
    let mistakes = validate(&wrong, "job").unwrap_err();
    let rejected = cluster::rejected(&world.status, Some(1), &mistakes, world.now);
    assert_eq!(rejected.phase.as_deref(), Some("Rejected"));
    assert_eq!(condition(&rejected, "Accepted"), Some(("False", "Invalid")));
    let said = &rejected.conditions[0].message;
    assert!(
        said.starts_with("spec.training.tasksPerStep: 0 is not possible: must be from 1"),
        "{said}"
    );
    world.status = rejected;
    world.settle();
    assert_eq!(condition(&world.status, "Accepted"), Some(("True", "Valid")));
    assert_eq!(world.status.phase.as_deref(), Some("Running"));
}
