//! Everything there is in one run, and the small steps in which it moves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};

use kube::runtime::controller::Action as Requeue;
use serde_json::{Value, json};

use super::api::{Answer, Call, Change, Event, Kind, Server, Verb, collect, failure, text, uid};
use super::bug::Bug;
use super::fault::{self, Coverage, Fault};
use super::informer::Next;
use super::kubelet::{Cluster, NEVER};
use super::ledger::{Author, Ledger};
use super::process::{Process, Waits, time};
use super::random::Random;
use super::run::NAMESPACE;
use super::trace::Trace;
use super::transport::{Message, Reply, Wire};

/// After an error a job is looked at again: the controller's constant.
const AGAIN: i64 = 3000;
/// Turns of the executor after which a pass that neither asks nor ends waits for its own process.
const TURNS: usize = 64;

/// The place of one replica of the operator.
pub(super) struct Seat {
    pub(super) process: Option<Process>,
    /// When the next process starts (ms), while there is none.
    pub(super) restart: i64,
    /// What a planted bug holds in memory in place of the persisted status, by job.
    pub(super) memory: BTreeMap<String, Value>,
}

/// A run.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) cluster: Cluster,
    pub(super) ledger: Ledger,
    pub(super) seats: Vec<Seat>,
    pub(super) random: Random,
    pub(super) trace: Trace,
    pub(super) coverage: Coverage,
    pub(super) bug: Option<Bug>,
    /// One request in so many goes wrong; 0: none.
    pub(super) faults: usize,
    /// One event in so many is lost or told twice; 0: none.
    pub(super) losses: usize,
    pub(super) now: i64,
    /// What does not hold.
    pub(super) violation: Option<String>,
    /// Writes of the operators that changed something.
    pub(super) writes: u64,
    /// The garbage collector may have something to do.
    pub(super) dirty: bool,
    clock: Arc<AtomicI64>,
    processes: u64,
    wire: Wire,
    messages: Receiver<(u64, Message)>,
    tasks: tokio::runtime::Runtime,
}

impl World {
    pub(super) fn new(seed: u64, replicas: usize, bug: Option<Bug>, keep: bool) -> Self {
        let (wire, messages) = channel();
        let tasks = tokio::runtime::Builder::new_current_thread().build();
        let empty = || Seat { process: None, restart: 0, memory: BTreeMap::new() };
        let mut world = Self {
            server: Server::default(),
            cluster: Cluster::new(),
            ledger: Ledger::new(replicas == 1),
            seats: (0..replicas).map(|_| empty()).collect(),
            random: Random::new(seed),
            trace: Trace::new(keep),
            coverage: Coverage::default(),
            bug,
            faults: 0,
            losses: 0,
            now: 0,
            violation: None,
            writes: 0,
            dirty: false,
            clock: Arc::default(),
            processes: 0,
            wire,
            messages,
            tasks: tasks.expect("a runtime without drivers needs nothing of the system"),
        };
        world.cluster.stores.unfenced = bug == Some(Bug::UnfencedLineage);
        world.set_time(0);
        world
    }

    pub(super) fn set_time(&mut self, now: i64) {
        self.now = now;
        self.clock.store(now, Ordering::Relaxed);
        self.server.now = time(now);
    }

    pub(super) fn say(&mut self, what: std::fmt::Arguments<'_>) {
        self.trace.say(self.now, what);
    }

    pub(super) fn violate(&mut self, what: String) {
        self.say(format_args!("VIOLATION {what}"));
        self.violation.get_or_insert(what);
    }

    /// A process starts at a seat.
    pub(super) fn start(&mut self, seat: usize) {
        self.processes += 1;
        // A client works in a task of its own.
        let _tasks = self.tasks.enter();
        let process = Process::start(self.processes, self.clock.clone(), self.wire.clone());
        self.seats[seat].process = Some(process);
        self.say(format_args!("operator {seat} starts"));
        self.coverage.happened("operator: started");
    }

    /// The process at a seat dies; another starts later.
    pub(super) fn kill(&mut self, seat: usize) {
        if let Some(process) = self.seats[seat].process.take() {
            process.die();
            let pause = self.random.within(0..8000);
            self.seats[seat].restart = self.now + pause;
            self.seats[seat].memory.clear();
            self.say(format_args!("operator {seat} dies"));
        }
    }

