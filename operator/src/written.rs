//! What this process wrote of jobs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::api::ObjectMeta;

use crate::pods;
use crate::reconcile::LATE;

/// The newest version of each job that this process wrote, and when. A pass on an older one from the watch would act on a wish
/// that was replaced already.
#[derive(Debug, Default)]
pub struct Written(Mutex<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    version: u64,
    at: Timestamp,
    /// The watch caught up with it.
    seen: bool,
}

impl Written {
    pub(crate) fn note(&self, job: &ObjectMeta, now: Timestamp) {
        if let Some((uid, version)) = version(job) {
            let mut written = self.lock();
            // Before it grows: jobs that are gone leave nothing behind. When it was is asked for as long as a status rests.
            if written.len() == written.capacity() {
                let rests = |at: Timestamp| now.duration_since(at).unsigned_abs() < LATE;
                written.retain(|_, entry| !entry.seen || rests(entry.at));
            }
            written.insert(uid, Entry { version, at: now, seen: false });
        }
    }

    /// How long ago this process wrote it; very long when it never did.
    pub(crate) fn since(&self, job: &ObjectMeta, now: Timestamp) -> Duration {
        let written = version(job).and_then(|(uid, _)| self.lock().get(&uid).map(|it| it.at));
        written.map_or(Duration::MAX, |then| now.duration_since(then).unsigned_abs())
    }

    /// Whether what was written is newer than what the watch brought.
    pub(crate) fn is_newer_than(&self, job: &ObjectMeta) -> bool {
        let Some((uid, brought)) = version(job) else { return false };
        let mut written = self.lock();
        let Some(entry) = written.get_mut(&uid) else { return false };
        entry.seen = entry.version <= brought;
        !entry.seen
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        // A map of numbers is whole at every moment, also after a panic beside it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(job: &ObjectMeta) -> Option<(String, u64)> {
    Some((job.uid.clone()?, pods::version(job)?))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::{SignedDuration, Timestamp};
    use kube::api::ObjectMeta;

    use super::{LATE, Written};

    #[test]
    fn what_was_written_is_known_while_a_status_rests_and_no_longer_than_there_is_room() {
        let written = Written::default();
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let job = |number: i64| ObjectMeta {
            uid: Some(number.to_string()),
            resource_version: Some("7".to_owned()),
            ..ObjectMeta::default()
        };
        let write = |number: i64, seconds: i64| {
            written.note(&job(number), at(seconds));
            assert!(!written.is_newer_than(&job(number)), "the watch brought it");
        };
        // A hundred a second, until each was written and the oldest left.
        (0..6_000).for_each(|number| write(number, number / 100));
        for number in 5_000..6_000 {
            let rested = written.since(&job(number), at(59)).as_secs();
            assert_eq!(rested, 59 - number.unsigned_abs() / 100, "{number}");
        }
        let known = written.lock().len();
        assert!(known < 4_000 && written.since(&job(0), at(59)) > LATE, "{known}");
    }
}
