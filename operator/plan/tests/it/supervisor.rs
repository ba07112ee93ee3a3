//! The supervisor under random and under hand-written histories.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use shoprl_contract::{Exit, ExitReason, Role};
use shoprl_plan::RestartBudget;
use shoprl_plan::local::{Action, Ending, Event, LocalPlan, Process, ProcessId, Supervisor};

const ROLLOUT: ProcessId = ProcessId { role: Role::Rollout, index: 0 };
const REWARD: ProcessId = ProcessId { role: Role::Reward, index: 0 };

fn plan() -> LocalPlan {
    let process = |id| Process { id, threads: 1 };
    LocalPlan { processes: vec![process(ProcessId::TRAINER), process(ROLLOUT), process(REWARD)] }
}

/// A model of the processes: performs actions immediately and checks each of them.
struct World {
    supervisor: Supervisor,
    live: BTreeSet<ProcessId>,
    starts: Vec<(ProcessId, Duration)>,
    now: Duration,
    finish: Option<Exit>,
}

impl World {
    fn begin() -> Self {
        let (supervisor, actions) = Supervisor::begin(&plan(), RestartBudget::DEFAULT);
        let mut world = Self {
            supervisor,
            live: BTreeSet::new(),
            starts: Vec::new(),
            now: Duration::ZERO,
            finish: None,
        };
        world.perform(actions);
        world
    }

    #[track_caller]
    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            assert_eq!(self.finish, None, "terminal is sticky, yet {action:?}");
            match action {
                Action::Start(id) => {
                    assert!(self.live.insert(id), "two live {id}");
                    self.starts.push((id, self.now));
                }
                Action::Terminate(id) | Action::Kill(id) => {
                    assert!(self.live.contains(&id), "signal to {id}, which is not live");
                }
                Action::Finish(exit) => {
                    assert!(self.live.is_empty(), "left behind: {:?}", self.live);
                    self.finish = Some(exit);
                }
            }
        }
        assert_eq!(self.supervisor.is_finished(), self.finish.is_some());
    }

    #[track_caller]
    fn happen(&mut self, event: Event) {
        if let Event::Ended(id, _) = &event {
            self.live.remove(id);
        }
        let actions = self.supervisor.handle(event, self.now);
        self.perform(actions);
    }

    fn starts_of(&self, id: ProcessId) -> Vec<Duration> {
        self.starts.iter().filter(|(started, _)| *started == id).map(|(_, at)| *at).collect()
    }
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        1 => Just(Ending::Exit(Exit::done())),
        1 => Just(Ending::Exit(Exit::bad_configuration("no such preset"))),
        4 => Just(Ending::Exit(Exit::temporary("disk full"))),
        1 => Just(Ending::Exit(Exit::stopped("asked"))),
        6 => Just(Ending::Crash("killed by signal 9".to_owned())),
    ]
}

#[derive(Debug, Clone)]
enum Happening {
    Listening,
    Ends(prop::sample::Index, Ending),
    Stop,
    Wait(u64),
    /// A late report about a process that is not live.
    Late(Ending),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => Just(Happening::Listening),
        8 => (any::<prop::sample::Index>(), ending()).prop_map(|(which, ending)| Happening::Ends(which, ending)),
        1 => Just(Happening::Stop),
        6 => (0_u64..40_000).prop_map(Happening::Wait),
        1 => (3_500_000_u64..4_000_000).prop_map(Happening::Wait),
        1 => ending().prop_map(Happening::Late),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_history_keeps_one_process_per_worker_within_budget_and_ends_once(
        history in prop::collection::vec(happening(), 0..60),
    ) {
        let mut world = World::begin();
        for happening in history {
            match happening {
                Happening::Listening if world.live.contains(&ProcessId::TRAINER) => world.happen(Event::Listening),
                Happening::Ends(which, ending) if !world.live.is_empty() => {
                    let live: Vec<_> = world.live.iter().copied().collect();
                    world.happen(Event::Ended(*which.get(&live), ending));
                }
                Happening::Stop => world.happen(Event::StopAsked),
                Happening::Wait(milliseconds) => {
                    world.now += Duration::from_millis(milliseconds);
                    world.happen(Event::Tick);
                }
                Happening::Late(ending) if !world.live.contains(&REWARD) => {
                    let before = world.starts.len();
                    world.happen(Event::Ended(REWARD, ending));
                    prop_assert_eq!(world.starts.len(), before);
                }
                _ => {}
            }
        }
        // Only the trainer: a worker that exited with `done` restarts with the trainer without counting.
        let budget = RestartBudget::DEFAULT;
        let starts = world.starts_of(ProcessId::TRAINER);
        for window in starts.windows(budget.failures + 2) {
            let span = window[budget.failures + 1] - window[0];
            prop_assert!(span >= budget.window, "the trainer started {} times in {span:?}", window.len());
        }
        // In every state, two stop requests end the run once the processes obey.
        world.happen(Event::StopAsked);
        world.happen(Event::StopAsked);
        while let Some(id) = world.live.first().copied() {
            world.happen(Event::Ended(id, Ending::Crash("killed by signal 9".to_owned())));
        }
        prop_assert!(world.finish.is_some());
    }
}

fn crash() -> Ending {
    Ending::Crash("killed by signal 9".to_owned())
}

fn working() -> World {
    let mut world = World::begin();
    world.happen(Event::Listening);
    assert_eq!(world.live.len(), 3);
    world
}