    /// What somebody other than an operator asks of the server.
    pub(super) fn ask(&mut self, call: &Call) -> Answer {
        let answer = self.server.answer(call);
        self.say(format_args!("user: {call} {} {}", call.name, answer.code));
        if let Some(change) = &answer.change {
            self.notice(change);
        }
        answer
    }

    /// An object changed.
    pub(super) fn notice(&mut self, change: &Change) {
        self.cluster.notice(change, self.now, &mut self.random);
        self.ledger.observe(change);
        self.dirty |=
            change.before.is_none() || change.after.is_none() || change.kind.plural == "shoprljobs";
    }

    /// A watch of a seat moves on by one event.
    pub(super) fn deliver(&mut self, seat: usize, jobs: bool) {
        let (now, losses) = (self.now, self.losses);
        let Some(process) = &mut self.seats[seat].process else { return };
        let informer = if jobs { &mut process.jobs } else { &mut process.pods };
        let what = if jobs { "jobs" } else { "pods" };
        match informer.next(&self.server) {
            Next::Nothing => {}
            Next::List => {
                informer.version = Some(self.server.version());
                let kind = informer.kind;
                let wanted = |it: &&Arc<Value>| {
                    jobs || it["metadata"]["labels"].get("shoprl.dev/job").is_some()
                };
                let all: Vec<Arc<Value>> = self.server.all(kind).filter(wanted).cloned().collect();
                if jobs {
                    process.list_jobs(&all, now);
                } else {
                    process.list_pods(&all, now);
                }
                self.say(format_args!("operator {seat} lists {what}"));
                self.coverage.happened("watch: listed");
            }
            Next::Event(version, event) => {
                informer.version = Some(version);
                let (lost, twice) = (self.random.once_in(losses), self.random.once_in(losses));
                if lost {
                    self.coverage.happened("watch: event lost");
                } else {
                    for _ in 0..=usize::from(twice) {
                        if jobs {
                            process.see_job(&event, now);
                        } else {
                            process.see_pod(&event, now);
                        }
                    }
                    if twice {
                        self.coverage.happened("watch: event told twice");
                    }
                }
                let (Event::Applied(object) | Event::Deleted(object)) = &event;
                let name = text(object, &["metadata", "name"]);
                self.trace.say(
                    now,
                    format_args!("operator {seat} sees {name} at {version}, lost: {lost}"),
                );
                self.delete_unknown(seat, jobs, &event);
            }
        }
        // A pass may wait for a cache.
        if self.seats[seat]
            .process
            .as_ref()
            .is_some_and(|it| it.pass.is_some() && it.waits.is_empty())
        {
            self.settle(seat);
        }
    }

    /// The planted bug of a destructive read from a cache.
    fn delete_unknown(&mut self, seat: usize, jobs: bool, event: &Event) {
        let (Some(Bug::CachedDestructiveRead), false, Event::Applied(pod)) =
            (self.bug, jobs, event)
        else {
            return;
        };
        let Some(process) = &self.seats[seat].process else { return };
        let owner = text(&pod["metadata"]["ownerReferences"][0], &["name"]);
        if process.job(owner).is_some() {
            return;
        }
        let Some(job) = self.server.get(Kind::of("shoprljobs"), NAMESPACE, owner).cloned() else {
            return;
        };
        let name = text(pod, &["metadata", "name"]);
        let call = super::kubelet::call(Verb::Delete, "", NAMESPACE, name, json!({}));
        self.perform(seat, &call, &job);
    }

    /// A seat begins a pass over a job.
    pub(super) fn begin(&mut self, seat: usize, name: &str) {
        let bug = self.bug;
        let place = &mut self.seats[seat];
        let Some(process) = &mut place.process else { return };
        process.queue.remove(name);
        let Some(job) = process.job(name).cloned() else { return };
        let mut seen = job.clone();
        if let Some(bug) = bug {
            let seen = Arc::make_mut(&mut seen);
            bug.misread(seen, process.passes == 0);
            if let Some(status) = place.memory.get(name) {
                seen["status"] = status.clone();
            }
        }
        process.begin(job, &seen, &self.tasks);
        self.say(format_args!("operator {seat} looks at {name}"));
        self.settle(seat);
    }

