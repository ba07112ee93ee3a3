//! Measurements of jobs that were submitted together, from the audit log.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::{GENERATOR, NODES, PODS, Write};

/// Percentiles of a sample, by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Maximum.
    pub max: f64,
}

impl Spread {
    /// `None` for an empty sample.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let max = *figures.last()?;
        let rank = |share: usize| figures[(figures.len() * share).div_ceil(100).max(1) - 1];
        Some(Self { p50: rank(50), p99: rank(99), max })
    }
}

/// Jobs that were submitted together and have all their pods.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Batch {
    /// Number of jobs.
    pub jobs: usize,
    /// Seconds from the first request to the answer for the last pod.
    pub seconds: f64,
    /// Per job: seconds from its first request to the answer for its last pod.
    pub exist: Spread,
    /// Per job: seconds from its first request until all its pods are reported as running.
    pub running: Spread,
    /// Seconds from the first request until all pods of all jobs are reported as running.
    pub all_running: f64,
}

/// Measurements of one job.
#[derive(Default)]
struct Progress {
    submitted: Option<f64>,
    created: BTreeSet<String>,
    last_created: f64,
    running: BTreeSet<String>,
    last_running: f64,
}

impl Batch {
    /// Measures the jobs named `prefix` and a number, whose pods `creator` created. A job begins with the first object that
    /// the generator creates for it: the job itself, or one of its children when there is no operator.
    ///
    /// # Errors
    /// When a pod of a job was not created or not reported as running.
    pub fn of(writes: &[Write], prefix: &str, creator: &str) -> anyhow::Result<Self> {
        let mut jobs: BTreeMap<&str, Progress> = BTreeMap::new();
        for write in writes {
            let Some(job) = job_of(&write.name, prefix) else { continue };
            let job = jobs.entry(job).or_default();
            if write.user == GENERATOR && write.verb == "create" {
                let first = job.submitted.get_or_insert(write.received);
                *first = first.min(write.received);
            }
            if write.is(creator, "create", "pods") && job.created.insert(write.name.clone()) {
                job.last_created = job.last_created.max(write.answered);
            }
            if write.is(NODES, "patch", "pods/status") && job.running.insert(write.name.clone()) {
                job.last_running = job.last_running.max(write.answered);
            }
        }
        let (mut exist, mut running) = (Vec::new(), Vec::new());
        let (mut first, mut last_created, mut last_running) = (f64::INFINITY, 0.0_f64, 0.0_f64);
        for (name, job) in &jobs {
            let (created, ran) = (job.created.len(), job.running.len());
            let complete = created == PODS && ran == PODS;
            ensure!(complete, "{name}: of {PODS} pods {created} were created, {ran} ran");
            let submitted = job.submitted.with_context(|| format!("{name}: not submitted"))?;
            exist.push(job.last_created - submitted);
            running.push(job.last_running - submitted);
            first = first.min(submitted);
            last_created = last_created.max(job.last_created);
            last_running = last_running.max(job.last_running);
        }
        let none = || format!("no job named {prefix}");
        Ok(Self {
            jobs: jobs.len(),
            seconds: last_created - first,
            exist: Spread::of(exist).with_context(none)?,
            running: Spread::of(running).with_context(none)?,
            all_running: last_running - first,
        })
    }

    /// Pods per second, from the first request to the last pod.
    #[allow(clippy::cast_precision_loss, reason = "thousands of pods")]
    pub fn pods_a_second(&self) -> f64 {
        (self.jobs * PODS) as f64 / self.seconds
    }
}

/// Digits of a job's number.
pub(super) const DIGITS: usize = 4;

/// The job of an object, whose name begins with the job's.
pub(super) fn job_of<'a>(object: &'a str, prefix: &str) -> Option<&'a str> {
    object.starts_with(prefix).then(|| object.get(..prefix.len() + DIGITS))?
}

#[cfg(test)]
mod tests {
    use super::super::{GENERATOR, NODES, OPERATOR, PODS, Write};
    use super::{Batch, Spread};

    fn write(
        user: &str,
        verb: &str,
        resource: &str,
        name: &str,
        received: f64,
        answered: f64,
    ) -> Write {
        let [user, verb, resource, name] = [user, verb, resource, name].map(str::to_owned);
        Write { user, verb, resource, name, received, answered, code: 201 }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let check = |figures: &[f64], expected: Option<(f64, f64, f64)>| {
            let found =
                Spread::of(figures.to_vec()).map(|spread| (spread.p50, spread.p99, spread.max));
            assert_eq!(found, expected, "{figures:?}");
        };
        check(&[], None);
        check(&[3.0], Some((3.0, 3.0, 3.0)));
        check(&[4.0, 1.0, 3.0, 2.0], Some((2.0, 4.0, 4.0)));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        check(&hundred, Some((50.0, 99.0, 100.0)));
    }

    #[test]
    fn a_batch_lasts_from_its_first_request_to_its_last_pod() {
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
        // A job of another batch, and a pod of another creator.
        writes.push(write(GENERATOR, "create", "shoprljobs", "c-0000", 0.0, 0.1));
        writes.push(write(GENERATOR, "create", "pods", "b-0000-rollout-9-1", 30.0, 40.0));
        let batch = Batch::of(&writes, "b-", OPERATOR).expect("a complete batch");
        assert_eq!((batch.jobs, batch.seconds, batch.all_running), (2, 9.0, 10.0));
        assert_eq!((batch.exist.max, batch.running.p50), (8.0, 9.0));
        assert!((batch.pods_a_second() - 16.0 / 9.0).abs() < 1e-9);
        let incomplete = Batch::of(&writes[..writes.len() - 4], "b-", OPERATOR);
        let error = incomplete.expect_err("a pod is missing").to_string();
        assert_eq!(error, "b-0001: of 8 pods 7 were created, 7 ran");
        assert!(Batch::of(&writes, "d-", OPERATOR).is_err(), "no job");
    }
}
