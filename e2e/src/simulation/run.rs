//! One run in three phases: faults; recovery, in which the job must reach its goal; and rest, in which nothing may be written.

use serde_json::Value;

use super::api::{Kind, is_leaving, owners, text, uid};
use super::bug::Bug;
use super::fault::Coverage;
use super::informer::Next;
use super::kubelet::{NEVER, Node};
use super::names::{JOB, NAMESPACE};
use super::process::end_condition;
use super::random::Random;
use super::world::World;

/// Moves after which recovery has failed.
const MAX_MOVES: usize = 20_000;
/// Virtual time after which recovery has failed (ms). Restart budgets recover within an hour.
const MAX_RECOVERY: i64 = 3 * 3_600_000;

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The first violated invariant.
    pub violation: Option<String>,
    /// Equal for equal traces.
    pub digest: u64,
    /// The trace, if it was requested.
    pub trace: Vec<String>,
    /// The faults and events that occurred.
    pub coverage: Coverage,
}

/// An event that can happen now.
#[derive(Debug, Clone)]
enum Move {
    Start(usize),
    Resume(usize),
    Deliver(usize, bool),
    Begin(usize, String),
    Pod(String),
    Collect,
}

/// Runs a seed, with a planted bug or none. `keep` keeps the trace.
pub fn run(seed: u64, bug: Option<Bug>, keep: bool) -> Outcome {
    let mut random = Random::new(seed);
    let replicas = 1 + usize::from(random.once_in(2));
    let mut world = World::new(random.bits(), replicas, bug, keep);
    let steps = 40 + random.below(360);
    world.faults = [0, 4, 12, 40][random.below(4)];
    world.losses = [0, 0, 10, 40][random.below(4)];
    let chaos_rate = [0, 15, 30, 60][random.below(4)];
    if replicas > 1 {
        world.coverage.happened("operator: two leaders");
    }
    world.create_job();
    for _ in 0..steps {
        if world.violation.is_some() {
            break;
        }
        world.step(chaos_rate);
    }
    if world.violation.is_none() {
        world.recover();
    }
    if world.violation.is_none() {
        world.check_rest();
    }
    Outcome {
        violation: world.violation,
        digest: world.trace.digest(),
        trace: world.trace.lines().to_vec(),
        coverage: world.coverage,
    }
}

impl World {
    /// One move of the fault phase.
    fn step(&mut self, chaos_rate: usize) {
        if self.random.once_in(chaos_rate) {
            return self.chaos();
        }
        let moves = self.moves();
        if moves.is_empty() || self.random.once_in(8) {
            return self.advance_time(self.due().min(self.now + 30_000));
        }
        if let Some(chosen) = self.random.pick(&moves).cloned() {
            self.make(chosen);
        }
    }

    fn moves(&mut self) -> Vec<Move> {
        let mut moves = Vec::new();
        for at in 0..self.replicas.len() {
            let Some(process) = &mut self.replicas[at].process else {
                if self.replicas[at].restart <= self.now {
                    moves.push(Move::Start(at));
                }
                continue;
            };
            for jobs in [true, false] {
                let informer = if jobs { &mut process.jobs } else { &mut process.pods };
                if !matches!(informer.next(&self.server), Next::Nothing) {
                    moves.push(Move::Deliver(at, jobs));
                }
            }
            if !process.pending.is_empty() {
                moves.extend([Move::Resume(at), Move::Resume(at)]);
            }
            if process.running.is_none() {
                let due = process.queue.iter().filter(|(_, due)| **due <= self.now);
                moves.extend(due.map(|(name, _)| Move::Begin(at, name.clone())));
            }
        }
        moves.extend(self.cluster.due_at(self.now).into_iter().map(Move::Pod));
        if self.dirty {
            moves.push(Move::Collect);
        }
        moves
    }

    fn make(&mut self, chosen: Move) {
        match chosen {
            Move::Start(replica) => self.start(replica),
            Move::Resume(replica) => self.resume(replica),
            Move::Deliver(replica, jobs) => self.deliver(replica, jobs),
            Move::Begin(replica, name) => self.begin(replica, &name),
            Move::Pod(id) => self.advance(&id),
            Move::Collect => self.collect(),
        }
    }

    pub(super) fn advance_time(&mut self, to: i64) {
        if to > self.now && to < NEVER {
            self.set_time(to);
            self.watch_nodes();
        }
    }

