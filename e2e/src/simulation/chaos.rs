//! What users, nodes and the weather do.

use serde_json::{Value, json};
use shoprl_crds::{Progress, TrainerPhase};

use super::api::{Call, Kind, Verb, is_leaving, text, uid};
use super::informer::Next;
use super::kubelet::{self, Class, Node};
use super::process::is_over;
use super::run::{JOB, NAMESPACE};
use super::world::World;

/// A node that is silent for so long is not ready (ms).
const NOT_READY: i64 = 40_000;
/// And for so long: its pods are deleted (ms).
const EVICT: i64 = 300_000;

impl World {
    pub(super) fn chaos(&mut self) {
        match self.random.below(20) {
            0..=6 => self.fail_a_pod(),
            7..=8 => self.delete_a_pod(),
            9..=10 => self.change_a_node(),
            11..=14 => self.change_the_job(),
            15 => self.occupy_a_name(),
            16 => {
                let seat = self.random.below(self.seats.len());
                self.coverage.happened("operator: killed");
                self.kill(seat);
            }
            17 => {
                if self.random.once_in(2) {
                    self.bookmark();
                }
                self.server.compact();
                self.say(format_args!("history is compacted"));
                self.coverage.happened("watch: expired");
            }
            18 => self.relist(),
            _ => {
                let wait = self.random.within(1000..400_000);
                self.pass_time(self.now + wait);
            }
        }
    }

    /// Watches that have seen everything learn how far that is, and so survive a compaction.
    fn bookmark(&mut self) {
        for seat in &mut self.seats {
            let Some(process) = &mut seat.process else { continue };
            for informer in [&mut process.jobs, &mut process.pods] {
                if matches!(informer.next(&self.server), Next::Nothing) {
                    informer.version = Some(self.server.version());
                    self.coverage.happened("watch: bookmark");
                }
            }
        }
    }

    fn fail_a_pod(&mut self) {
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
        self.say(format_args!("{name} ends: {class:?}"));
        self.coverage.happened(&format!("pod: {class:?}"));
        self.cluster.end(&pod, class, self.now, &mut self.random);
    }

    fn delete_a_pod(&mut self) {
        let pods: Vec<String> = self
            .server
            .all(Kind::of("pods"))
            .map(|pod| text(pod, &["metadata", "name"]).to_owned())
            .collect();
        let Some(name) = self.random.pick(&pods).cloned() else { return };
        let body =
            if self.random.once_in(4) { json!({"gracePeriodSeconds": 0}) } else { json!({}) };
        self.ask(&kubelet::call(Verb::Delete, "", NAMESPACE, &name, body));
        self.coverage.happened("pod: deleted");
    }

    fn change_a_node(&mut self) {
        let node = self.random.below(self.cluster.nodes.len());
        match self.cluster.nodes[node] {
            Node::Up if self.random.once_in(2) => self.lose(node, Node::CutOff(self.now)),
            Node::Up => self.lose(node, Node::Dead(self.now)),
            _ if self.random.once_in(4) => self.remove(node),
            _ => self.bring_back(node),
        }
    }

    fn lose(&mut self, node: usize, how: Node) {
        self.say(format_args!("node{}: {how:?}", node + 1));
        let what =
            if matches!(how, Node::Dead(_)) { "node: without power" } else { "node: cut off" };
        self.coverage.happened(what);
        self.cluster.nodes[node] = how;
        // Some steps last long, and end when the trainer was replaced long ago.
        for worker in self.cluster.workers.values_mut() {
            if worker.node == node && worker.role == "trainer" && self.random.once_in(2) {
                worker.due = worker.due.saturating_add(self.random.within(0..900_000));
            }
        }
    }

