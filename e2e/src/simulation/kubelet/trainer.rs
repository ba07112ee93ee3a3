//! The processes: the trainer takes steps, the other roles serve it.

use super::super::api::{Kind, Server, text};
use super::super::names::NAMESPACE;
use super::super::random::Random;
use super::{Class, Cluster, NEVER, Node, Stage, Worker};

impl Cluster {
    /// Executes the next step of a process.
    pub(super) fn work(
        &mut self,
        worker: &mut Worker,
        server: &Server,
        now: i64,
        random: &mut Random,
    ) -> Result<(), String> {
        worker.due = now + random.within(2000..5000);
        if worker.role != "trainer" {
            // A worker exits with 0 when the trainer reports the end of the job.
            if self.stores.is_finished(&worker.job) && random.once_in(2) {
                worker.stage = Stage::Ended(Class::Exit(0));
            }
            return Ok(());
        }
        // A step that has started also ends when other workers disappear.
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
                self.hasten_others(&worker.job, now);
            }
        } else {
            // The trainer was replaced.
            worker.stage = Stage::Ended(Class::Exit(75));
        }
        Ok(())
    }

    fn hasten_others(&mut self, job: &str, now: i64) {
        for other in
            self.workers.values_mut().filter(|worker| worker.job == job && worker.role != "trainer")
        {
            if matches!(other.stage, Stage::Running | Stage::Ready) {
                other.due = other.due.min(now + 1000);
            }
        }
    }

    /// Whether a simulator and a rollout are ready, and the Service selects this trainer.
    fn is_served(&self, trainer: &Worker, server: &Server) -> bool {
        let selected = server.all(Kind::of("services")).any(|service| {
            text(service, &["metadata", "namespace"]) == NAMESPACE
                && text(service, &["spec", "selector", "shoprl.dev/incarnation"])
                    == trainer.incarnation
                && super::owners(service).any(|owner| owner == trainer.job)
        });
        let serves = |role: &str| {
            self.workers.values().any(|worker| {
                worker.job == trainer.job
                    && worker.role == role
                    && worker.stage == Stage::Ready
                    && self.nodes[worker.node] == Node::Up
            })
        };
        selected && serves("simulator") && serves("rollout")
    }

    /// A process reacts to SIGTERM; a trainer writes a checkpoint first.
    pub(super) fn leave(
        &mut self,
        worker: &mut Worker,
        now: i64,
        random: &mut Random,
    ) -> Result<(), String> {
        let killed_at = worker.killed_at.unwrap_or(NEVER);
        // One in eight ignores SIGTERM and is killed at the end of the grace period.
        if now < killed_at && random.once_in(8) {
            worker.due = killed_at;
            return Ok(());
        }
        let class = if now >= killed_at { Class::Killed } else { Class::Exit(143) };
        if worker.role == "trainer" && class == Class::Exit(143) && worker.attempt > 0 {
            self.stores.save(&worker.job, worker.attempt, worker.step, worker.target)?;
        }
        worker.stage = Stage::Ended(class);
        // In one case in three the object is deleted before it has the exit status.
        if random.once_in(3) {
            worker.stage = Stage::Reported;
        }
        worker.due = now + random.within(0..500);
        Ok(())
    }
}
