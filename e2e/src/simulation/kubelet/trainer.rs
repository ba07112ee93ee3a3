//! What the processes do: the trainer takes steps, the others serve it.

use super::super::api::{Kind, Server, text};
use super::super::random::Random;
use super::super::run::NAMESPACE;
use super::{Class, Cluster, NEVER, Node, Stage, Worker};

impl Cluster {
    /// A process takes its next step.
    pub(super) fn work(
        &mut self,
        worker: &mut Worker,
        server: &Server,
        now: i64,
        random: &mut Random,
    ) -> Result<(), String> {
        worker.due = now + random.within(2000..5000);
        if worker.role != "trainer" {
            // Told by the trainer that the job is over, a worker leaves with 0.
            if self.stores.is_finished(&worker.job) && random.once_in(2) {
                worker.stage = Stage::Ended(Class::Exit(0));
            }
            return Ok(());
        }
        // A step that was begun ends, whoever is there no more.
        let computes = worker.computes;
        worker.computes = worker.step + 1 < worker.target && self.is_served(worker, server);
        if worker.step < worker.target && !computes {
            worker.computes |= self.is_served(worker, server);
            return Ok(());
        }
        let next = (worker.step + 1).min(worker.target);
        if self.stores.save(&worker.job, worker.attempt, next, worker.target)? {
            worker.step = next;
            if next == worker.target {
                worker.stage = Stage::Ended(Class::Exit(0));
                self.wake_others(&worker.job, now);
            }
        } else {
            // Somebody replaced it.
            worker.stage = Stage::Ended(Class::Exit(75));
        }
        Ok(())
    }

    fn wake_others(&mut self, job: &str, now: i64) {
        for other in self.workers.values_mut().filter(|it| it.job == job && it.role != "trainer") {
            if matches!(other.stage, Stage::Running | Stage::Ready) {
                other.due = other.due.min(now + 1000);
            }
        }
    }

    /// Whether simulators and rollouts are there, and the Service leads them to this trainer.
    fn is_served(&self, trainer: &Worker, server: &Server) -> bool {
        let selected = server.all(Kind::of("services")).any(|service| {
            text(service, &["metadata", "namespace"]) == NAMESPACE
                && text(service, &["spec", "selector", "shoprl.dev/incarnation"])
                    == trainer.incarnation
                && super::owners(service).any(|owner| owner == trainer.job)
        });
        let serves = |role: &str| {
            self.workers.values().any(|it| {
                it.job == trainer.job
                    && it.role == role
                    && it.stage == Stage::Ready
                    && self.nodes[it.node] == Node::Up
            })
        };
        selected && serves("simulator") && serves("rollout")
    }

    /// A process that was asked to stop stops; a trainer writes its checkpoint first.
    pub(super) fn leave(
        &mut self,
        worker: &mut Worker,
        now: i64,
        random: &mut Random,
    ) -> Result<(), String> {
        let killed_at = worker.killed_at.unwrap_or(NEVER);
        // Now and then one does not hear it, and is killed in the end.
        if now < killed_at && random.once_in(8) {
            worker.due = killed_at;
            return Ok(());
        }
        let class = if now >= killed_at { Class::Killed } else { Class::Exit(143) };
        if worker.role == "trainer" && class == Class::Exit(143) && worker.attempt > 0 {
            self.stores.save(&worker.job, worker.attempt, worker.step, worker.target)?;
        }
        worker.stage = Stage::Ended(class);
        // Sometimes the object goes before it says how the process ended.
        if random.once_in(3) {
            worker.stage = Stage::Reported;
        }
        worker.due = now + random.within(0..500);
        Ok(())
    }
}
