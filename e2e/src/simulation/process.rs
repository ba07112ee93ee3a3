//! One process of the operator: the real reconcile, its caches and its queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::watcher;
use serde::Deserialize;
use serde_json::Value;
use shoprl_operator::{Context, Job, OperatorKey, Pods, reconcile};
use shoprl_plan::cluster::JOB_LABEL;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::api::{Call, Event, Kind, is_leaving, text, uid};
use super::informer::Informer;
use super::transport::{Message, Reply, Trainers, Wire, client};

/// The image of all jobs.
const IMAGE: &str = "localhost/shoprl@sha256:1";

/// A reconcile in progress.
pub(super) struct Reconcile {
    /// The job as the reconcile read it or last wrote it.
    pub(super) job: Arc<Value>,
    task: AbortHandle,
}

/// A request in flight.
pub(super) enum Pending {
    /// To the API server.
    Call(Box<Call>, oneshot::Sender<Reply>),
    /// To the trainer at an address.
    Progress(String, oneshot::Sender<Option<shoprl_crds::Progress>>),
}

/// A process of the operator.
pub(super) struct Process {
    pub(super) id: u64,
    context: Arc<Context>,
    wire: Wire,
    pub(super) jobs: Informer,
    pub(super) pods: Informer,
    job_cache: BTreeMap<String, Arc<Value>>,
    pod_cache: Arc<Pods>,
    /// UIDs of the pods in the cache, including those that the process created.
    pub(super) cached: BTreeSet<String>,
    /// Whether the pods have been listed.
    pub(super) listed: bool,
    /// Time of the next reconcile (ms), by job.
    pub(super) queue: BTreeMap<String, i64>,
    pub(super) running: Option<Reconcile>,
    /// Requests in flight of the reconcile and of its background tasks, with the job that they are for.
    pub(super) pending: Vec<(Arc<Value>, Pending)>,
    /// The job of the newest reconcile.
    newest_job: Arc<Value>,
    pub(super) reconciles: u64,
}

impl Process {
    /// Starts a process with empty caches.
    pub(super) fn start(id: u64, clock: Arc<AtomicI64>, wire: Wire) -> Self {
        let pods = Arc::new(Pods::default());
        let key = OperatorKey::new(vec![7; 32]).expect("32 bytes are enough");
        let context = Context::new(client(id, wire.clone()), IMAGE.to_owned(), key, pods.clone())
            .with_clock(move || time(clock.load(Ordering::Relaxed)))
            .with_trainers(Trainers { process: id, wire: wire.clone() });
        let context = Arc::new(context);
        Self {
            id,
            context,
            wire,
            jobs: Informer::new(Kind::of("shoprljobs"), ""),
            pods: Informer::new(Kind::of("pods"), JOB_LABEL),
            job_cache: BTreeMap::new(),
            pod_cache: pods,
            cached: BTreeSet::new(),
            listed: false,
            queue: BTreeMap::new(),
            running: None,
            pending: Vec::new(),
            newest_job: Arc::default(),
            reconciles: 0,
        }
    }

    /// The cached job of this name.
    pub(super) fn job(&self, name: &str) -> Option<&Arc<Value>> {
        self.job_cache.get(name)
    }

    /// Handles an event of the job watch. Deletions cause no reconcile.
    pub(super) fn on_job_event(&mut self, event: &Event, now: i64) {
        match event {
            Event::Applied(job) => {
                let name = text(job, &["metadata", "name"]).to_owned();
                self.enqueue(&name, now);
                self.job_cache.insert(name, job.clone());
            }
            Event::Deleted(job) => drop(self.job_cache.remove(text(job, &["metadata", "name"]))),
        }
    }

    /// Handles a list of the job watch.
    pub(super) fn list_jobs(&mut self, jobs: &[Arc<Value>], now: i64) {
        self.job_cache.clear();
        for job in jobs {
            self.on_job_event(&Event::Applied(job.clone()), now);
        }
    }

    /// Handles an event of the pod watch.
    pub(super) fn on_pod_event(&mut self, event: &Event, now: i64) {
        let (Event::Applied(pod) | Event::Deleted(pod)) = event;
        let read = read(pod);
        let is_change = match event {
            Event::Applied(_) => {
                self.cached.insert(uid(pod).to_owned());
                self.pod_cache.observe(&watcher::Event::Apply(read))
            }
            Event::Deleted(_) => {
                self.cached.remove(uid(pod));
                self.pod_cache.observe(&watcher::Event::Delete(read))
            }
        };
        if is_change {
            self.enqueue_owner(pod, now);
        }
    }

    /// Handles a list of the pod watch.
    pub(super) fn list_pods(&mut self, pods: &[Arc<Value>], now: i64) {
        self.cached.clear();
        self.listed = true;
        self.pod_cache.observe(&watcher::Event::Init);
        for pod in pods {
            self.cached.insert(uid(pod).to_owned());
            self.pod_cache.observe(&watcher::Event::InitApply(read(pod)));
            self.enqueue_owner(pod, now);
        }
        self.pod_cache.observe(&watcher::Event::InitDone);
    }

    fn enqueue_owner(&mut self, pod: &Value, now: i64) {
        let owners = pod["metadata"]["ownerReferences"].as_array();
        let controller = owners.into_iter().flatten().find(|owner| owner["controller"] == true);
        if let Some(owner) = controller.filter(|owner| owner["kind"] == "ShopRLJob") {
            let name = text(owner, &["name"]).to_owned();
            self.enqueue(&name, now);
        }
    }

    /// Schedules a reconcile of a job at `due` at the latest.
    pub(super) fn enqueue(&mut self, job: &str, due: i64) {
        let scheduled = self.queue.entry(job.to_owned()).or_insert(due);
        *scheduled = due.min(*scheduled);
    }

    /// Starts a reconcile of `job`, which it reads as `read`.
    pub(super) fn begin(&mut self, job: Arc<Value>, read: &Value, tasks: &tokio::runtime::Runtime) {
        let read = Job::deserialize(read).expect("the model stores objects with metadata");
        let (context, wire, id) = (self.context.clone(), self.wire.clone(), self.id);
        let task = tasks.spawn(async move {
            let result = reconcile(Arc::new(read), context).await;
            let _ = wire.send((id, Message::Done(result.map_err(|error| error.to_string()))));
        });
        self.reconciles += 1;
        self.newest_job = job.clone();
        self.running = Some(Reconcile { job, task: task.abort_handle() });
    }

    /// Adds a request in flight.
    pub(super) fn await_answer(&mut self, request: Pending) {
        // A background task of an ended reconcile belongs to that reconcile's job.
        let job = self.running.as_ref().map_or(&self.newest_job, |running| &running.job);
        self.pending.push((job.clone(), request));
    }

    /// Crashes: its reconcile is aborted.
    pub(super) fn die(self) {
        if let Some(running) = self.running {
            running.task.abort();
        }
    }
}

fn read(pod: &Value) -> Pod {
    Pod::deserialize(pod).expect("the model stores what the operator sent")
}

/// A point in virtual time.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// Whether a job has a terminal condition.
pub(super) fn has_ended(job: &Value) -> bool {
    end_condition(job).is_some()
}

/// The terminal condition of a job.
pub(super) fn end_condition(job: &Value) -> Option<&Value> {
    let conditions = job["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| {
        (condition["type"] == "Complete" || condition["type"] == "Failed")
            && condition["status"] == "True"
    })
}

/// Whether the operator may not create pods for this job.
pub(super) fn allows_no_pods(job: &Value) -> bool {
    has_ended(job) || is_leaving(job) || job["spec"]["suspend"] == true
}
