//! Drives the pure supervisor: reports what happens to it and does what it says.

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

/// How often time is reported to the supervisor and the view is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// What the tasks around the loop report.
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
    /// Looks for the trainer's address while the trainer starts.
    looking: Option<AbortHandle>,
    reports: UnboundedSender<Report>,
    inbox: UnboundedReceiver<Report>,
    /// Somebody asked to stop.
    stopping: bool,
    /// Processes are asked to leave: that they do is no news.
    leaving: bool,
}

impl<'a> Drive<'a> {
    /// Nothing runs yet.
    pub(super) fn new(launcher: Launcher, observer: Observer, view: &'a mut View) -> Self {
        let (reports, inbox) = unbounded_channel();
        let live = BTreeMap::new();
        Self {
            launcher,
            observer,
            view,
            live,
            looking: None,
            reports,
            inbox,
            stopping: false,
            leaving: false,
        }
    }

    /// Runs the processes of `plan` until nothing is left of them. Every message of `stops` asks to stop.
    pub(super) async fn run(
        mut self,
        plan: &LocalPlan,
        budget: RestartBudget,
        mut stops: UnboundedReceiver<()>,
    ) -> Exit {
        let begun = Instant::now();
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
                Some(report) = self.inbox.recv() => self.notice(report),
                Some(()) = stops.recv() => self.stop_asked(),
                _ = ticks.tick() => Event::Tick,
            };
            self.view.show(self.observer.latest().as_ref(), begun.elapsed());
            actions = supervisor.handle(event, begun.elapsed());
        }
    }

    fn notice(&mut self, report: Report) -> Event {
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
                    self.looking.take().inspect(AbortHandle::abort);
                }
                if !self.leaving && ending.reason() != Some(ExitReason::Done) {
                    let log = self.launcher.log(id);
                    self.view.note(&format!("{id} ended: {ending} ({})", log.display()));
                }
                Event::Ended(id, ending)
            }
        }
    }

    fn stop_asked(&mut self) -> Event {
        let note = if self.stopping {
            "stopping at once"
        } else {
            "stopping: the trainer writes a checkpoint; once more stops at once"
        };
        self.view.note(note);
        self.stopping = true;
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
                return self.report(Report::Ended(
                    id,
                    Ending::Crash(format!("cannot be started: {error}")),
                ));
            }
        };
        // A child that was not awaited yet has its id.
        if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            self.live.insert(id, pid);
        }
        let reports = self.reports.clone();
        tokio::spawn(async move {
            let ending = outlive(child).await;
            // The loop is gone only when the run is over.
            let _ = reports.send(Report::Ended(id, ending));
        });
        if id == ProcessId::TRAINER {
            self.look_for_the_trainer();
        }
    }

    fn look_for_the_trainer(&mut self) {
        let (reports, address_file) = (self.reports.clone(), self.launcher.address_file());
        let looking = tokio::spawn(async move {
            let address = Launcher::listening(address_file).await;
            let _ = reports.send(Report::Listening(address));
        });
        self.looking = Some(looking.abort_handle());
    }

    fn signal(&mut self, id: ProcessId, signal: Signal) {
        self.leaving = true;
        if let Some(pid) = self.live.get(&id) {
            // A process that just ended needs no signal; its ending is on the way.
            let _ = kill_process(*pid, signal);
        }
    }

    fn report(&self, report: Report) {
        let _ = self.reports.send(report);
    }
}

/// Holds a child's standard input open until it ends, for when it closes, the child leaves; and listens for its last
/// words.
async fn outlive(mut child: Child) -> Ending {
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let listen = async {
        let mut words = Vec::new();
        if let Some(mut stdout) = stdout {
            // What was read before an error are the words.
            let _ = stdout.read_to_end(&mut words).await;
        }
        String::from_utf8_lossy(&words).into_owned()
    };
    let (status, words) = tokio::join!(child.wait(), listen);
    drop(stdin);
    match status {
        Ok(status) => launch::ending(status, &words),
        Err(error) => Ending::Crash(format!("cannot be awaited: {error}")),
    }
}

#[cfg(test)]
#[path = "drive_tests.rs"]
mod tests;
