//! State shared by the service and the learner: coordinator, published weights, progress.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shoprl_contract::run_folder::PhaseBudget;
use shoprl_contract::v1::GetProgressResponse;
use tokio::sync::Notify;

use super::coordinator::Coordinator;

/// The weights that rollouts fetch.
#[derive(Debug, Clone)]
pub(super) struct Published {
    /// Number of optimiser updates applied to them.
    pub(super) version: u64,
    /// Little-endian f32 values in layout order.
    pub(super) bytes: Arc<Vec<u8>>,
}

/// Measurements for Prometheus that `GetProgress` does not carry.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// Mean reward of the newest step's episodes.
    pub(super) reward: Option<f64>,
    /// Seconds and tokens by activity.
    pub(super) spent: Vec<PhaseBudget>,
}

/// Everything behind the lock.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) coordinator: Coordinator,
    pub(super) published: Option<Published>,
    pub(super) progress: GetProgressResponse,
    pub(super) measured: Measured,
    /// Whether the job is over and workers may exit.
    pub(super) finished: bool,
}

/// Shared by request tasks and the learner's thread. The lock is never held across an await.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Notified when work appears, for waiting lease requests.
    pub(super) work: Notify,
    /// Notified when scores appear, for the learner.
    scored: Condvar,
}

impl Shared {
    /// The state. Every method keeps it valid at each step, so a poisoned lock is usable.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the learner.
    pub(super) fn wake_learner(&self) {
        self.scored.notify_all();
    }

    /// Waits until `find` returns something, at most for `timeout`.
    pub(super) fn wait<T>(
        &self,
        timeout: Duration,
        mut find: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(found) = find(&mut state) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.scored.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
