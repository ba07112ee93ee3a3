//! Supervises the processes of a local job: a state machine over events, with the time as an argument.
//! Its driver performs the actions and reports every ending.
//!
//! Processes are restarted within a budget; a restarted trainer is the job's next attempt. Bad configuration ends the
//! job. Stopping has an order: first the trainer, which writes a checkpoint, then the others.

use std::collections::BTreeMap;
use std::time::Duration;

use shoprl_contract::{Exit, ExitReason};

use super::failures::RecentFailures;
use super::{Ending, LocalPlan, ProcessId};
use crate::restart::{RestartBudget, TRAINER_GRACE, WORKER_GRACE};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The trainer listens, so the others can connect to it.
    Listening,
    /// A process ended. Reported once for every [`Action::Start`].
    Ended(ProcessId, Ending),
    /// The user asked the run to stop. The second request kills the processes.
    StopAsked,
    /// Time passed.
    Tick,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a process.
    Start(ProcessId),
    /// Ask a live process to stop (SIGTERM).
    Terminate(ProcessId),
    /// Kill a live process (SIGKILL).
    Kill(ProcessId),
    /// No process is live: end the run with this exit.
    Finish(Exit),
}

#[derive(Debug, Clone)]
struct Instance {
    state: State,
    failures: RecentFailures,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not started, or ended without a restart.
    Idle,
    /// Restarts at that time.
    BackingOff(Duration),
    /// Started; its ending is not reported yet.
    Live,
}

#[derive(Debug, Clone)]
enum Stage {
    Working,
    /// Stopping all processes. Those that are live at the deadline are killed.
    Stopping {
        exit: Exit,
        deadline: Duration,
    },
    Finished,
}

impl State {
    /// Whether the back-off of a restart is over.
    fn is_due(self, now: Duration) -> bool {
        matches!(self, Self::BackingOff(until) if until <= now)
    }
}

/// Supervises the processes of one local job.
#[derive(Debug, Clone)]
pub struct Supervisor {
    budget: RestartBudget,
    processes: BTreeMap<ProcessId, Instance>,
    stage: Stage,
}

impl Supervisor {
    /// A supervisor and its first action: it starts the trainer. The budget counts failures per process.
    pub fn begin(plan: &LocalPlan, budget: RestartBudget) -> (Self, Vec<Action>) {
        let idle = || Instance { state: State::Idle, failures: RecentFailures::default() };
        let processes = plan.processes.iter().map(|process| (process.id, idle())).collect();
        let mut supervisor = Self { budget, processes, stage: Stage::Working };
        let actions = supervisor.start_where(|id, _| id == ProcessId::TRAINER);
        (supervisor, actions)
    }

