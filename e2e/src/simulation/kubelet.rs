//! Scheduler, kubelets and the processes on the nodes.
//!
//! A pod is an object in the API server and a process on a node. A node that is cut off runs the process on after the object
//! was deleted.

mod report;
mod trainer;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::{Call, Change, Kind, Server, Verb, is_leaving, owners, text, uid};
use super::lineage::Stores;
use super::random::Random;

const NODES: usize = 3;
/// The due time of a worker that waits for another event.
pub(super) const NEVER: i64 = i64::MAX;

/// State of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    Unplaced,
    Placed,
    Running,
    Ready,
    /// Ended, but not yet reported by the kubelet.
    Ended(Class),
    /// Ended, and reported in the pod's status.
    Reported,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Exit(i32),
    OomKilled,
    Killed,
    Evicted,
    NodeLost,
}

/// A process on a node, or the pod that waits for one.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) job: String,
    pub(super) role: String,
    pub(super) incarnation: String,
    pub(super) node: usize,
    pub(super) stage: Stage,
    /// Time of its next event (ms).
    pub(super) due: i64,
    /// Time of SIGKILL (ms), after a SIGTERM.
    pub(super) killed_at: Option<i64>,
    pub(super) address: String,
    /// For a running trainer: its attempt in the lineage, its step and its target step.
    pub(super) attempt: u32,
    pub(super) step: i64,
    pub(super) target: i64,
    /// Whether the trainer computes a step.
    pub(super) computes: bool,
}

/// State of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Up,
    /// Cut off since then; its processes continue.
    CutOff(i64),
    /// Without power since then.
    Dead(i64),
}

/// All nodes.
pub(super) struct Cluster {
    pub(super) nodes: [Node; NODES],
    /// By the UID of the pod.
    pub(super) workers: BTreeMap<String, Worker>,
    pub(super) stores: Stores,
    addresses: u32,
}

impl Cluster {
    pub(super) fn new() -> Self {
        Self {
            nodes: [Node::Up; NODES],
            workers: BTreeMap::new(),
            stores: Stores::default(),
            addresses: 0,
        }
    }

