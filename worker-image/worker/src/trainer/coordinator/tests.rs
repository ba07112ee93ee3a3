use shoprl_contract::v1::{self, Baseline, Metrics, actor};

use super::*;

const BATCH: &str = "step-000001";

fn expert() -> Actor {
    Actor { kind: Some(actor::Kind::Expert(Baseline {})) }
}

/// Two groups of two members, one simulator, rollouts 0 and 1, reward worker 0.
fn table(now: Instant) -> Coordinator {
    let mut table = Coordinator::default();
    table.register(Role::Simulator, 0, "127.0.0.1:1", "a", now);
    table.register(Role::Rollout, 0, "", "a", now);
    table.register(Role::Rollout, 1, "", "a", now);
    table.register(Role::Reward, 0, "", "a", now);
    table.open(BATCH, expert(), 2);
    for group in [7, 8] {
        table.add(BATCH, group, TaskKey { seed: group, ..TaskKey::default() });
    }
    table
}

fn keys(leases: &[GroupLease]) -> Vec<(u64, u32)> {
    leases
        .iter()
        .flat_map(|lease| lease.members.iter().map(|member| (lease.group, *member)))
        .collect()
}

fn played(group: u64, member: u32, seal: u8) -> Trajectory {
    Trajectory {
        batch: BATCH.into(),
        group,
        member,
        task: Some(TaskKey { seed: group, ..TaskKey::default() }),
        actor: Some(expert()),
        tokens: vec![1, 2],
        messages: vec![
            v1::Message { start: 0, end: 1, policy: false },
            v1::Message { start: 1, end: 2, policy: true },
        ],
        seal: vec![seal],
        ..Trajectory::default()
    }
}

fn scored(trajectory: &Trajectory) -> Score {
    Score {
        batch: trajectory.batch.clone(),
        group: trajectory.group,
        member: trajectory.member,
        trajectory_seal: trajectory.seal.clone(),
        metrics: Some(Metrics::default()),
        verdicts: vec![1.0],
        kinds: vec!["buy".into()],
        ..Score::default()
    }
}

fn key(group: u64, member: u32) -> EpisodeKey {
    EpisodeKey { batch: BATCH.into(), group, member }
}

#[test]
fn an_episode_is_leased_once_until_its_lease_ends() {
    let now = Instant::now();
    let mut table = table(now);
    assert_eq!(keys(&table.lease_groups(0, 3, &[], now)), [(7, 0), (7, 1), (8, 0)]);
    assert_eq!(keys(&table.lease_groups(1, 64, &[], now)), [(8, 1)]);
    // Rollout 0 never got that answer. It holds nothing, so its leases are free, also for itself.
    assert_eq!(keys(&table.lease_groups(0, 2, &[], now)), [(7, 0), (7, 1)]);
    assert_eq!(keys(&table.lease_groups(1, 64, &[key(8, 1)], now)), [(8, 0)]);
}

#[test]
fn the_leases_of_a_dead_rollout_go_to_another_one() {
    let now = Instant::now();
    let mut expired = table(now);
    assert_eq!(keys(&expired.lease_groups(0, 64, &[], now)).len(), 4);
    assert!(expired.lease_groups(1, 64, &[], now + LEASE / 2).is_empty());
    expired.register(Role::Simulator, 0, "127.0.0.1:1", "a", now + LEASE);
    assert_eq!(keys(&expired.lease_groups(1, 64, &[], now + LEASE)).len(), 4, "the lease expired");

    let mut restarted = table(now);
    assert_eq!(keys(&restarted.lease_groups(0, 64, &[], now)).len(), 4);
    restarted.register(Role::Rollout, 0, "", "a", now);
    assert_eq!(
        keys(&restarted.lease_groups(1, 64, &[], now)).len(),
        4,
        "its new incarnation holds nothing"
    );
}

