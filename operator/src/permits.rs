//! Permits that limit how many jobs this process works on concurrently. Creating pods has priority over reporting.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Jobs whose pods are created concurrently. A job has three requests in flight on average. That keeps an API server busy
/// and leaves it time for the pods that exist (docs/benchmarks/operator.md).
const CONCURRENT_JOBS: usize = 6;
/// Jobs whose events are posted concurrently.
const CONCURRENT_EVENTS: usize = 1;

/// The permits of one process.
#[derive(Debug, Clone)]
pub struct Permits {
    jobs: Arc<Semaphore>,
    events: Arc<Semaphore>,
}

impl Default for Permits {
    fn default() -> Self {
        Self {
            jobs: Arc::new(Semaphore::new(CONCURRENT_JOBS)),
            events: Arc::new(Semaphore::new(CONCURRENT_EVENTS)),
        }
    }
}

impl Permits {
    /// Waits for a permit to work on a job, in order of arrival.
    pub(crate) async fn job(&self) -> SemaphorePermit<'_> {
        self.jobs.acquire().await.expect("the semaphore is never closed")
    }

    /// A permit to work on a job, if one is free.
    pub(crate) fn job_if_free(&self) -> Option<SemaphorePermit<'_>> {
        self.jobs.try_acquire().ok()
    }

    /// Waits for a permit to post events.
    pub(crate) async fn events(&self) -> SemaphorePermit<'_> {
        self.events.acquire().await.expect("the semaphore is never closed")
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::{CONCURRENT_EVENTS, CONCURRENT_JOBS, Permits};

    #[test]
    fn permits_are_limited_and_go_to_the_first_waiter() {
        let permits = Permits::default();
        let mut taken: Vec<_> =
            (0..CONCURRENT_JOBS).filter_map(|_| permits.job_if_free()).collect();
        assert_eq!(taken.len(), CONCURRENT_JOBS);
        let (mut first, mut second) = (Box::pin(permits.job()), Box::pin(permits.job()));
        assert!(permits.job_if_free().is_none());
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        taken.pop();
        // The permit goes to the waiter first, not to a newcomer.
        assert!(permits.job_if_free().is_none() && (&mut second).now_or_never().is_none());
        assert!((&mut first).now_or_never().is_some());
        // Events have permits of their own.
        let events: Vec<_> =
            (0..CONCURRENT_EVENTS).filter_map(|_| permits.events().now_or_never()).collect();
        assert_eq!(events.len(), CONCURRENT_EVENTS);
        assert!(permits.events().now_or_never().is_none());
    }
}
