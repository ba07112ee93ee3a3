use std::sync::{Mutex, MutexGuard, PoisonError};

/// Serialises tests that start children with tests that check file locks: between fork and exec a child holds its parent's locks.
pub(super) fn exclusive() -> MutexGuard<'static, ()> {
    static EXCLUSIVE: Mutex<()> = Mutex::new(());
    EXCLUSIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
