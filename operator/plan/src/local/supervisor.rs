//! What follows when a process of a local job ends: a state machine over events and a clock that is
//! handed in. Whoever drives it performs the actions and reports every ending.
//!
//! Stateless workers and the trainer are started again within a budget; a restarted trainer is its
//! job's next attempt. Bad configuration ends the job. Leaving goes in order: the trainer writes its
//! checkpoint first, then the others go.

use std::collections::BTreeMap;
use std::time::Duration;

use shoprl_contract::{Exit, ExitReason};

use super::budget::{Budget, RestartPolicy};
use super::{Ending, LocalPlan, ProcessId};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The trainer listens: the others can dial it.
    Listening,
    /// A process ended. Reported once for every [`Action::Start`].
    Ended(ProcessId, Ending),
    /// Somebody asked the run to stop; the second time, at once.
    StopAsked,
    /// Time went by.
    Tick,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a process.
    Start(ProcessId),
    /// Ask a live process to leave (SIGTERM).
    Terminate(ProcessId),
    /// End a live process (SIGKILL).
    Kill(ProcessId),
    /// Nothing is left: end the run with this.
    Finish(Exit),
}

#[derive(Debug, Clone)]
struct Instance {
    life: Life,
    budget: Budget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Not started, or left for good.
    Idle,
    /// Starts again at that time.
    Waiting(Duration),
    /// Started, its ending not reported yet.
    Live,
}

#[derive(Debug, Clone)]
enum Stage {
    Working,
    /// On the way out with a verdict; whoever still lives at the deadline is killed.
    Leaving {
        verdict: Exit,
        deadline: Duration,
    },
    Finished,
}

/// Supervises the processes of one local job.
#[derive(Debug, Clone)]
pub struct Supervisor {
    policy: RestartPolicy,
    processes: BTreeMap<ProcessId, Instance>,
    stage: Stage,
}

impl Supervisor {
    /// A supervisor and what it does first: it starts the trainer.
    pub fn begin(plan: &LocalPlan, policy: RestartPolicy) -> (Self, Vec<Action>) {
        let idle = || Instance { life: Life::Idle, budget: Budget::default() };
        let processes = plan.processes.iter().map(|process| (process.id, idle())).collect();
        let mut supervisor = Self { policy, processes, stage: Stage::Working };
        let actions = supervisor.start_where(|id, _| id == ProcessId::TRAINER);
        (supervisor, actions)
    }

