//! What the service and the learner share: the coordinator's table, the published weights, the progress.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shoprl_contract::v1::GetProgressResponse;
use tokio::sync::Notify;

use super::coordinator::Coordinator;
use super::metrics::Told;

/// Weights as the rollouts pull them.
#[derive(Debug, Clone)]
pub(super) struct Published {
    /// Optimiser updates they have seen.
    pub(super) version: u64,
    /// Little-endian f32 in layout order.
    pub(super) bytes: Arc<Vec<u8>>,
}

/// Everything behind the lock.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) coordinator: Coordinator,
    pub(super) published: Option<Published>,
    pub(super) progress: GetProgressResponse,
    pub(super) told: Told,
    /// The job is over: workers may leave.
    pub(super) finished: bool,
}

/// Shared between the requests' tasks and the learner's thread. The lock is never held over an await.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Work appeared: waiting leases look again.
    pub(super) work: Notify,
    /// Scores appeared: the learner looks again.
    scored: Condvar,
}

impl Shared {
    /// The state. Every method leaves it valid at each step, so a panic elsewhere does not spoil it.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the learner.
    pub(super) fn wake_learner(&self) {
        self.scored.notify_all();
    }

    /// Waits until `look` finds something or `patience` is over.
    pub(super) fn wait<T>(
        &self,
        patience: Duration,
        mut look: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&mut state) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.scored.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
