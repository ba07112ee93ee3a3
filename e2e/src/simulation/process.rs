//! One process of the operator: the real reconcile, its caches and its queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::watcher;
use serde::Deserialize;
use serde_json::Value;
use shoprl_contract::error_chain;
use shoprl_operator::{Context, Job, OperatorKey, Pods, reconcile};
use shoprl_plan::cluster::JOB_LABEL;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::api::{Call, Event, Kind, is_leaving, text, uid};
use super::informer::Informer;
use super::transport::{Message, Reply, Trainers, Wire, client};

/// The image of every job here.
const IMAGE: &str = "localhost/shoprl@sha256:1";

/// A pass on its way.
pub(super) struct Pass {
    /// The job as the pass read it, or as it wrote it since.
    pub(super) job: Arc<Value>,
    task: AbortHandle,
}

/// What a process waits for.
pub(super) enum Waits {
    /// An answer of the API server.
    Call(Box<Call>, oneshot::Sender<Reply>),
    /// A trainer's answer.
    Ask(String, oneshot::Sender<Option<shoprl_crds::Progress>>),
}

/// A process of the operator.
pub(super) struct Process {
    pub(super) id: u64,
    context: Arc<Context>,
    wire: Wire,
    pub(super) jobs: Informer,
    pub(super) pods: Informer,
    known: BTreeMap<String, Arc<Value>>,
    told: Arc<Pods>,
    /// Unique ids of the pods that it knows of: in the cache, or made by itself.
    pub(super) cached: BTreeSet<String>,
    /// The pods were listed.
    pub(super) listed: bool,
    /// When which job is looked at next (ms).
    pub(super) queue: BTreeMap<String, i64>,
    pub(super) pass: Option<Pass>,
    /// What its pass, and what it left behind, wait for; with the job that it is about.
    pub(super) waits: Vec<(Arc<Value>, Waits)>,
    /// The job of the newest pass.
    about: Arc<Value>,
    pub(super) passes: u64,
}

impl Process {
    /// Starts one, with empty caches.
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
            known: BTreeMap::new(),
            told: pods,
            cached: BTreeSet::new(),
            listed: false,
            queue: BTreeMap::new(),
            pass: None,
            waits: Vec::new(),
            about: Arc::default(),
            passes: 0,
        }
    }

    /// The job of this name in the cache.
    pub(super) fn job(&self, name: &str) -> Option<&Arc<Value>> {
        self.known.get(name)
    }

    /// The jobs' watch tells something. Deletions wake nobody.
    pub(super) fn see_job(&mut self, event: &Event, now: i64) {
        match event {
            Event::Applied(job) => {
                let name = text(job, &["metadata", "name"]).to_owned();
                self.wake(&name, now);
                self.known.insert(name, job.clone());
            }
            Event::Deleted(job) => drop(self.known.remove(text(job, &["metadata", "name"]))),
        }
    }

    /// The jobs' watch lists.
    pub(super) fn list_jobs(&mut self, jobs: &[Arc<Value>], now: i64) {
        self.known.clear();
        for job in jobs {
            self.see_job(&Event::Applied(job.clone()), now);
        }
    }

    /// The pods' watch tells something.
    pub(super) fn see_pod(&mut self, event: &Event, now: i64) {
        let (Event::Applied(pod) | Event::Deleted(pod)) = event;
        let read = read(pod);
        let is_news = match event {
            Event::Applied(_) => {
                self.cached.insert(uid(pod).to_owned());
                self.told.observe(&watcher::Event::Apply(read))
            }
            Event::Deleted(_) => {
                self.cached.remove(uid(pod));
                self.told.observe(&watcher::Event::Delete(read))
            }
        };
        if is_news {
            self.wake_owner(pod, now);
        }
    }

    /// The pods' watch lists.
    pub(super) fn list_pods(&mut self, pods: &[Arc<Value>], now: i64) {
        self.cached.clear();
        self.listed = true;
        self.told.observe(&watcher::Event::Init);
        for pod in pods {
            self.cached.insert(uid(pod).to_owned());
            self.told.observe(&watcher::Event::InitApply(read(pod)));
            self.wake_owner(pod, now);
        }
        self.told.observe(&watcher::Event::InitDone);
    }

    fn wake_owner(&mut self, pod: &Value, now: i64) {
        let owners = pod["metadata"]["ownerReferences"].as_array();
        let controller = owners.into_iter().flatten().find(|owner| owner["controller"] == true);
        if let Some(owner) = controller.filter(|owner| owner["kind"] == "ShopRLJob") {
            let name = text(owner, &["name"]).to_owned();
            self.wake(&name, now);
        }
    }

    /// Looks at a job at `due` at the latest.
    pub(super) fn wake(&mut self, job: &str, due: i64) {
        let known = self.queue.entry(job.to_owned()).or_insert(due);
        *known = due.min(*known);
    }

    /// Begins a pass over the job `name`, which is read as `seen`.
    pub(super) fn begin(&mut self, job: Arc<Value>, seen: &Value, tasks: &tokio::runtime::Runtime) {
        let read = Job::deserialize(seen).expect("the model stores objects with metadata");
        let (context, wire, id) = (self.context.clone(), self.wire.clone(), self.id);
        let task = tasks.spawn(async move {
            let result = reconcile(Arc::new(read), context).await;
            let _ = wire.send((id, Message::Done(result.map_err(|error| error_chain(&error)))));
        });
        self.passes += 1;
        self.about = job.clone();
        self.pass = Some(Pass { job, task: task.abort_handle() });
    }

    /// It waits for something.
    pub(super) fn wait(&mut self, what: Waits) {
        // What a pass left behind tells of the job as that pass knew it.
        let job = self.pass.as_ref().map_or(&self.about, |pass| &pass.job);
        self.waits.push((job.clone(), what));
    }

    /// Dies: whatever it was about to do, it does not.
    pub(super) fn die(self) {
        if let Some(pass) = self.pass {
            pass.task.abort();
        }
    }
}

fn read(pod: &Value) -> Pod {
    Pod::deserialize(pod).expect("the model stores what the operator sent")
}

/// A moment of virtual time.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// Whether a job, as it is stored, is over.
pub(super) fn is_over(job: &Value) -> bool {
    over(job).is_some()
}

/// The condition that says that a job is over.
pub(super) fn over(job: &Value) -> Option<&Value> {
    let conditions = job["status"]["conditions"].as_array()?;
    conditions
        .iter()
        .find(|it| (it["type"] == "Complete" || it["type"] == "Failed") && it["status"] == "True")
}

/// Whether nothing may be made for this job any more.
pub(super) fn wants_no_pods(job: &Value) -> bool {
    is_over(job) || is_leaving(job) || job["spec"]["suspend"] == true
}
