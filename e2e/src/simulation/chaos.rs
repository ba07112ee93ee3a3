//! Chaos: actions of users, failures of nodes and pods, expired watches.

use serde_json::{Value, json};
use shoprl_crds::{Progress, TrainerPhase};

use super::api::{Call, Kind, Verb, is_leaving, text, uid};
use super::informer::Next;
use super::kubelet::{self, Class, Node};
use super::names::{JOB, NAMESPACE};
use super::process::has_ended;
use super::world::World;

/// Silence after which a node is not ready (ms).
const NOT_READY: i64 = 40_000;
/// Silence after which the pods of a node are deleted (ms).
const EVICT: i64 = 300_000;

impl World {
    pub(super) fn chaos(&mut self) {
        match self.random.below(20) {
            0..=6 => self.fail_pod(),
            7..=8 => self.delete_pod(),
            9..=10 => self.change_node(),
            11..=14 => self.change_job(),
            15 => self.occupy_pod_name(),
            16 => {
                let replica = self.random.below(self.replicas.len());
                self.coverage.happened("operator: killed");
                self.kill(replica);
            }
            17 => {
                if self.random.once_in(2) {
                    self.bookmark();
                }
                self.server.compact();
                self.record(format_args!("history is compacted"));
                self.coverage.happened("watch: expired");
            }
            18 => self.relist(),
            _ => {
                let wait = self.random.within(1000..400_000);
                self.advance_time(self.now + wait);
            }
        }
    }

    /// Bookmarks advance the watches that are up to date, so that they survive a compaction.
    fn bookmark(&mut self) {
        for replica in &mut self.replicas {
            let Some(process) = &mut replica.process else { continue };
            for informer in [&mut process.jobs, &mut process.pods] {
                if matches!(informer.next(&self.server), Next::Nothing) {
                    informer.version = Some(self.server.version());
                    self.coverage.happened("watch: bookmark");
                }
            }
        }
    }

    fn fail_pod(&mut self) {
        let running = self.cluster.running();
        let Some(pod) = self.random.pick(&running).cloned() else { return };
        let class = match self.random.below(32) {
            0 => Class::Exit(64),
            1..=5 => Class::Exit(75),
            6..=10 => Class::Exit(101),
            11..=15 => Class::OomKilled,
            16..=20 => Class::Exit(143),
            21..=25 => Class::Evicted,
            _ => Class::Exit(1),
        };
        let name = self.cluster.workers[&pod].name.clone();
        self.record(format_args!("{name} ends: {class:?}"));
        self.coverage.happened(&format!("pod: {class:?}"));
        self.cluster.end(&pod, class, self.now, &mut self.random);
    }

    fn delete_pod(&mut self) {
        let pods: Vec<String> = self
            .server
            .all(Kind::of("pods"))
            .map(|pod| text(pod, &["metadata", "name"]).to_owned())
            .collect();
        let Some(name) = self.random.pick(&pods).cloned() else { return };
        let body =
            if self.random.once_in(4) { json!({"gracePeriodSeconds": 0}) } else { json!({}) };
        self.request(&kubelet::call(Verb::Delete, "", NAMESPACE, &name, body));
        self.coverage.happened("pod: deleted");
    }

    fn change_node(&mut self) {
        let node = self.random.below(self.cluster.nodes.len());
        match self.cluster.nodes[node] {
            Node::Up if self.random.once_in(2) => self.lose(node, Node::CutOff(self.now)),
            Node::Up => self.lose(node, Node::Dead(self.now)),
            _ if self.random.once_in(4) => self.remove(node),
            _ => self.bring_back(node),
        }
    }

    fn lose(&mut self, node: usize, how: Node) {
        self.record(format_args!("node{}: {how:?}", node + 1));
        let what = if matches!(how, Node::Dead(_)) { "node: power lost" } else { "node: cut off" };
        self.coverage.happened(what);
        self.cluster.nodes[node] = how;
        // Some steps take so long that the trainer is replaced before they end.
        for worker in self.cluster.workers.values_mut() {
            if worker.node == node && worker.role == "trainer" && self.random.once_in(2) {
                worker.due = worker.due.saturating_add(self.random.within(0..900_000));
            }
        }
    }

