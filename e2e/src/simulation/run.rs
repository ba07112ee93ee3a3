//! One run: a time of trouble, then peace, in which the job must get where it was to go, then rest.

use serde_json::Value;

use super::api::{Kind, is_leaving, owners, text, uid};
use super::bug::Bug;
use super::fault::Coverage;
use super::informer::Next;
use super::kubelet::{NEVER, Node};
use super::process::over;
use super::random::Random;
use super::world::World;

/// Where the job lives.
pub(super) const NAMESPACE: &str = "shop";
/// Its name.
pub(super) const JOB: &str = "job";
/// Steps in peace after which there is no progress.
const PATIENCE: usize = 20_000;
/// Virtual time in peace after which there is no progress (ms): budgets recover within an hour.
const LONG: i64 = 3 * 3_600_000;

/// How a run went.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What did not hold.
    pub violation: Option<String>,
    /// Equal for equal traces.
    pub digest: u64,
    /// The trace, if it was to be kept.
    pub trace: Vec<String>,
    /// What was tried.
    pub coverage: Coverage,
}

/// One thing that can happen now.
#[derive(Debug, Clone)]
enum Move {
    Start(usize),
    Resume(usize),
    Deliver(usize, bool),
    Begin(usize, String),
    Pod(String),
    Collect,
}

/// The run of a seed, with a bug planted or none.
pub fn run(seed: u64, bug: Option<Bug>, keep: bool) -> Outcome {
    let mut random = Random::new(seed);
    let replicas = 1 + usize::from(random.once_in(2));
    let mut world = World::new(random.bits(), replicas, bug, keep);
    let steps = 40 + random.below(360);
    world.faults = [0, 4, 12, 40][random.below(4)];
    world.losses = [0, 0, 10, 40][random.below(4)];
    let trouble = [0, 15, 30, 60][random.below(4)];
    if replicas > 1 {
        world.coverage.happened("operator: two lead at once");
    }
    world.create_the_job();
    for _ in 0..steps {
        if world.violation.is_some() {
            break;
        }
        world.step(trouble);
    }
    if world.violation.is_none() {
        world.peace();
    }
    if world.violation.is_none() {
        world.rest();
    }
    Outcome {
        violation: world.violation,
        digest: world.trace.digest(),
        trace: world.trace.lines().to_vec(),
        coverage: world.coverage,
    }
}

impl World {
    /// One move in times of trouble.
    fn step(&mut self, trouble: usize) {
        if self.random.once_in(trouble) {
            return self.chaos();
        }
        let moves = self.moves();
        if moves.is_empty() || self.random.once_in(8) {
            return self.pass_time(self.due().min(self.now + 30_000));
        }
        if let Some(chosen) = self.random.pick(&moves).cloned() {
            self.make(chosen);
        }
    }