#[test]
fn the_trainer_starts_first_and_the_others_once_it_listens() {
    let mut world = World::begin();
    assert_eq!(world.live, BTreeSet::from([ProcessId::TRAINER]));
    world.happen(Event::Tick);
    assert_eq!(world.live.len(), 1);
    world.happen(Event::Listening);
    assert_eq!(world.live.len(), 3);
}

#[test]
fn a_process_restarts_with_growing_back_off_until_its_budget_is_spent() {
    for id in [ProcessId::TRAINER, ROLLOUT] {
        let mut world = working();
        for pause in [0, 1, 2, 4, 8, 16] {
            world.happen(Event::Ended(id, crash()));
            assert_eq!(world.live.contains(&id), pause == 0);
            if pause > 0 {
                world.now += Duration::from_secs(pause) - Duration::from_millis(1);
                world.happen(Event::Tick);
                assert!(!world.live.contains(&id), "{id} restarted before {pause} s");
            }
            world.now += Duration::from_millis(1);
            world.happen(Event::Tick);
            assert!(world.live.contains(&id), "{id} did not restart after {pause} s");
        }
        world.happen(Event::Ended(id, crash()));
        for id in world.live.clone() {
            world.happen(Event::Ended(id, Ending::Exit(Exit::stopped(""))));
        }
        let exit = world.finish.expect("the budget is spent");
        assert_eq!(exit.reason, ExitReason::Temporary);
        assert_eq!(
            exit.message,
            format!("{id} failed 7 times within 3600 s, last: killed by signal 9")
        );
    }
}

#[test]
fn failures_are_forgotten_after_the_window() {
    let mut world = working();
    for _ in 0..40 {
        world.happen(Event::Ended(ROLLOUT, crash()));
        world.now += Duration::from_secs(900);
        world.happen(Event::Tick);
    }
    assert_eq!(world.finish, None);
    assert_eq!(world.starts_of(ROLLOUT).len(), 41);
}

#[test]
fn a_worker_that_is_done_restarts_only_with_a_new_trainer() {
    let mut world = working();
    world.happen(Event::Ended(ROLLOUT, Ending::Exit(Exit::done())));
    world.happen(Event::Tick);
    assert!(!world.live.contains(&ROLLOUT));
    world.happen(Event::Ended(ProcessId::TRAINER, crash()));
    assert!(!world.live.contains(&ROLLOUT));
    world.happen(Event::Listening);
    assert!(world.live.contains(&ROLLOUT));
}

#[track_caller]
fn check_end(events: Vec<Event>, expected: Exit) {
    let mut world = working();
    for event in events {
        world.happen(event);
    }
    assert_eq!(world.finish, Some(expected));
}

#[test]
fn a_run_ends_with_the_reason_that_stopped_it() {
    let ended = |id, exit| Event::Ended(id, Ending::Exit(exit));
    let workers_leave = || [ended(ROLLOUT, Exit::done()), ended(REWARD, Exit::stopped("asked"))];

    let mut done = vec![ended(ProcessId::TRAINER, Exit::done())];
    done.extend(workers_leave());
    check_end(done, Exit::done());

    let mut stopped = vec![
        Event::StopAsked,
        ended(ProcessId::TRAINER, Exit::stopped("checkpoint of step 40 written")),
    ];
    stopped.extend(workers_leave());
    check_end(stopped, Exit::stopped("stopped; run again to continue"));

    let mut finished_meanwhile = vec![Event::StopAsked, ended(ProcessId::TRAINER, Exit::done())];
    finished_meanwhile.extend(workers_leave());
    check_end(finished_meanwhile, Exit::done());

    let mut unsaved = vec![Event::StopAsked, Event::Ended(ProcessId::TRAINER, crash())];
    unsaved.extend(workers_leave());
    check_end(
        unsaved,
        Exit::temporary(
            "stopped, but the trainer ended without a final checkpoint (killed by signal 9); run again to continue from the newest checkpoint",
        ),
    );

    check_end(
        vec![
            ended(REWARD, Exit::bad_configuration("catalog fine is not known; write mini")),
            ended(ProcessId::TRAINER, Exit::stopped("")),
            ended(ROLLOUT, Exit::stopped("")),
        ],
        Exit::bad_configuration("reward 0: catalog fine is not known; write mini"),
    );
}

#[test]
fn stopping_asks_the_trainer_first_and_kills_only_after_the_grace_period() {
    let mut world = working();
    let stop = world.supervisor.handle(Event::StopAsked, world.now);
    assert_eq!(stop, [Action::Terminate(ProcessId::TRAINER)]);

    world.now += Duration::from_secs(59);
    assert_eq!(world.supervisor.handle(Event::Tick, world.now), []);
    world.now += Duration::from_secs(1);
    let killed = world.supervisor.handle(Event::Tick, world.now);
    assert!(killed.contains(&Action::Kill(ProcessId::TRAINER)), "{killed:?}");

    let gone = Event::Ended(ProcessId::TRAINER, crash());
    assert_eq!(
        world.supervisor.handle(gone, world.now),
        [Action::Terminate(ROLLOUT), Action::Terminate(REWARD)]
    );
    world.now += Duration::from_secs(10);
    assert_eq!(
        world.supervisor.handle(Event::Tick, world.now),
        [Action::Kill(ROLLOUT), Action::Kill(REWARD)]
    );
    assert_eq!(world.supervisor.handle(Event::Tick, world.now), [], "each process is killed once");
}
