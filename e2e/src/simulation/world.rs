//! The state of one run, and the steps that change it.

mod planted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};

use kube::runtime::controller::Action as Requeue;
use serde_json::{Value, json};

use super::api::{Answer, Call, Change, Event, Kind, Server, collect, failure, text, uid};
use super::bug::Bug;
use super::fault::{self, Coverage, Fault};
use super::informer::Next;
use super::invariants::{Author, Invariants};
use super::kubelet::{Cluster, NEVER};
use super::names::NAMESPACE;
use super::process::{Pending, Process, time};
use super::random::Random;
use super::trace::Trace;
use super::transport::{Message, Reply, Wire};

/// Requeue delay after an error (ms), as in the operator's controller.
const ERROR_REQUEUE: i64 = 3000;
/// Polls of the executor after which a reconcile without a message is waiting for its own process.
const MAX_POLLS: usize = 64;

/// One replica of the operator: its current process, if any.
pub(super) struct Replica {
    pub(super) process: Option<Process>,
    /// Start time of the next process (ms) while there is none.
    pub(super) restart: i64,
    /// Status by job that a planted bug keeps in memory instead of persisting it.
    pub(super) memory: BTreeMap<String, Value>,
}

/// The state of a run.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) cluster: Cluster,
    pub(super) invariants: Invariants,
    pub(super) replicas: Vec<Replica>,
    pub(super) random: Random,
    pub(super) trace: Trace,
    pub(super) coverage: Coverage,
    pub(super) bug: Option<Bug>,
    /// One request in `faults` fails; 0 for none.
    pub(super) faults: usize,
    /// One watch event in `losses` is lost or delivered twice; 0 for none.
    pub(super) losses: usize,
    pub(super) now: i64,
    /// The first violated invariant.
    pub(super) violation: Option<String>,
    /// Writes of the operator that changed an object.
    pub(super) writes: u64,
    /// The garbage collector may have work.
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
        let empty = || Replica { process: None, restart: 0, memory: BTreeMap::new() };
        let mut world = Self {
            server: Server::default(),
            cluster: Cluster::new(),
            invariants: Invariants::new(replicas == 1),
            replicas: (0..replicas).map(|_| empty()).collect(),
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
            tasks: tasks.expect("a runtime without drivers needs no system resources"),
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

    pub(super) fn record(&mut self, line: std::fmt::Arguments<'_>) {
        self.trace.record(self.now, line);
    }

    pub(super) fn violate(&mut self, what: String) {
        self.record(format_args!("VIOLATION {what}"));
        self.violation.get_or_insert(what);
    }

    /// Starts a process of a replica.
    pub(super) fn start(&mut self, replica: usize) {
        self.processes += 1;
        // The client spawns a task.
        let _tasks = self.tasks.enter();
        let process = Process::start(self.processes, self.clock.clone(), self.wire.clone());
        self.replicas[replica].process = Some(process);
        self.record(format_args!("operator {replica} starts"));
        self.coverage.happened("operator: started");
    }

    /// Kills the process of a replica; another starts later.
    pub(super) fn kill(&mut self, replica: usize) {
        if let Some(process) = self.replicas[replica].process.take() {
            process.die();
            let pause = self.random.within(0..8000);
            self.replicas[replica].restart = self.now + pause;
            self.replicas[replica].memory.clear();
            self.record(format_args!("operator {replica} dies"));
        }
    }

    /// Sends a request of a user, a node or a controller other than the operator.
    pub(super) fn request(&mut self, call: &Call) -> Answer {
        let answer = self.server.answer(call);
        self.record(format_args!("user: {call} {} {}", call.name, answer.code));
        if let Some(change) = &answer.change {
            self.observe(change);
        }
        answer
    }

    /// Passes a change to the cluster and to the invariants.
    pub(super) fn observe(&mut self, change: &Change) {
        self.cluster.observe(change, self.now, &mut self.random);
        self.invariants.observe(change);
        self.dirty |=
            change.before.is_none() || change.after.is_none() || change.kind.plural == "shoprljobs";
    }

    /// Delivers the next event of a watch to a replica.
    pub(super) fn deliver(&mut self, replica: usize, jobs: bool) {
        let (now, losses) = (self.now, self.losses);
        let Some(process) = &mut self.replicas[replica].process else { return };
        let informer = if jobs { &mut process.jobs } else { &mut process.pods };
        let what = if jobs { "jobs" } else { "pods" };
        match informer.next(&self.server) {
            Next::Nothing => {}
            Next::List => {
                informer.version = Some(self.server.version());
                let kind = informer.kind;
                let selected = |object: &&Arc<Value>| {
                    jobs || object["metadata"]["labels"].get("shoprl.dev/job").is_some()
                };
                let all: Vec<Arc<Value>> =
                    self.server.all(kind).filter(selected).cloned().collect();
                if jobs {
                    process.list_jobs(&all, now);
                } else {
                    process.list_pods(&all, now);
                }
                self.record(format_args!("operator {replica} lists {what}"));
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
                            process.on_job_event(&event, now);
                        } else {
                            process.on_pod_event(&event, now);
                        }
                    }
                    if twice {
                        self.coverage.happened("watch: event delivered twice");
                    }
                }
                let (Event::Applied(object) | Event::Deleted(object)) = &event;
                let name = text(object, &["metadata", "name"]);
                self.trace.record(
                    now,
                    format_args!("operator {replica} receives {name} at {version}, lost: {lost}"),
                );
                self.delete_unknown(replica, jobs, &event);
            }
        }
        // A reconcile may wait for a cache.
        if self.replicas[replica]
            .process
            .as_ref()
            .is_some_and(|process| process.running.is_some() && process.pending.is_empty())
        {
            self.settle(replica);
        }
    }

    /// Starts a reconcile of a job on a replica.
    pub(super) fn begin(&mut self, replica: usize, name: &str) {
        let bug = self.bug;
        let slot = &mut self.replicas[replica];
        let Some(process) = &mut slot.process else { return };
        process.queue.remove(name);
        let Some(job) = process.job(name).cloned() else { return };
        let mut read = job.clone();
        if let Some(bug) = bug {
            let read = Arc::make_mut(&mut read);
            bug.misread(read, process.reconciles == 0);
            if let Some(status) = slot.memory.get(name) {
                read["status"] = status.clone();
            }
        }
        process.begin(job, &read, &self.tasks);
        self.record(format_args!("operator {replica} reconciles {name}"));
        self.settle(replica);
    }

    /// Runs a reconcile until it ends, or until it waits for an answer or for its own process.
    fn settle(&mut self, replica: usize) {
        loop {
            let messages = &self.messages;
            let message = self.tasks.block_on(async {
                for _ in 0..MAX_POLLS {
                    if let Ok(message) = messages.try_recv() {
                        return Some(message);
                    }
                    tokio::task::yield_now().await;
                }
                None
            });
            let Some((id, message)) = message else { return };
            let slot = &mut self.replicas[replica];
            let Some(process) = slot.process.as_mut().filter(|process| process.id == id) else {
                continue;
            };
            match message {
                Message::Call(call, reply) => process.await_answer(Pending::Call(call, reply)),
                Message::Progress(address, reply) => {
                    process.await_answer(Pending::Progress(address, reply));
                }
                Message::Unreadable(what) => self.violate(format!("the model cannot read {what}")),
                Message::Done(result) => self.finish(replica, &result),
            }
        }
    }

    fn finish(&mut self, replica: usize, result: &Result<Requeue, String>) {
        let now = self.now;
        let Some(process) = &mut self.replicas[replica].process else { return };
        let Some(ended) = process.running.take() else { return };
        let name = text(&ended.job, &["metadata", "name"]).to_owned();
        let after = match result {
            Ok(action) => super::requeue::after(action),
            Err(_) => Some(ERROR_REQUEUE),
        };
        if let Some(after) = after {
            process.enqueue(&name, now + after);
        }
        self.record(format_args!("operator {replica} reconciled {name}: {result:?}"));
        if self.bug == Some(Bug::NeedlessWrite)
            && let Some(job) = self.server.get(Kind::of("shoprljobs"), NAMESPACE, &name).cloned()
        {
            let call = planted::status_write(&job);
            self.perform(replica, &call, &job);
        }
    }

    /// Answers one of the requests that a replica waits for, or makes it fail.
    pub(super) fn resume(&mut self, replica: usize) {
        let Some(process) = &mut self.replicas[replica].process else { return };
        let at = match process.pending.len() {
            0 => return,
            1 => 0,
            several => self.random.below(several),
        };
        let (job, pending) = process.pending.remove(at);
        match pending {
            Pending::Progress(address, reply) => {
                let fault = self.fault(fault::PROGRESS);
                self.record(format_args!("operator {replica}: get progress of {address}: {fault}"));
                if matches!(fault, Fault::CrashBefore | Fault::CrashAfter) {
                    return self.kill(replica);
                }
                let progress = (fault == Fault::None).then(|| self.progress(&address)).flatten();
                let _ = reply.send(progress);
                self.settle(replica);
            }
            Pending::Call(mut call, reply) => {
                let site = call.to_string();
                let fault = self.fault(&site);
                if let Some(bug) = self.bug {
                    bug.missend(&mut call);
                }
                let refuse = |code, reason| failure(code, reason, "injected fault", json!({}));
                let answer = match fault {
                    Fault::Error => Some(refuse(503, "ServiceUnavailable")),
                    Fault::Conflict => Some(refuse(409, "Conflict")),
                    Fault::CrashBefore => None,
                    _ => Some(self.perform(replica, &call, &job)),
                };
                let code = answer.as_ref().map_or(0, |answer| answer.code);
                let name = if call.name.is_empty() {
                    text(&call.body, &["metadata", "name"])
                } else {
                    &call.name
                };
                self.trace.record(
                    self.now,
                    format_args!("operator {replica}: {site} {name} {code}: {fault}"),
                );
                match (fault, answer) {
                    (Fault::CrashBefore | Fault::CrashAfter, _) | (_, None) => {
                        return self.kill(replica);
                    }
                    (Fault::TimeoutApplied, _) => {
                        self.count_again(replica, &call, &job);
                        let _ = reply.send(Reply::TimedOut);
                    }
                    (_, Some(answer)) => {
                        self.cache_created_pod(replica, &answer);
                        let _ = reply.send(Reply::Answer(answer));
                    }
                }
                self.settle(replica);
            }
        }
    }

    fn fault(&mut self, site: &str) -> Fault {
        let fails = self.random.once_in(self.faults);
        let possible: Vec<Fault> =
            Fault::ALL.into_iter().filter(|fault| fault.is_possible(site)).collect();
        let fault = if fails { self.random.pick(&possible).copied() } else { None };
        let fault = fault.unwrap_or(Fault::None);
        self.coverage.count(site, fault);
        fault
    }

    /// Executes a request of the operator and checks the invariants.
    fn perform(&mut self, replica: usize, call: &Call, job: &Arc<Value>) -> Answer {
        if let Some(answer) = self.remember(replica, call) {
            return answer;
        }
        let answer = self.server.answer(call);
        if let Some(change) = &answer.change {
            self.writes += 1;
            self.observe(change);
            self.read_back(replica, change);
        }
        let Some(process) = &self.replicas[replica].process else { return answer };
        let listed = process.listed;
        let author = Author { job, cached: &process.cached, listed };
        let pods: Vec<&Value> = self.server.all(Kind::of("pods")).map(|pod| &**pod).collect();
        if let Err(what) = self.invariants.operator(call, &answer, &author, self.now, &pods) {
            self.violate(what);
        }
        answer
    }

    /// A process caches a pod that it created as soon as the answer arrives.
    fn cache_created_pod(&mut self, replica: usize, answer: &Answer) {
        let Some(process) = &mut self.replicas[replica].process else { return };
        if let Some(Change { kind, before: None, after: Some(created), .. }) = &answer.change
            && kind.plural == "pods"
        {
            process.cached.insert(uid(created).to_owned());
        }
    }

    /// A reconcile continues with the job that it wrote.
    fn read_back(&mut self, replica: usize, change: &Change) {
        let process = self.replicas[replica].process.as_mut();
        let running = process.and_then(|process| process.running.as_mut());
        if let (Some(running), Some(written), "shoprljobs") =
            (running, &change.after, change.kind.plural)
        {
            running.job = written.clone();
        }
    }

    /// One deletion by the garbage collector.
    pub(super) fn collect(&mut self) {
        match collect(&mut self.server) {
            Some(change) => {
                let object = change.after.as_ref().or(change.before.as_ref());
                let name = object.map_or("", |object| text(object, &["metadata", "name"]));
                self.trace.record(self.now, format_args!("collects {name}"));
                self.observe(&change);
            }
            None => self.dirty = false,
        }
    }

    /// Executes the next event of a pod on its node.
    pub(super) fn advance(&mut self, pod: &str) {
        match self.cluster.advance(pod, &mut self.server, self.now, &mut self.random) {
            Ok(changes) => {
                for change in &changes {
                    self.observe(change);
                }
                if let Some(worker) = self.cluster.workers.get(pod) {
                    let (name, stage, step) =
                        (worker.name.clone(), worker.stage.clone(), worker.step);
                    if self.cluster.stores.is_finished(&worker.job) {
                        self.invariants.finished.insert(worker.job.clone());
                    }
                    self.record(format_args!("kubelet: {name} {stage:?} step {step}"));
                }
            }
            Err(what) => self.violate(what),
        }
    }

    /// The time of the next scheduled event.
    pub(super) fn due(&self) -> i64 {
        let reconciles = self.replicas.iter().filter_map(|replica| match &replica.process {
            Some(process) => process.queue.values().min().copied(),
            None => Some(replica.restart),
        });
        reconciles.chain([self.cluster.due()]).min().unwrap_or(NEVER)
    }
}