    /// Whether the run is over.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished)
    }

    /// Takes in what happened at `now` (time since the run began, never going back).
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Action> {
        if let Event::Ended(id, _) = &event
            && !self.bury(*id)
        {
            return Vec::new();
        }
        match (&self.stage, event) {
            (Stage::Working, Event::Listening) => self.start_where(|_, life| life == Life::Idle),
            (Stage::Working, Event::Tick) => {
                self.start_where(|_, life| matches!(life, Life::Waiting(at) if at <= now))
            }
            (Stage::Working, Event::StopAsked) => {
                self.leave(Exit::stopped("stopped; run again to continue"), now)
            }
            (Stage::Working, Event::Ended(id, ending)) => self.answer(id, &ending, now),
            (Stage::Leaving { .. }, Event::Ended(id, ending)) => self.farewell(id, &ending, now),
            (Stage::Leaving { .. }, Event::StopAsked) => self.kill_live(),
            (Stage::Leaving { deadline, .. }, Event::Tick) if *deadline <= now => self.kill_live(),
            (Stage::Leaving { .. }, Event::Tick | Event::Listening) | (Stage::Finished, _) => {
                Vec::new()
            }
        }
    }

    /// Notes that a process ended; false when it was not live.
    fn bury(&mut self, id: ProcessId) -> bool {
        match self.processes.get_mut(&id) {
            Some(instance) if instance.life == Life::Live => {
                instance.life = Life::Idle;
                true
            }
            _ => false,
        }
    }

    /// A process ended while the job works.
    fn answer(&mut self, id: ProcessId, ending: &Ending, now: Duration) -> Vec<Action> {
        match ending.reason() {
            Some(ExitReason::Done) if id == ProcessId::TRAINER => self.leave(Exit::done(), now),
            // The trainer told it that the job is over. Should the trainer come back, so does the worker.
            Some(ExitReason::Done) => Vec::new(),
            Some(ExitReason::BadConfiguration) => {
                self.leave(Exit::bad_configuration(format!("{id}: {ending}")), now)
            }
            Some(ExitReason::Temporary | ExitReason::Stopped) | None => {
                self.restart(id, ending, now)
            }
        }
    }

    fn restart(&mut self, id: ProcessId, ending: &Ending, now: Duration) -> Vec<Action> {
        let policy = self.policy;
        let Some(instance) = self.processes.get_mut(&id) else { return Vec::new() };
        match instance.budget.fail(&policy, now) {
            Some(at) => {
                instance.life = Life::Waiting(at);
                self.start_where(|other, life| {
                    other == id && matches!(life, Life::Waiting(at) if at <= now)
                })
            }
            None => {
                let (times, seconds) = (policy.restarts + 1, policy.window.as_secs());
                let message =
                    format!("{id} failed {times} times within {seconds} s, last: {ending}");
                self.leave(Exit::temporary(message), now)
            }
        }
    }

    fn start_where(&mut self, ready: impl Fn(ProcessId, Life) -> bool) -> Vec<Action> {
        let mut actions = Vec::new();
        for (id, instance) in &mut self.processes {
            if instance.life != Life::Live && ready(*id, instance.life) {
                instance.life = Life::Live;
                actions.push(Action::Start(*id));
            }
        }
        actions
    }

    /// Begins to leave: first the trainer, whose checkpoint the others' deaths must not delay.
    fn leave(&mut self, verdict: Exit, now: Duration) -> Vec<Action> {
        for instance in self.processes.values_mut() {
            if matches!(instance.life, Life::Waiting(_)) {
                instance.life = Life::Idle;
            }
        }
        if self.is_live(ProcessId::TRAINER) {
            self.stage = Stage::Leaving { verdict, deadline: now + self.policy.checkpoint_grace };
            vec![Action::Terminate(ProcessId::TRAINER)]
        } else {
            self.dismiss_others(verdict, now)
        }
    }

    /// The trainer is gone: the others go too.
    fn dismiss_others(&mut self, verdict: Exit, now: Duration) -> Vec<Action> {
        let live = self.live();
        if live.is_empty() {
            self.stage = Stage::Finished;
            return vec![Action::Finish(verdict)];
        }
        self.stage = Stage::Leaving { verdict, deadline: now + self.policy.grace };
        live.into_iter().map(Action::Terminate).collect()
    }

    /// A process ended on the way out.
    fn farewell(&mut self, id: ProcessId, ending: &Ending, now: Duration) -> Vec<Action> {
        let Stage::Leaving { verdict, .. } = &self.stage else { return Vec::new() };
        let verdict = verdict.clone();
        if id == ProcessId::TRAINER {
            return self.dismiss_others(last_words(verdict, ending), now);
        }
        if self.live().is_empty() {
            self.stage = Stage::Finished;
            return vec![Action::Finish(verdict)];
        }
        Vec::new()
    }

    /// Patience is over. Endings are still awaited, so that nothing outlives the run.
    fn kill_live(&mut self) -> Vec<Action> {
        if let Stage::Leaving { deadline, .. } = &mut self.stage {
            *deadline = Duration::MAX;
        }
        self.live().into_iter().map(Action::Kill).collect()
    }

    fn is_live(&self, id: ProcessId) -> bool {
        self.processes.get(&id).is_some_and(|instance| instance.life == Life::Live)
    }

    fn live(&self) -> Vec<ProcessId> {
        self.processes
            .iter()
            .filter(|(_, instance)| instance.life == Life::Live)
            .map(|(id, _)| *id)
            .collect()
    }
}

/// What a run that was asked to stop ends with, given how its trainer took it.
fn last_words(verdict: Exit, trainer: &Ending) -> Exit {
    match (verdict.reason, trainer.reason()) {
        (ExitReason::Stopped, Some(ExitReason::Done)) => Exit::done(),
        (ExitReason::Stopped, reason) if reason != Some(ExitReason::Stopped) => {
            Exit::temporary(format!(
                "stopped, but the trainer left without a last checkpoint ({trainer}); run again to continue from the newest"
            ))
        }
        _ => verdict,
    }
}