    /// Executes events until none can happen now.
    pub(super) fn drain(&mut self) {
        for _ in 0..MAX_MOVES {
            let moves = self.moves();
            let Some(chosen) = self.random.pick(&moves).cloned() else { return };
            self.make(chosen);
            if self.violation.is_some() {
                return;
            }
        }
        self.violate("the run does not come to rest".to_owned());
    }

    /// The recovery phase: without further faults the job must reach its goal.
    fn recover(&mut self) {
        self.record(format_args!("recovery phase"));
        (self.faults, self.losses) = (0, 0);
        for node in 0..self.cluster.nodes.len() {
            if self.cluster.nodes[node] != Node::Up {
                if self.random.once_in(3) {
                    self.remove(node);
                }
                self.bring_back(node);
            }
        }
        self.delete_foreign_pods();
        self.relist();
        for replica in &mut self.replicas {
            replica.restart = self.now;
        }
        self.repair_job();
        let suspended = self.job().is_some_and(|job| job["spec"]["suspend"] == true);
        if suspended && self.random.once_in(2) {
            self.set(&serde_json::json!({"suspend": false}));
        }
        let started = self.now;
        for _ in 0..MAX_MOVES {
            self.drain();
            if self.violation.is_some() || self.has_reached_goal() {
                return;
            }
            let due = self.due();
            if due == NEVER || self.now - started > MAX_RECOVERY {
                break;
            }
            self.advance_time(due);
        }
        let status = self.job().map(|job| job["status"].to_string()).unwrap_or_default();
        self.violate(format!("no progress: {status}"));
    }

    pub(super) fn job(&self) -> Option<&Value> {
        self.server.get(Kind::of("shoprljobs"), NAMESPACE, JOB).map(|job| &**job)
    }

    /// Whether the job has ended, is gone, or is suspended as desired.
    fn has_reached_goal(&mut self) -> bool {
        let Some(job) = self.job() else { return true };
        if is_leaving(job) {
            return false;
        }
        if let Some(end) = end_condition(job) {
            let reason = format!("end: {}", text(end, &["reason"]));
            self.coverage.happened(&reason);
            return true;
        }
        let suspended = job["spec"]["suspend"] == true
            && job["status"]["conditions"].as_array().is_some_and(|conditions| {
                conditions.iter().any(|condition| {
                    condition["type"] == "Suspended" && condition["status"] == "True"
                })
            });
        if suspended {
            self.coverage.happened("end: suspended");
        }
        suspended
    }

    /// The rest phase: the operator writes nothing, and nothing of an ended job is left.
    fn check_rest(&mut self) {
        self.record(format_args!("rest phase"));
        // Wait for pods that are being deleted.
        for _ in 0..200 {
            self.drain();
            let leaving = self
                .server
                .all(Kind::of("pods"))
                .any(|pod| is_leaving(pod) || super::invariants::is_live(pod));
            if !leaving || self.violation.is_some() {
                break;
            }
            let due = self.due();
            self.advance_time(due.min(self.now + 10_000));
        }
        // A failed reconcile is repeated after 3 s; counts without a change of conditions are written 10 s after the last status.
        self.advance_time(self.now + 15_000);
        self.drain();
        let before = self.writes;
        for _ in 0..3 {
            self.relist();
            self.drain();
            self.advance_time(self.now + 61_000);
        }
        self.drain();
        if self.violation.is_some() {
            return;
        }
        if self.writes > before {
            return self.violate(format!("{} writes at rest", self.writes - before));
        }
        if let Some(name) = self.left_behind() {
            self.violate(format!("{name} is left behind"));
        }
    }

    fn left_behind(&self) -> Option<String> {
        // A claim is retained, and the API server expires events by itself.
        const KEPT: [&str; 3] = ["shoprljobs", "persistentvolumeclaims", "events"];
        let job = self.job().map(uid);
        let left = self.server.everything().find(|(key, object)| {
            let owned = owners(object).next().is_some();
            let of_job = owners(object).any(|owner| Some(owner) == job);
            let lives = key.kind.0 == "pods" && super::invariants::is_live(object);
            (owned && !of_job) || lives || (!owned && !KEPT.contains(&key.kind.0))
        });
        left.map(|(key, _)| format!("{} {}", key.kind.0, key.name))
    }
}
