//! The versions of jobs that this process wrote, and when.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::api::ObjectMeta;

use crate::pods;

/// Minimum interval between two status writes of one job.
pub(crate) const MIN_STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// Minimum interval before a status write that changes only counters. A status also yields this long to jobs that need pods.
pub(crate) const IDLE_STATUS_INTERVAL: Duration = Duration::from_secs(10);

/// The newest version of each job that this process wrote. A reconcile of an older version from the watch would act on an
/// intent that was replaced.
#[derive(Debug, Default)]
pub struct Written(Mutex<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    version: u64,
    at: Timestamp,
    /// The watch has delivered this version.
    observed: bool,
}

impl Written {
    pub(crate) fn note(&self, job: &ObjectMeta, now: Timestamp) {
        if let Some((uid, version)) = version(job) {
            let mut written = self.lock();
            // Clean up before the map grows. Entries are kept as long as `since` may be asked for them.
            if written.len() == written.capacity() {
                written.retain(|_, entry| !entry.observed || is_recent(entry.at, now));
            }
            written.insert(uid, Entry { version, at: now, observed: false });
        }
    }

    /// Time since this process wrote the job; `Duration::MAX` if it never did.
    pub(crate) fn since(&self, job: &ObjectMeta, now: Timestamp) -> Duration {
        let written = version(job).and_then(|(uid, _)| self.lock().get(&uid).map(|entry| entry.at));
        written.map_or(Duration::MAX, |at| now.duration_since(at).unsigned_abs())
    }

    /// Whether this process wrote the job within `IDLE_STATUS_INTERVAL`.
    pub(crate) fn is_recent(&self, job: &ObjectMeta, now: Timestamp) -> bool {
        self.since(job, now) < IDLE_STATUS_INTERVAL
    }

    /// Whether this process wrote a newer version than the watch delivered.
    pub(crate) fn is_newer_than(&self, job: &ObjectMeta) -> bool {
        let Some((uid, delivered)) = version(job) else { return false };
        let mut written = self.lock();
        let Some(entry) = written.get_mut(&uid) else { return false };
        entry.observed = entry.version <= delivered;
        !entry.observed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        // Every update is a single insertion or assignment, so a panic elsewhere leaves the map valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).unsigned_abs() < IDLE_STATUS_INTERVAL
}

fn version(job: &ObjectMeta) -> Option<(String, u64)> {
    Some((job.uid.clone()?, pods::version(job)?))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::{SignedDuration, Timestamp};
    use kube::api::ObjectMeta;

    use super::{IDLE_STATUS_INTERVAL, Written};

    #[test]
    fn recent_writes_are_remembered_and_old_ones_are_cleaned_up() {
        let written = Written::default();
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let job = |number: i64| ObjectMeta {
            uid: Some(number.to_string()),
            resource_version: Some("7".to_owned()),
            ..ObjectMeta::default()
        };
        let write = |number: i64, seconds: i64| {
            written.note(&job(number), at(seconds));
            assert!(!written.is_newer_than(&job(number)), "the watch delivered it");
        };
        // 100 writes per second, for 60 seconds.
        (0..6_000).for_each(|number| write(number, number / 100));
        for number in 5_000..6_000 {
            let elapsed = written.since(&job(number), at(59)).as_secs();
            assert_eq!(elapsed, 59 - number.unsigned_abs() / 100, "{number}");
        }
        let entries = written.lock().len();
        assert!(entries < 4_000, "{entries}");
        assert!(written.since(&job(0), at(59)) > IDLE_STATUS_INTERVAL);
    }
}
