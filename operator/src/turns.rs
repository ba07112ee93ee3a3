//! Whose turn it is: how many jobs are worked on at once. What a job waits for goes before what is told of it.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Jobs whose pods are made at once. One has three requests on their way in the mean: so many that an API server has always
/// something to do, and few enough that it has time for the pods that are there (docs/benchmarks/operator.md).
const JOBS: usize = 6;
/// Jobs of which events are posted at once.
const EVENTS: usize = 1;

/// The turns of one process.
#[derive(Debug, Clone)]
pub struct Turns {
    jobs: Arc<Semaphore>,
    events: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { jobs: Arc::new(Semaphore::new(JOBS)), events: Arc::new(Semaphore::new(EVENTS)) }
    }
}

impl Turns {
    /// Waits for one in the order of arrival.
    pub(crate) async fn job(&self) -> SemaphorePermit<'_> {
        self.jobs.acquire().await.expect("nobody closes it")
    }

    /// One that is free now.
    pub(crate) fn job_if_free(&self) -> Option<SemaphorePermit<'_>> {
        self.jobs.try_acquire().ok()
    }

    /// Waits for one to tell something.
    pub(crate) async fn events(&self) -> SemaphorePermit<'_> {
        self.events.acquire().await.expect("nobody closes it")
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::{EVENTS, JOBS, Turns};

    #[test]
    fn so_many_have_a_turn_and_who_came_first_is_next() {
        let turns = Turns::default();
        let mut taken: Vec<_> = (0..JOBS).filter_map(|_| turns.job_if_free()).collect();
        assert_eq!(taken.len(), JOBS);
        let (mut first, mut second) = (Box::pin(turns.job()), Box::pin(turns.job()));
        assert!(turns.job_if_free().is_none());
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        taken.pop();
        // Free again, but not for who has not waited.
        assert!(turns.job_if_free().is_none() && (&mut second).now_or_never().is_none());
        assert!((&mut first).now_or_never().is_some());
        // What is told takes none of them.
        let told: Vec<_> = (0..EVENTS).filter_map(|_| turns.events().now_or_never()).collect();
        assert_eq!(told.len(), EVENTS);
        assert!(turns.events().now_or_never().is_none());
    }
}