    /// Reacts to a change of a pod.
    pub(super) fn observe(&mut self, change: &Change, now: i64, random: &mut Random) {
        if change.kind.plural != "pods" {
            return;
        }
        match (&change.before, &change.after) {
            (None, Some(pod)) => self.admit(pod, now, random),
            (Some(before), Some(after)) if !is_leaving(before) && is_leaving(after) => {
                let grace = after["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
                if let Some(worker) = self.workers.get_mut(uid(after)) {
                    worker.killed_at = Some(now + grace * 1000);
                    worker.due = now + random.within(0..1000);
                }
            }
            (Some(before), None) => {
                // A kubelet that is cut off does not learn of the deletion; any other stops the process.
                let Some(worker) = self.workers.get_mut(uid(before)) else { return };
                if worker.stage != Stage::Unplaced && self.nodes[worker.node] != Node::Up {
                    return;
                }
                if matches!(worker.stage, Stage::Running | Stage::Ready) {
                    // It keeps its grace period, and may write long after its replacement started.
                    worker.killed_at = Some(now + 60_000);
                    worker.due = now + random.within(0..60_000);
                } else {
                    self.workers.remove(uid(before));
                }
            }
            _ => {}
        }
    }

    fn admit(&mut self, pod: &Value, now: i64, random: &mut Random) {
        self.addresses += 1;
        let label = |name: &str| text(pod, &["metadata", "labels", name]).to_owned();
        let worker = Worker {
            name: text(pod, &["metadata", "name"]).to_owned(),
            job: owners(pod).next().unwrap_or_default().to_owned(),
            role: label("shoprl.dev/role"),
            incarnation: label("shoprl.dev/incarnation"),
            node: 0,
            stage: Stage::Unplaced,
            due: now + random.within(10..500),
            killed_at: None,
            address: format!("10.0.{}.{}", self.addresses / 250, self.addresses % 250 + 1),
            attempt: 0,
            step: 0,
            target: 0,
            computes: false,
        };
        self.workers.insert(uid(pod).to_owned(), worker);
    }

    /// Time of the next event.
    pub(super) fn due(&self) -> i64 {
        let placed = |worker: &&Worker| worker.stage == Stage::Unplaced || self.is_active(worker);
        self.workers.values().filter(placed).map(|worker| worker.due).min().unwrap_or(NEVER)
    }

    fn is_active(&self, worker: &Worker) -> bool {
        let reported = worker.stage == Stage::Reported;
        match self.nodes[worker.node] {
            Node::Up => true,
            // Only running processes continue.
            Node::CutOff(_) => matches!(worker.stage, Stage::Running | Stage::Ready) && !reported,
            Node::Dead(_) => false,
        }
    }

    /// UIDs of the pods with an event at `now`.
    pub(super) fn due_at(&self, now: i64) -> Vec<String> {
        let due = |(_, worker): &(&String, &Worker)| {
            worker.due <= now && (worker.stage == Stage::Unplaced || self.is_active(worker))
        };
        self.workers.iter().filter(due).map(|(uid, _)| uid.clone()).collect()
    }

    /// Executes the next event of a pod.
    ///
    /// # Errors
    /// When a checkpoint of a replaced trainer became visible.
    pub(super) fn advance(
        &mut self,
        id: &str,
        server: &mut Server,
        now: i64,
        random: &mut Random,
    ) -> Result<Vec<Change>, String> {
        let Some(mut worker) = self.workers.get(id).cloned() else { return Ok(Vec::new()) };
        let cut_off = worker.stage != Stage::Unplaced && self.nodes[worker.node] != Node::Up;
        let changes = match worker.stage.clone() {
            Stage::Unplaced => self.place(&mut worker, server, now, random),
            Stage::Placed => self.start(&mut worker, server, now, random),
            Stage::Running | Stage::Ready if worker.killed_at.is_some() && !cut_off => {
                self.leave(&mut worker, now, random)?;
                Vec::new()
            }
            Stage::Running if !cut_off => {
                worker.stage = Stage::Ready;
                worker.due = now + random.within(1000..4000);
                report::ready(server, &worker, true)
            }
            Stage::Running | Stage::Ready => {
                self.work(&mut worker, server, now, random)?;
                Vec::new()
            }
            Stage::Ended(class) => {
                worker.stage = Stage::Reported;
                worker.due = if worker.killed_at.is_some() { now } else { NEVER };
                report::ended(server, id, &worker, class)
            }
            Stage::Reported => {
                worker.due = NEVER;
                let changes = report::gone(server, id, &worker);
                if worker.killed_at.is_some() {
                    self.workers.remove(id);
                }
                changes
            }
        };
        if self.workers.contains_key(id) {
            self.workers.insert(id.to_owned(), worker);
        }
        Ok(changes)
    }

    fn place(
        &mut self,
        worker: &mut Worker,
        server: &mut Server,
        now: i64,
        random: &mut Random,
    ) -> Vec<Change> {
        let up: Vec<usize> = (0..NODES).filter(|node| self.nodes[*node] == Node::Up).collect();
        let Some(node) = random.pick(&up) else {
            worker.due = now + 5000;
            return Vec::new();
        };
        worker.node = *node;
        worker.stage = Stage::Placed;
        worker.due = now + random.within(500..3000);
        report::placed(server, worker)
    }

    fn start(
        &mut self,
        worker: &mut Worker,
        server: &mut Server,
        now: i64,
        random: &mut Random,
    ) -> Vec<Change> {
        worker.due = now + random.within(500..3000);
        if worker.killed_at.is_some() {
            worker.stage = Stage::Reported;
            worker.due = now;
            return Vec::new();
        }
        if !report::has_volumes(server, worker) {
            return Vec::new();
        }
        worker.stage = Stage::Running;
        if worker.role == "trainer" {
            (worker.attempt, worker.step) = self.stores.begin(&worker.job);
            worker.target = report::target(server, worker);
        }
        report::running(server, worker)
    }

    /// Ends a running process by itself.
    pub(super) fn end(&mut self, id: &str, class: Class, now: i64, random: &mut Random) {
        if let Some(worker) = self.workers.get_mut(id) {
            worker.stage = Stage::Ended(class);
            worker.due = now + random.within(0..1000);
        }
    }

    /// UIDs of the pods with a running process.
    pub(super) fn running(&self) -> Vec<String> {
        let runs = |worker: &Worker| matches!(worker.stage, Stage::Running | Stage::Ready);
        self.workers.iter().filter(|(_, worker)| runs(worker)).map(|(id, _)| id.clone()).collect()
    }

    /// The trainer that listens at `address`.
    pub(super) fn at(&self, address: &str) -> Option<&Worker> {
        let listens = |worker: &&Worker| {
            worker.address == address
                && worker.stage == Stage::Ready
                && !matches!(self.nodes[worker.node], Node::Dead(_))
        };
        self.workers.values().find(listens)
    }
}

pub(super) fn call(
    verb: Verb,
    subresource: &str,
    namespace: &str,
    name: &str,
    body: Value,
) -> Call {
    Call {
        verb,
        kind: Kind::of("pods"),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        subresource: subresource.to_owned(),
        selector: String::new(),
        manager: String::new(),
        body,
    }
}

/// Deletes a pod without a grace period.
pub(super) fn force_delete(
    server: &mut Server,
    namespace: &str,
    name: &str,
    id: &str,
) -> Vec<Change> {
    let body = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": id}});
    server.answer(&call(Verb::Delete, "", namespace, name, body)).change.into_iter().collect()
}
