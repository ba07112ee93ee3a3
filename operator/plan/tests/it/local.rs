//! Processes and threads on one machine.

use shoprl_contract::Role;
use shoprl_crds::ShopRLJobSpec;
use shoprl_plan::local::{Machine, plan};
use shoprl_plan::{lower, validate};

/// Checks a plan as a list of `role index threads`. `workers` are the replicas of (simulator, rollout, reward).
#[track_caller]
fn check(cpus: usize, workers: (i32, i32, i32), expected: &[&str]) {
    let mut spec = ShopRLJobSpec::default();
    spec.roles.simulator.replicas = workers.0;
    spec.roles.rollout.replicas = workers.1;
    spec.roles.reward.replicas = workers.2;
    let plan = plan(&lower(&validate(&spec, "shop").unwrap()), Machine { cpus });
    let listed: Vec<_> = plan
        .processes
        .iter()
        .map(|process| format!("{} {}", process.id, process.threads))
        .collect();
    assert_eq!(listed, expected, "{cpus} cpus, {workers:?}");
    assert_eq!(plan.processes[0].id.role, Role::Trainer);
}

#[test]
fn the_trainer_comes_first_and_threads_follow_from_the_cores() {
    check(
        2,
        (1, 2, 1),
        &["trainer 0 2", "simulator 0 1", "reward 0 1", "rollout 0 1", "rollout 1 1"],
    );
    check(2, (1, 1, 1), &["trainer 0 2", "simulator 0 1", "reward 0 1", "rollout 0 2"]);
    check(1, (1, 2, 0), &["trainer 0 1", "simulator 0 1", "rollout 0 1", "rollout 1 1"]);
    check(
        16,
        (1, 3, 1),
        &[
            "trainer 0 16",
            "simulator 0 1",
            "reward 0 1",
            "rollout 0 5",
            "rollout 1 5",
            "rollout 2 5",
        ],
    );
    check(0, (0, 0, 0), &["trainer 0 1"]);
}