    /// Lets a pass run until all that it does waits for an answer, or for something inside its process, or it ends.
    fn settle(&mut self, seat: usize) {
        loop {
            let messages = &self.messages;
            let message = self.tasks.block_on(async {
                for _ in 0..TURNS {
                    if let Ok(message) = messages.try_recv() {
                        return Some(message);
                    }
                    tokio::task::yield_now().await;
                }
                None
            });
            let Some((id, message)) = message else { return };
            let place = &mut self.seats[seat];
            let Some(process) = place.process.as_mut().filter(|it| it.id == id) else { continue };
            match message {
                Message::Call(call, reply) => process.wait(Waits::Call(call, reply)),
                Message::Ask(address, reply) => process.wait(Waits::Ask(address, reply)),
                Message::Unreadable(what) => self.violate(format!("the model cannot read {what}")),
                Message::Done(result) => self.finish(seat, &result),
            }
        }
    }

    fn finish(&mut self, seat: usize, result: &Result<Requeue, String>) {
        let now = self.now;
        let Some(process) = &mut self.seats[seat].process else { return };
        let Some(pass) = process.pass.take() else { return };
        let name = text(&pass.job, &["metadata", "name"]).to_owned();
        let after = match result {
            Ok(action) => super::requeue::after(action),
            Err(_) => Some(AGAIN),
        };
        if let Some(after) = after {
            process.wake(&name, now + after);
        }
        self.say(format_args!("operator {seat} is done with {name}: {result:?}"));
        if self.bug == Some(Bug::NeedlessWrite)
            && let Some(job) = self.server.get(Kind::of("shoprljobs"), NAMESPACE, &name).cloned()
        {
            let call = status_write(&job);
            self.perform(seat, &call, &job);
        }
    }

    /// One of the requests that a seat waits for is answered, or goes wrong.
    pub(super) fn resume(&mut self, seat: usize) {
        let Some(process) = &mut self.seats[seat].process else { return };
        let at = match process.waits.len() {
            0 => return,
            1 => 0,
            several => self.random.below(several),
        };
        let (job, waits) = process.waits.remove(at);
        match waits {
            Waits::Ask(address, reply) => {
                let fault = self.fault(fault::ASK);
                self.say(format_args!("operator {seat}: ask {address}: {fault}"));
                if matches!(fault, Fault::CrashBefore | Fault::CrashAfter) {
                    return self.kill(seat);
                }
                let progress = (fault == Fault::None).then(|| self.progress(&address)).flatten();
                let _ = reply.send(progress);
                self.settle(seat);
            }
            Waits::Call(mut call, reply) => {
                let site = fault::site(&call);
                let fault = self.fault(&site);
                if let Some(bug) = self.bug {
                    bug.missend(&mut call);
                }
                let refuse = |code, reason| failure(code, reason, "as planned", json!({}));
                let answer = match fault {
                    Fault::Error => Some(refuse(503, "ServiceUnavailable")),
                    Fault::Conflict => Some(refuse(409, "Conflict")),
                    Fault::CrashBefore => None,
                    _ => Some(self.perform(seat, &call, &job)),
                };
                let code = answer.as_ref().map_or(0, |answer| answer.code);
                let name = if call.name.is_empty() {
                    text(&call.body, &["metadata", "name"])
                } else {
                    &call.name
                };
                self.trace
                    .say(self.now, format_args!("operator {seat}: {site} {name} {code}: {fault}"));
                match (fault, answer) {
                    (Fault::CrashBefore | Fault::CrashAfter, _) | (_, None) => {
                        return self.kill(seat);
                    }
                    (Fault::TimeoutApplied, _) => {
                        self.count_again(seat, &call, &job);
                        let _ = reply.send(Reply::TimedOut);
                    }
                    (_, Some(answer)) => {
                        self.tell_of_made(seat, &answer);
                        let _ = reply.send(Reply::Answer(answer));
                    }
                }
                self.settle(seat);
            }
        }
    }

    fn fault(&mut self, site: &str) -> Fault {
        let goes_wrong = self.random.once_in(self.faults);
        let possible: Vec<Fault> =
            Fault::ALL.into_iter().filter(|it| it.is_possible(site)).collect();
        let fault = if goes_wrong { self.random.pick(&possible).copied() } else { None };
        let fault = fault.unwrap_or(Fault::None);
        self.coverage.count(site, fault);
        fault
    }

    /// The server does what an operator asks, and the books are checked.
    fn perform(&mut self, seat: usize, call: &Call, job: &Arc<Value>) -> Answer {
        if let Some(answer) = self.remember(seat, call) {
            return answer;
        }
        let answer = self.server.answer(call);
        if let Some(change) = &answer.change {
            self.writes += 1;
            self.notice(change);
            self.read_back(seat, change);
        }
        let Some(process) = &self.seats[seat].process else { return answer };
        let listed = process.listed;
        let author = Author { job, cached: &process.cached, listed };
        let pods: Vec<&Value> = self.server.all(Kind::of("pods")).map(|pod| &**pod).collect();
        if let Err(what) = self.ledger.operator(call, &answer, &author, self.now, &pods) {
            self.violate(what);
        }
        answer
    }