    /// Whether the run is over.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished)
    }

    /// Handles an event at `now`, the time since the run began, which never goes back.
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Action> {
        if let Event::Ended(id, _) = &event
            && !self.mark_ended(*id)
        {
            return Vec::new();
        }
        match (&self.stage, event) {
            (Stage::Working, Event::Listening) => self.start_where(|_, state| state == State::Idle),
            (Stage::Working, Event::Tick) => self.start_where(|_, state| state.is_due(now)),
            (Stage::Working, Event::StopAsked) => {
                self.stop(Exit::stopped("stopped; run again to continue"), now)
            }
            (Stage::Working, Event::Ended(id, ending)) => {
                self.ended_while_working(id, &ending, now)
            }
            (Stage::Stopping { .. }, Event::Ended(id, ending)) => {
                self.ended_while_stopping(id, &ending, now)
            }
            (Stage::Stopping { .. }, Event::StopAsked) => self.kill_live(),
            (Stage::Stopping { deadline, .. }, Event::Tick) if *deadline <= now => self.kill_live(),
            (Stage::Stopping { .. }, Event::Tick | Event::Listening) | (Stage::Finished, _) => {
                Vec::new()
            }
        }
    }

    /// Marks a process as ended. Returns false if it was not live.
    fn mark_ended(&mut self, id: ProcessId) -> bool {
        match self.processes.get_mut(&id) {
            Some(instance) if instance.state == State::Live => {
                instance.state = State::Idle;
                true
            }
            _ => false,
        }
    }

    /// Handles the end of a process while the job runs.
    fn ended_while_working(
        &mut self,
        id: ProcessId,
        ending: &Ending,
        now: Duration,
    ) -> Vec<Action> {
        match ending.reason() {
            Some(ExitReason::Done) if id == ProcessId::TRAINER => self.stop(Exit::done(), now),
            // The trainer reported the job's end to the worker. If the trainer restarts, so does the worker.
            Some(ExitReason::Done) => Vec::new(),
            Some(ExitReason::BadConfiguration) => {
                self.stop(Exit::bad_configuration(format!("{id}: {ending}")), now)
            }
            Some(ExitReason::Temporary | ExitReason::Stopped) | None => {
                self.restart(id, ending, now)
            }
        }
    }

    fn restart(&mut self, id: ProcessId, ending: &Ending, now: Duration) -> Vec<Action> {
        let budget = self.budget;
        let Some(instance) = self.processes.get_mut(&id) else { return Vec::new() };
        match instance.failures.record(&budget, now) {
            Some(at) => {
                instance.state = State::BackingOff(at);
                self.start_where(|other, state| other == id && state.is_due(now))
            }
            None => {
                let (times, seconds) = (budget.failures + 1, budget.window.as_secs());
                let message =
                    format!("{id} failed {times} times within {seconds} s, last: {ending}");
                self.stop(Exit::temporary(message), now)
            }
        }
    }

    fn start_where(&mut self, ready: impl Fn(ProcessId, State) -> bool) -> Vec<Action> {
        let mut actions = Vec::new();
        for (id, instance) in &mut self.processes {
            if instance.state != State::Live && ready(*id, instance.state) {
                instance.state = State::Live;
                actions.push(Action::Start(*id));
            }
        }
        actions
    }

    /// Stops the job: first the trainer, so that the end of the others does not delay its checkpoint.
    fn stop(&mut self, exit: Exit, now: Duration) -> Vec<Action> {
        for instance in self.processes.values_mut() {
            if matches!(instance.state, State::BackingOff(_)) {
                instance.state = State::Idle;
            }
        }
        if self.is_live(ProcessId::TRAINER) {
            self.stage = Stage::Stopping { exit, deadline: now + TRAINER_GRACE };
            vec![Action::Terminate(ProcessId::TRAINER)]
        } else {
            self.stop_others(exit, now)
        }
    }

    /// Stops the other processes after the trainer ended.
    fn stop_others(&mut self, exit: Exit, now: Duration) -> Vec<Action> {
        let live = self.live();
        if live.is_empty() {
            self.stage = Stage::Finished;
            return vec![Action::Finish(exit)];
        }
        self.stage = Stage::Stopping { exit, deadline: now + WORKER_GRACE };
        live.into_iter().map(Action::Terminate).collect()
    }

    /// Handles the end of a process while the job stops.
    fn ended_while_stopping(
        &mut self,
        id: ProcessId,
        ending: &Ending,
        now: Duration,
    ) -> Vec<Action> {
        let Stage::Stopping { exit, .. } = &self.stage else { return Vec::new() };
        let exit = exit.clone();
        if id == ProcessId::TRAINER {
            return self.stop_others(final_exit(exit, ending), now);
        }
        if self.live().is_empty() {
            self.stage = Stage::Finished;
            return vec![Action::Finish(exit)];
        }
        Vec::new()
    }

    /// Kills the live processes after the deadline. Their endings are still awaited, so that none outlives the run.
    fn kill_live(&mut self) -> Vec<Action> {
        if let Stage::Stopping { deadline, .. } = &mut self.stage {
            *deadline = Duration::MAX;
        }
        self.live().into_iter().map(Action::Kill).collect()
    }

    fn is_live(&self, id: ProcessId) -> bool {
        self.processes.get(&id).is_some_and(|instance| instance.state == State::Live)
    }

    fn live(&self) -> Vec<ProcessId> {
        self.processes
            .iter()
            .filter(|(_, instance)| instance.state == State::Live)
            .map(|(id, _)| *id)
            .collect()
    }
}

/// The exit of a run, after its trainer ended. It depends on the trainer only if the user asked the run to stop.
fn final_exit(exit: Exit, trainer: &Ending) -> Exit {
    match (exit.reason, trainer.reason()) {
        (ExitReason::Stopped, Some(ExitReason::Done)) => Exit::done(),
        (ExitReason::Stopped, reason) if reason != Some(ExitReason::Stopped) => {
            Exit::temporary(format!(
                "stopped, but the trainer ended without a final checkpoint ({trainer}); run again to continue from the newest checkpoint"
            ))
        }
        _ => exit,
    }
}
