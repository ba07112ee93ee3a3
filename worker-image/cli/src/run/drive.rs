//! Drives the pure supervisor: feeds it events and executes its actions.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use shoprl_contract::{Exit, ExitReason};
use shoprl_plan::RestartBudget;
use shoprl_plan::local::{Action, Ending, Event, LocalPlan, ProcessId, Supervisor};
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;

use super::launch::{self, Launcher};
use super::progress::Observer;
use super::view::View;

/// Period of the supervisor's clock and of the view.
const TICK: Duration = Duration::from_millis(200);

/// Messages of the background tasks to the loop.
enum Report {
    Listening(String),
    Ended(ProcessId, Ending),
}

/// The processes of one run.
pub(super) struct Drive<'a> {
    launcher: Launcher,
    observer: Observer,
    view: &'a mut View,
    live: BTreeMap<ProcessId, Pid>,
    /// Waits for the trainer's address while the trainer starts.
    address_wait: Option<AbortHandle>,
    reports: UnboundedSender<Report>,
    inbox: UnboundedReceiver<Report>,
    /// The user requested a stop.
    stop_requested: bool,
    /// Processes were signalled: their exits are not printed.
    terminating: bool,
}

impl<'a> Drive<'a> {
    /// A run without processes.
    pub(super) fn new(launcher: Launcher, observer: Observer, view: &'a mut View) -> Self {
        let (reports, inbox) = unbounded_channel();
        let live = BTreeMap::new();
        Self {
            launcher,
            observer,
            view,
            live,
            address_wait: None,
            reports,
            inbox,
            stop_requested: false,
            terminating: false,
        }
    }

    /// Runs the processes of `plan` until all have ended. Each message of `stops` is a request to stop.
    pub(super) async fn run(
        mut self,
        plan: &LocalPlan,
        budget: RestartBudget,
        mut stops: UnboundedReceiver<()>,
    ) -> Exit {
        let started = Instant::now();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut supervisor, mut actions) = Supervisor::begin(plan, budget);
        loop {
            for action in actions {
                if let Some(exit) = self.perform(action) {
                    return exit;
                }
            }
            let event = tokio::select! {
                Some(report) = self.inbox.recv() => self.on_report(report),
                Some(()) = stops.recv() => self.on_stop(),
                _ = ticks.tick() => Event::Tick,
            };
            self.view.show(self.observer.latest().as_ref(), started.elapsed());
            actions = supervisor.handle(event, started.elapsed());
        }
    }

    fn on_report(&mut self, report: Report) -> Event {
        match report {
            Report::Listening(address) => {
                self.observer.watch(&address);
                self.launcher.trainer_listens(address);
                Event::Listening
            }
            Report::Ended(id, ending) => {
                self.live.remove(&id);
                if id == ProcessId::TRAINER {
                    self.observer.forget();
                    self.address_wait.take().inspect(AbortHandle::abort);
                }
                if !self.terminating && ending.reason() != Some(ExitReason::Done) {
                    let log = self.launcher.log(id);
                    self.view.note(&format!("{id} ended: {ending} (log: {})", log.display()));
                }
                Event::Ended(id, ending)
            }
        }
    }

    fn on_stop(&mut self) -> Event {
        let note = if self.stop_requested {
            "stopping immediately"
        } else {
            "stopping: the trainer writes a checkpoint; press Ctrl-C again to stop immediately"
        };
        self.view.note(note);
        self.stop_requested = true;
        Event::StopAsked
    }

    fn perform(&mut self, action: Action) -> Option<Exit> {
        match action {
            Action::Start(id) => self.start(id),
            Action::Terminate(id) => self.signal(id, Signal::TERM),
            Action::Kill(id) => self.signal(id, Signal::KILL),
            Action::Finish(exit) => return Some(exit),
        }
        None
    }

    fn start(&mut self, id: ProcessId) {
        let child = match self.launcher.start(id) {
            Ok(child) => child,
            Err(error) => {
                return self
                    .report(Report::Ended(id, Ending::Crash(format!("cannot start: {error}"))));
            }
        };
        // A child has an id until it is awaited.
        if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            self.live.insert(id, pid);
        }
        let reports = self.reports.clone();
        tokio::spawn(async move {
            let ending = supervise(child).await;
            // Sending fails only after the run has ended.
            let _ = reports.send(Report::Ended(id, ending));
        });
        if id == ProcessId::TRAINER {
            self.await_trainer_address();
        }
    }

    fn await_trainer_address(&mut self) {
        let (reports, address_file) = (self.reports.clone(), self.launcher.address_file());
        let wait = tokio::spawn(async move {
            let address = Launcher::listening(address_file).await;
            let _ = reports.send(Report::Listening(address));
        });
        self.address_wait = Some(wait.abort_handle());
    }

    fn signal(&mut self, id: ProcessId, signal: Signal) {
        self.terminating = true;
        if let Some(pid) = self.live.get(&id) {
            // A process that has just ended needs no signal; its report is pending.
            let _ = kill_process(*pid, signal);
        }
    }

    fn report(&self, report: Report) {
        // Sending fails only after the run has ended.
        let _ = self.reports.send(report);
    }
}

/// Waits for a child to end and reads its termination message. Its standard input stays open until then: a child exits
/// when that closes.
async fn supervise(mut child: Child) -> Ending {
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let read = async {
        let mut message = Vec::new();
        if let Some(mut stdout) = stdout {
            // After a read error, the part read so far is used.
            let _ = stdout.read_to_end(&mut message).await;
        }
        String::from_utf8_lossy(&message).into_owned()
    };
    let (status, message) = tokio::join!(child.wait(), read);
    drop(stdin);
    match status {
        Ok(status) => launch::ending(status, &message),
        Err(error) => Ending::Crash(format!("waiting for the process failed: {error}")),
    }
}

#[cfg(test)]
mod tests;