#[test]
fn a_group_is_complete_when_all_its_members_are_scored() {
    let now = Instant::now();
    let mut table = table(now);
    table.lease_groups(0, 64, &[], now);
    for (group, member) in [(7, 1), (8, 0), (7, 0)] {
        assert!(table.take_complete(BATCH).is_empty());
        table.submit(played(group, member, 1));
        assert_eq!(table.lease_scoring(0, 8, now).len(), 1);
        table.score(scored(&played(group, member, 1)));
    }
    let complete = table.take_complete(BATCH);
    assert_eq!(
        complete.iter().map(|(index, members)| (*index, members.len())).collect::<Vec<_>>(),
        [(7, 2)]
    );
    assert_eq!(complete[0].1[0].trajectory.member, 0, "members are in order");
    assert!(table.take_complete(BATCH).is_empty(), "taken once");
}

#[test]
fn a_repeated_submission_is_ignored_and_a_contradicting_one_is_counted() {
    let now = Instant::now();
    let mut table = table(now);
    table.submit(played(7, 0, 1));
    table.submit(played(7, 0, 1));
    assert_eq!(table.violations(), 0);
    table.submit(played(7, 0, 2));
    assert_eq!(table.violations(), 1);
    assert_eq!(table.lease_scoring(0, 8, now), [played(7, 0, 1)], "the first is kept");
}

#[test]
fn a_trajectory_of_another_task_or_actor_is_ignored() {
    let mut table = table(Instant::now());
    table.submit(Trajectory {
        task: Some(TaskKey { seed: 99, ..TaskKey::default() }),
        ..played(7, 0, 1)
    });
    table.submit(Trajectory { actor: None, ..played(7, 0, 1) });
    table.submit(Trajectory { batch: "step-000099".into(), ..played(7, 0, 1) });
    table.submit(played(99, 0, 1));
    table.submit(played(7, 99, 1));
    assert!(table.lease_scoring(0, 8, Instant::now()).is_empty());
}

#[test]
fn the_table_names_the_role_that_it_waits_for() {
    let now = Instant::now();
    let check = |role: Role, expected: &str| {
        let mut table = table(now);
        table.workers.retain(|(r, _), _| *r != role);
        table.submit(played(7, 0, 1));
        let text = table.waiting_for(now);
        assert!(text.contains(expected), "without {role:?}: {text:?}");
    };
    check(Role::Reward, "a reward worker: 1 trajectories");
    check(Role::Rollout, "a rollout worker: 3 episodes");
    check(Role::Simulator, "a simulator worker: 3 episodes");
    assert_eq!(table(now).waiting_for(now), "");
}

#[test]
fn a_refused_trajectory_is_played_again_and_finally_ends_the_attempt() {
    let now = Instant::now();
    let mut table = table(now);
    for refusals in 1..=MAX_REFUSALS {
        assert!(table.fatal().is_none(), "after {refusals}");
        table.submit(played(7, 0, 1));
        table.lease_scoring(0, 8, now);
        table.score(Score { refused: "the seal is broken".into(), ..scored(&played(7, 0, 1)) });
        assert!(
            keys(&table.lease_groups(1, 64, &[], now)).contains(&(7, 0)),
            "the episode is open again"
        );
    }
    assert!(table.fatal().is_some_and(|exit| exit.message.contains("the seal is broken")));
}

#[test]
fn a_score_must_match_the_submitted_trajectory() {
    let now = Instant::now();
    let mut table = table(now);
    table.submit(played(7, 0, 1));
    table.lease_scoring(0, 8, now);
    table.score(Score { trajectory_seal: vec![9], ..scored(&played(7, 0, 1)) });
    assert_eq!(table.lease_scoring(0, 8, now).len(), 1, "a score of another trajectory is ignored");
    table.score(Score { verdicts: vec![], ..scored(&played(7, 0, 1)) });
    assert!(table.lease_scoring(0, 8, now).is_empty(), "a malformed score is a refusal");
}

#[test]
fn a_silent_simulator_gets_no_episodes() {
    let now = Instant::now();
    let mut table = table(now);
    assert!(table.lease_groups(0, 64, &[], now + SILENCE).is_empty());
    table.register(Role::Simulator, 1, "127.0.0.1:2", "a", now + SILENCE);
    let leases = table.lease_groups(0, 64, &[], now + SILENCE);
    assert!(!leases.is_empty() && leases.iter().all(|lease| lease.simulator == "127.0.0.1:2"));
}