    /// A node comes back. Processes on a node that had lost power are dead.
    pub(super) fn bring_back(&mut self, node: usize) {
        let dead = matches!(self.cluster.nodes[node], Node::Dead(_));
        self.cluster.nodes[node] = Node::Up;
        self.record(format_args!("node{} is back", node + 1));
        let pods = self.server.all(Kind::of("pods"));
        let present: Vec<(String, bool)> =
            pods.map(|pod| (uid(pod).to_owned(), is_leaving(pod))).collect();
        let now = self.now;
        self.cluster.workers.retain(|id, worker| {
            let gone = worker.node == node
                && worker.stage != kubelet::Stage::Unplaced
                && !present.iter().any(|(known, _)| known == id);
            if !gone && worker.node == node && worker.stage != kubelet::Stage::Unplaced {
                let runs = matches!(worker.stage, kubelet::Stage::Running | kubelet::Stage::Ready);
                if dead && runs {
                    worker.stage = kubelet::Stage::Ended(Class::NodeLost);
                }
                worker.due = now + 100;
            }
            !gone
        });
    }

    /// A node is removed from the API: its pod objects are deleted, but its processes continue.
    pub(super) fn remove(&mut self, node: usize) {
        self.record(format_args!("node{} is removed", node + 1));
        self.coverage.happened("node: removed");
        for (name, id) in self.pods_on(node) {
            for change in kubelet::force_delete(&mut self.server, NAMESPACE, &name, &id) {
                self.observe(&change);
            }
        }
    }

    fn pods_on(&self, node: usize) -> Vec<(String, String)> {
        let name = format!("node{}", node + 1);
        let pods = self.server.all(Kind::of("pods"));
        let here = pods.filter(|pod| text(pod, &["spec", "nodeName"]) == name);
        here.map(|pod| (text(pod, &["metadata", "name"]).to_owned(), uid(pod).to_owned())).collect()
    }

    /// The node controller: marks pods on silent nodes as not ready, and later deletes them.
    pub(super) fn watch_nodes(&mut self) {
        for node in 0..self.cluster.nodes.len() {
            let (Node::CutOff(since) | Node::Dead(since)) = self.cluster.nodes[node] else {
                continue;
            };
            let silent = self.now - since;
            if silent < NOT_READY {
                continue;
            }
            for (name, _) in self.pods_on(node) {
                let Some(pod) = self.server.get(Kind::of("pods"), NAMESPACE, &name) else {
                    continue;
                };
                let call = if silent >= EVICT && !is_leaving(pod) {
                    kubelet::call(Verb::Delete, "", NAMESPACE, &name, json!({}))
                } else if pod["status"]["conditions"][0]["status"] == "True" {
                    let conditions = json!([{"type": "Ready", "status": "False"}]);
                    kubelet::call(
                        Verb::Merge,
                        "status",
                        NAMESPACE,
                        &name,
                        json!({"status": {"conditions": conditions}}),
                    )
                } else {
                    continue;
                };
                self.request(&call);
            }
        }
    }

    fn change_job(&mut self) {
        let Some(job) = self.server.get(Kind::of("shoprljobs"), NAMESPACE, JOB).cloned() else {
            return self.create_job();
        };
        match self.random.below(9) {
            0..=3 => {
                let suspend = job["spec"]["suspend"] != true;
                self.set(&json!({"suspend": suspend}));
                self.coverage.happened("user: suspended or resumed");
            }
            4..=6 => {
                let replicas = self.random.within(1..4);
                self.set(&json!({"roles": {"rollout": {"replicas": replicas}}}));
                self.coverage.happened("user: scaled");
            }
            // A newer CRD allows a spec that this operator cannot read; later the user reverts it.
            7 => {
                let seed = if is_unreadable(&job) { Value::Null } else { json!("seven") };
                self.set(&json!({"seed": seed}));
                self.coverage.happened("user: wrote an unreadable spec");
            }
            _ => {
                let policy = if self.random.once_in(2) { "Foreground" } else { "Background" };
                self.request(&job_call(Verb::Delete, json!({"propagationPolicy": policy})));
                self.coverage.happened("user: deleted the job");
            }
        }
    }