    /// A node works again: what lost its power there died.
    pub(super) fn bring_back(&mut self, node: usize) {
        let dead = matches!(self.cluster.nodes[node], Node::Dead(_));
        self.cluster.nodes[node] = Node::Up;
        self.say(format_args!("node{} is back", node + 1));
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

    /// A node is removed: its pods' objects go, and what runs there runs on unseen.
    pub(super) fn remove(&mut self, node: usize) {
        self.say(format_args!("node{} is removed", node + 1));
        self.coverage.happened("node: removed");
        for (name, id) in self.pods_on(node) {
            for change in kubelet::force(&mut self.server, NAMESPACE, &name, &id) {
                self.notice(&change);
            }
        }
    }

    fn pods_on(&self, node: usize) -> Vec<(String, String)> {
        let name = format!("node{}", node + 1);
        let pods = self.server.all(Kind::of("pods"));
        let here = pods.filter(|pod| text(pod, &["spec", "nodeName"]) == name);
        here.map(|pod| (text(pod, &["metadata", "name"]).to_owned(), uid(pod).to_owned())).collect()
    }

    /// The node controller acts on nodes that are silent for long.
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
                    let said = json!([{"type": "Ready", "status": "False"}]);
                    kubelet::call(
                        Verb::Merge,
                        "status",
                        NAMESPACE,
                        &name,
                        json!({"status": {"conditions": said}}),
                    )
                } else {
                    continue;
                };
                self.ask(&call);
            }
        }
    }

    fn change_the_job(&mut self) {
        let Some(job) = self.server.get(Kind::of("shoprljobs"), NAMESPACE, JOB).cloned() else {
            return self.create_the_job();
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
            // A newer kind allows what this operator cannot read; later the user takes it back.
            7 => {
                let seed = if is_unreadable(&job) { Value::Null } else { json!("seven") };
                self.set(&json!({"seed": seed}));
                self.coverage.happened("user: wrote what cannot be read");
            }
            _ => {
                let policy = if self.random.once_in(2) { "Foreground" } else { "Background" };
                self.ask(&job_call(Verb::Delete, json!({"propagationPolicy": policy})));
                self.coverage.happened("user: deleted the job");
            }
        }
    }

    /// What cannot be read is told of, in words; then the user mends it.
    pub(super) fn mend_the_job(&mut self) {
        self.drain();
        let Some(job) = self.job().filter(|job| is_unreadable(job)) else { return };
        let told = |it: &Value| it["type"] == "Accepted" && it["reason"] == "Unreadable";
        let conditions = job["status"]["conditions"].as_array();
        if !is_over(job) && !is_leaving(job) && !conditions.into_iter().flatten().any(told) {
            return self.violate("a job cannot be read, and nobody says so".to_owned());
        }
        self.set(&json!({"seed": null}));
    }

    /// Changes the job's spec as a user does.
    pub(super) fn set(&mut self, spec: &Value) {
        self.ask(&job_call(Verb::Merge, json!({"spec": spec})));
    }

    pub(super) fn create_the_job(&mut self) {
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
        self.ask(&create);
        self.coverage.happened("user: created the job");
    }

    /// Somebody else's pod has the name of one that is wanted next.
    fn occupy_a_name(&mut self) {
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
        self.ask(&create);
        self.coverage.happened("user: took a pod's name");
    }

    /// Somebody else's pods go.
    pub(super) fn free_names(&mut self) {
        let foreign = self
            .server
            .all(Kind::of("pods"))
            .filter(|pod| pod["metadata"].get("ownerReferences").is_none());
        let foreign: Vec<(String, String)> = foreign
            .map(|pod| (text(pod, &["metadata", "name"]).to_owned(), uid(pod).to_owned()))
            .collect();
        for (name, id) in foreign {
            for change in kubelet::force(&mut self.server, NAMESPACE, &name, &id) {
                self.notice(&change);
            }
        }
    }

    /// All watches of all processes begin anew.
    pub(super) fn relist(&mut self) {
        for seat in &mut self.seats {
            if let Some(process) = &mut seat.process {
                (process.jobs.version, process.pods.version) = (None, None);
            }
        }
    }

    /// What the trainer at an address says.
    pub(super) fn progress(&self, address: &str) -> Option<Progress> {
        let worker = self.cluster.at(address)?;
        Some(Progress {
            phase: Some(TrainerPhase::Training),
            step: worker.step,
            target_steps: worker.target,
            steps: format!("{}/{}", worker.step, worker.target),
            weights_version: worker.step,
            // Not every step changes it.
            success: Some(format!("0.{}0", worker.step / 3)),
            waiting_for: None,
            time: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(super::process::time(
                self.now,
            ))),
        })
    }
}

/// Whether the user wrote a seed that is no number.
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