    /// A process knows of a pod that it made as soon as it is answered.
    fn tell_of_made(&mut self, seat: usize, answer: &Answer) {
        let Some(process) = &mut self.seats[seat].process else { return };
        if let Some(Change { kind, before: None, after: Some(made), .. }) = &answer.change
            && kind.plural == "pods"
        {
            process.cached.insert(uid(made).to_owned());
        }
    }

    /// A pass goes on with the job as it wrote it.
    fn read_back(&mut self, seat: usize, change: &Change) {
        let pass = self.seats[seat].process.as_mut().and_then(|process| process.pass.as_mut());
        if let (Some(pass), Some(written), "shoprljobs") = (pass, &change.after, change.kind.plural)
        {
            pass.job = written.clone();
        }
    }

    /// The planted bug of effects before their intent: a changed wish is kept in memory.
    fn remember(&mut self, seat: usize, call: &Call) -> Option<Answer> {
        if self.bug != Some(Bug::EffectBeforeIntent) || call.subresource != "status" {
            return None;
        }
        let stored = self.server.get(call.kind, &call.namespace, &call.name)?;
        if stored["status"]["intent"] == call.body["status"]["intent"] {
            return None;
        }
        let place = &mut self.seats[seat];
        place.memory.insert(call.name.clone(), call.body["status"].clone());
        if let Some(process) = &mut place.process {
            process.wake(&call.name, self.now);
        }
        Some(Answer { code: 200, body: Arc::new(call.body.clone()), change: None })
    }

    /// The planted bug of a write that is repeated because its reply was lost.
    fn count_again(&mut self, seat: usize, call: &Call, job: &Arc<Value>) {
        let failed = &call.body["status"]["failures"]["application"];
        if self.bug != Some(Bug::DoubleCountAfterLostReply)
            || call.subresource != "status"
            || *failed == job["status"]["failures"]["application"]
        {
            return;
        }
        let Some(stored) = self.server.get(call.kind, &call.namespace, &call.name).cloned() else {
            return;
        };
        let mut again = status_write(&stored);
        again.body["status"]["failures"]["application"] = (failed.as_i64().unwrap_or(0) + 1).into();
        self.perform(seat, &again, job);
    }

    /// One piece of the garbage collector's work.
    pub(super) fn collect(&mut self) {
        match collect(&mut self.server) {
            Some(change) => {
                let object = change.after.as_ref().or(change.before.as_ref());
                let name = object.map_or("", |object| text(object, &["metadata", "name"]));
                self.trace.say(self.now, format_args!("collects {name}"));
                self.notice(&change);
            }
            None => self.dirty = false,
        }
    }

    /// Something happens with a pod on a node.
    pub(super) fn advance(&mut self, pod: &str) {
        match self.cluster.advance(pod, &mut self.server, self.now, &mut self.random) {
            Ok(changes) => {
                for change in &changes {
                    self.notice(change);
                }
                if let Some(worker) = self.cluster.workers.get(pod) {
                    let (name, stage, step) =
                        (worker.name.clone(), worker.stage.clone(), worker.step);
                    if self.cluster.stores.is_finished(&worker.job) {
                        self.ledger.finished.insert(worker.job.clone());
                    }
                    self.say(format_args!("kubelet: {name} {stage:?} step {step}"));
                }
            }
            Err(what) => self.violate(what),
        }
    }

    /// When anything happens next by itself.
    pub(super) fn due(&self) -> i64 {
        let passes = self.seats.iter().filter_map(|seat| match &seat.process {
            Some(process) => process.queue.values().min().copied(),
            None => Some(seat.restart),
        });
        passes.chain([self.cluster.due()]).min().unwrap_or(NEVER)
    }
}

/// Writes the status of a job as it is stored.
fn status_write(job: &Value) -> Call {
    Call {
        verb: Verb::Update,
        kind: Kind::of("shoprljobs"),
        namespace: NAMESPACE.to_owned(),
        name: text(job, &["metadata", "name"]).to_owned(),
        subresource: "status".to_owned(),
        selector: String::new(),
        manager: String::new(),
        body: job.clone(),
    }
}