    /// A job with an unreadable spec must have a condition that reports it; then the user repairs the spec.
    pub(super) fn repair_job(&mut self) {
        self.drain();
        let Some(job) = self.job().filter(|job| is_unreadable(job)) else { return };
        let reported = |condition: &Value| {
            condition["type"] == "Accepted" && condition["reason"] == "Unreadable"
        };
        let conditions = job["status"]["conditions"].as_array();
        if !has_ended(job) && !is_leaving(job) && !conditions.into_iter().flatten().any(reported) {
            return self.violate("the job is unreadable, and no condition reports it".to_owned());
        }
        self.set(&json!({"seed": null}));
    }

    /// Changes the job's spec as a user does.
    pub(super) fn set(&mut self, spec: &Value) {
        self.request(&job_call(Verb::Merge, json!({"spec": spec})));
    }

    pub(super) fn create_job(&mut self) {
        let steps = self.random.within(1..5);
        let replicas = self.random.within(1..4);
        let mut create = job_call(
            Verb::Create,
            json!({
                "metadata": {"name": JOB},
                "spec": {"training": {"steps": steps}, "roles": {"rollout": {"replicas": replicas}}},
            }),
        );
        create.name.clear();
        self.request(&create);
        self.coverage.happened("user: created the job");
    }

    /// A foreign pod takes the name of a pod that will be needed.
    fn occupy_pod_name(&mut self) {
        let incarnation = self.random.within(1..4);
        let name = format!("{JOB}-rollout-0-{incarnation}");
        let mut create = kubelet::call(
            Verb::Create,
            "",
            NAMESPACE,
            "",
            json!({"metadata": {"name": name}, "spec": {"containers": []}}),
        );
        create.name.clear();
        self.request(&create);
        self.coverage.happened("user: took a pod's name");
    }

    /// Deletes all foreign pods.
    pub(super) fn delete_foreign_pods(&mut self) {
        let foreign = self
            .server
            .all(Kind::of("pods"))
            .filter(|pod| pod["metadata"].get("ownerReferences").is_none());
        let foreign: Vec<(String, String)> = foreign
            .map(|pod| (text(pod, &["metadata", "name"]).to_owned(), uid(pod).to_owned()))
            .collect();
        for (name, id) in foreign {
            for change in kubelet::force_delete(&mut self.server, NAMESPACE, &name, &id) {
                self.observe(&change);
            }
        }
    }

    /// Makes all watches of all processes list again.
    pub(super) fn relist(&mut self) {
        for replica in &mut self.replicas {
            if let Some(process) = &mut replica.process {
                (process.jobs.version, process.pods.version) = (None, None);
            }
        }
    }

    /// The progress of the trainer at an address.
    pub(super) fn progress(&self, address: &str) -> Option<Progress> {
        let worker = self.cluster.at(address)?;
        Some(Progress {
            phase: Some(TrainerPhase::Training),
            step: worker.step,
            target_steps: worker.target,
            steps: format!("{}/{}", worker.step, worker.target),
            weights_version: worker.step,
            // Changes every third step.
            success: Some(format!("0.{}0", worker.step / 3)),
            waiting_for: None,
            time: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(super::process::time(
                self.now,
            ))),
        })
    }
}

/// Whether the spec has a seed that is not a number.
fn is_unreadable(job: &Value) -> bool {
    job["spec"]["seed"].is_string()
}

fn job_call(verb: Verb, body: Value) -> Call {
    Call {
        verb,
        kind: Kind::of("shoprljobs"),
        namespace: NAMESPACE.to_owned(),
        name: JOB.to_owned(),
        subresource: String::new(),
        selector: String::new(),
        manager: String::new(),
        body,
    }
}