    fn moves(&mut self) -> Vec<Move> {
        let mut moves = Vec::new();
        for at in 0..self.seats.len() {
            let Some(process) = &mut self.seats[at].process else {
                if self.seats[at].restart <= self.now {
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
            if !process.waits.is_empty() {
                moves.extend([Move::Resume(at), Move::Resume(at)]);
            }
            if process.pass.is_none() {
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
            Move::Start(seat) => self.start(seat),
            Move::Resume(seat) => self.resume(seat),
            Move::Deliver(seat, jobs) => self.deliver(seat, jobs),
            Move::Begin(seat, name) => self.begin(seat, &name),
            Move::Pod(id) => self.advance(&id),
            Move::Collect => self.collect(),
        }
    }

    pub(super) fn pass_time(&mut self, to: i64) {
        if to > self.now && to < NEVER {
            self.set_time(to);
            self.watch_nodes();
        }
    }

    /// Everything that can happen now happens.
    pub(super) fn drain(&mut self) {
        for _ in 0..PATIENCE {
            let moves = self.moves();
            let Some(chosen) = self.random.pick(&moves).cloned() else { return };
            self.make(chosen);
            if self.violation.is_some() {
                return;
            }
        }
        self.violate("it never comes to rest".to_owned());
    }

    /// Nothing goes wrong any more, and the job gets where it was to go.
    fn peace(&mut self) {
        self.say(format_args!("peace"));
        (self.faults, self.losses) = (0, 0);
        for node in 0..self.cluster.nodes.len() {
            if self.cluster.nodes[node] != Node::Up {
                if self.random.once_in(3) {
                    self.remove(node);
                }
                self.bring_back(node);
            }
        }
        self.free_names();
        self.relist();
        for seat in &mut self.seats {
            seat.restart = self.now;
        }
        self.mend_the_job();
        let suspended = self.job().is_some_and(|job| job["spec"]["suspend"] == true);
        if suspended && self.random.once_in(2) {
            self.set(&serde_json::json!({"suspend": false}));
        }
        let begun = self.now;
        for _ in 0..PATIENCE {
            self.drain();
            if self.violation.is_some() || self.is_there() {
                return;
            }
            let due = self.due();
            if due == NEVER || self.now - begun > LONG {
                break;
            }
            self.pass_time(due);
        }
        let said = self.job().map(|job| job["status"].to_string()).unwrap_or_default();
        self.violate(format!("no progress: {said}"));
    }

    pub(super) fn job(&self) -> Option<&Value> {
        self.server.get(Kind::of("shoprljobs"), NAMESPACE, JOB).map(|job| &**job)
    }

    /// Whether the job is over, gone, or suspended as it was to be.
    fn is_there(&mut self) -> bool {
        let Some(job) = self.job() else { return true };
        if is_leaving(job) {
            return false;
        }
        if let Some(end) = over(job) {
            let how = format!("end: {}", text(end, &["reason"]));
            self.coverage.happened(&how);
            return true;
        }
        let suspended = job["spec"]["suspend"] == true
            && job["status"]["conditions"].as_array().is_some_and(|conditions| {
                conditions.iter().any(|it| it["type"] == "Suspended" && it["status"] == "True")
            });
        if suspended {
            self.coverage.happened("end: suspended");
        }
        suspended
    }

    /// A job that is where it was to go costs nothing more, and leaves nothing behind.
    fn rest(&mut self) {
        self.say(format_args!("rest"));
        // What still leaves leaves.
        for _ in 0..200 {
            self.drain();
            let leaving = self
                .server
                .all(Kind::of("pods"))
                .any(|pod| is_leaving(pod) || super::ledger::is_live(pod));
            if !leaving || self.violation.is_some() {
                break;
            }
            let due = self.due();
            self.pass_time(due.min(self.now + 10_000));
        }
        // A pass that failed is repeated after three seconds; numbers that move no condition follow the last status after ten.
        self.pass_time(self.now + 15_000);
        self.drain();
        let writes = self.writes;
        for _ in 0..3 {
            self.relist();
            self.drain();
            self.pass_time(self.now + 61_000);
        }
        self.drain();
        if self.violation.is_some() {
            return;
        }
        if self.writes > writes {
            return self.violate(format!("{} writes at rest", self.writes - writes));
        }
        if let Some(name) = self.left_behind() {
            self.violate(format!("{name} is left behind"));
        }
    }

    fn left_behind(&self) -> Option<String> {
        // A claim is kept on purpose, and the API server forgets events by itself.
        const STAYS: [&str; 3] = ["shoprljobs", "persistentvolumeclaims", "events"];
        let job = self.job().map(uid);
        let left = self.server.everything().find(|(key, object)| {
            let owned = owners(object).next().is_some();
            let of_job = owners(object).any(|owner| Some(owner) == job);
            let lives = key.kind.0 == "pods" && super::ledger::is_live(object);
            (owned && !of_job) || lives || (!owned && !STAYS.contains(&key.kind.0))
        });
        left.map(|(key, _)| format!("{} {}", key.kind.0, key.name))
    }
}
