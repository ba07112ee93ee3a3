//! What the log says of jobs that were submitted together.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::{GENERATOR, NODES, PODS, Write};

/// The middle and the end of many figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of them are not above it.
    pub p50: f64,
    /// 99 of 100 are not above it.
    pub p99: f64,
    /// None is above it.
    pub most: f64,
}

impl Spread {
    /// By nearest rank; `None` of nothing.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let most = *figures.last()?;
        let rank = |share: usize| figures[(figures.len() * share).div_ceil(100).max(1) - 1];
        Some(Self { p50: rank(50), p99: rank(99), most })
    }
}

/// Jobs that were submitted together, each with all its pods.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Batch {
    /// How many.
    pub jobs: usize,
    /// From the first request to the answer to the last pod, in seconds.
    pub seconds: f64,
    /// From a job's first request to the answer to its last pod, in seconds.
    pub exist: Spread,
    /// And until the last of its pods was said to run.
    pub running: Spread,
    /// From the first request until the last pod of all was said to run.
    pub all_running: f64,
}

/// What is known of one job.
#[derive(Default)]
struct Seen {
    begun: Option<f64>,
    pods: BTreeSet<String>,
    exist: f64,
    run: BTreeSet<String>,
    running: f64,
}

impl Batch {
    /// Reads the jobs called `prefix` and a number, whose pods `creator` made. A job begins with the first object that the
    /// generator makes of it: the job itself, or without an operator one of its children.
    ///
    /// # Errors
    /// When a job lacks a pod, or a pod was not said to run.
    pub fn of(writes: &[Write], prefix: &str, creator: &str) -> anyhow::Result<Self> {
        let mut jobs: BTreeMap<&str, Seen> = BTreeMap::new();
        for write in writes {
            let Some(job) = job_of(&write.name, prefix) else { continue };
            let seen = jobs.entry(job).or_default();
            if write.user == GENERATOR && write.verb == "create" {
                let first = seen.begun.get_or_insert(write.begun);
                *first = first.min(write.begun);
            }
            if write.is(creator, "create", "pods") && seen.pods.insert(write.name.clone()) {
                seen.exist = seen.exist.max(write.done);
            }
            if write.is(NODES, "patch", "pods/status") && seen.run.insert(write.name.clone()) {
                seen.running = seen.running.max(write.done);
            }
        }
        let (mut exist, mut running) = (Vec::new(), Vec::new());
        let (mut first, mut last_exists, mut last_runs) = (f64::INFINITY, 0.0_f64, 0.0_f64);
        for (name, seen) in &jobs {
            let (pods, run) = (seen.pods.len(), seen.run.len());
            let whole = pods == PODS && run == PODS;
            ensure!(whole, "{name}: of {PODS} pods {pods} were made, {run} ran");
            let begun = seen.begun.with_context(|| format!("{name}: nobody submitted it"))?;
            exist.push(seen.exist - begun);
            running.push(seen.running - begun);
            first = first.min(begun);
            last_exists = last_exists.max(seen.exist);
            last_runs = last_runs.max(seen.running);
        }
        let none = || format!("no job of {prefix}");
        Ok(Self {
            jobs: jobs.len(),
            seconds: last_exists - first,
            exist: Spread::of(exist).with_context(none)?,
            running: Spread::of(running).with_context(none)?,
            all_running: last_runs - first,
        })
    }

    /// Pods a second, from the first request to the last pod.
    #[allow(clippy::cast_precision_loss, reason = "thousands of pods")]
    pub fn pods_a_second(&self) -> f64 {
        (self.jobs * PODS) as f64 / self.seconds
    }
}

/// Digits of a job's number.
pub(super) const DIGITS: usize = 4;

/// The job that an object belongs to: all their names begin with it.
pub(super) fn job_of<'a>(object: &'a str, prefix: &str) -> Option<&'a str> {
    object.starts_with(prefix).then(|| object.get(..prefix.len() + DIGITS))?
}

#[cfg(test)]
mod tests {
    use super::super::{GENERATOR, NODES, OPERATOR, PODS, Write};
    use super::{Batch, Spread};

    fn write(user: &str, verb: &str, resource: &str, name: &str, begun: f64, done: f64) -> Write {
        let [user, verb, resource, name] = [user, verb, resource, name].map(str::to_owned);
        Write { user, verb, resource, name, begun, done, code: 201 }
    }

    #[test]
    fn a_spread_is_by_nearest_rank() {
        let check = |figures: &[f64], expected: Option<(f64, f64, f64)>| {
            let found = Spread::of(figures.to_vec()).map(|it| (it.p50, it.p99, it.most));
            assert_eq!(found, expected, "{figures:?}");
        };
        check(&[], None);
        check(&[3.0], Some((3.0, 3.0, 3.0)));
        check(&[4.0, 1.0, 3.0, 2.0], Some((2.0, 4.0, 4.0)));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        check(&hundred, Some((50.0, 99.0, 100.0)));
    }

    #[test]
    fn a_batch_lasts_from_its_first_request_to_its_last_pod_and_lacks_none() {
        let mut writes = Vec::new();
        for (job, begun) in [("b-0000", 10.0), ("b-0001", 11.0)] {
            writes.push(write(GENERATOR, "create", "shoprljobs", job, begun, begun + 0.1));
            for (pod, at) in (0..PODS).zip([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]) {
                let name = format!("{job}-rollout-{pod}-1");
                let done = begun + at;
                writes.push(write(OPERATOR, "create", "pods", &name, done, done));
                writes.push(write(NODES, "patch", "pods/status", &name, done, done + 1.0));
            }
        }
        // Of another batch, and of another's pods.
        writes.push(write(GENERATOR, "create", "shoprljobs", "c-0000", 0.0, 0.1));
        writes.push(write(GENERATOR, "create", "pods", "b-0000-rollout-9-1", 30.0, 40.0));
        let batch = Batch::of(&writes, "b-", OPERATOR).expect("whole");
        assert_eq!((batch.jobs, batch.seconds, batch.all_running), (2, 9.0, 10.0));
        assert_eq!((batch.exist.most, batch.running.p50), (8.0, 9.0));
        assert!((batch.pods_a_second() - 16.0 / 9.0).abs() < 1e-9);
        let lacks = Batch::of(&writes[..writes.len() - 4], "b-", OPERATOR).map(|it| it.jobs);
        let told = lacks.expect_err("a pod is missing").to_string();
        assert_eq!(told, "b-0001: of 8 pods 7 were made, 7 ran");
        assert!(Batch::of(&writes, "d-", OPERATOR).is_err(), "no job");
    }
}
