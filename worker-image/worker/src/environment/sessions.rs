//! Leased, bounded, replayable sessions: a table without transport and without a clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use shoprl_simulator::{End, TaskKey, Turn};

use super::world::{Episode, World};

/// An ended session answers a repetition of its last turn for this long.
const AFTER_THE_END: Duration = Duration::from_secs(5);

/// How many sessions there may be, and for how long an unused one is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) sessions: usize,
    pub(super) lease: Duration,
}

/// Why a session did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not here.
    Unknown,
    /// Another turn is due.
    NotDue { asked: u32, due: u32 },
    /// This turn was taken with another action.
    Taken { turn: u32 },
    /// The episode is over.
    Ended(End),
    /// The name belongs to a session of another task.
    InUse,
    /// Every session is taken; the next lease runs out after this long.
    Full { free_after: Duration },
    /// An action that no session can have accepted.
    AfterTheEnd { index: usize },
    /// The shop could not begin.
    Shop(String),
}

struct Slot {
    task: TaskKey,
    state: Mutex<State>,
}

struct State {
    episode: Episode,
    /// Actions taken so far.
    turn: u32,
    /// The newest action; empty before the first.
    action: String,
    /// The answer to the newest action, for whoever repeats it.
    last: Turn,
    used: Instant,
}

impl State {
    /// How much of the lease is left; `None` once it ran out.
    fn left(&self, lease: Duration, now: Instant) -> Option<Duration> {
        let lease = if self.last.end.is_some() { lease.min(AFTER_THE_END) } else { lease };
        lease.checked_sub(now.saturating_duration_since(self.used)).filter(|left| !left.is_zero())
    }
}

type Table = HashMap<String, Arc<Slot>>;

/// All sessions of one server. The table's lock is held for a look-up; a step holds its own session's lock alone.
pub(super) struct Sessions {
    world: World,
    bounds: Bounds,
    open: Mutex<Table>,
}

impl Sessions {
    /// None open.
    pub(super) fn new(world: World, bounds: Bounds) -> Self {
        Self { world, bounds, open: Mutex::new(HashMap::new()) }
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Opens a session and plays `actions`. Opening an open one of the same task starts it anew.
    pub(super) fn open(
        &self,
        name: &str,
        key: &TaskKey,
        actions: &[String],
        now: Instant,
    ) -> Result<Turn, Refusal> {
        // Asked before the work, and again after it: others may have come meanwhile.
        self.admit(&mut self.table(), name, key, now)?;
        let state = self.begin(key, actions, now)?;
        let last = state.last.clone();
        let mut table = self.table();
        self.admit(&mut table, name, key, now)?;
        let slot = Slot { task: *key, state: Mutex::new(state) };
        table.insert(name.to_owned(), Arc::new(slot));
        Ok(last)
    }

    /// Takes turn number `turn` (from 1). The newest one may be repeated.
    pub(super) fn step(
        &self,
        name: &str,
        turn: u32,
        action: &str,
        now: Instant,
    ) -> Result<Turn, Refusal> {
        let slot = self.table().get(name).cloned().ok_or(Refusal::Unknown)?;
        // A step that panicked left its session half changed: it is as good as gone.
        let mut state = slot.state.lock().map_err(|_| Refusal::Unknown)?;
        if state.left(self.bounds.lease, now).is_none() {
            drop(state);
            self.close(name);
            return Err(Refusal::Unknown);
        }
        state.used = now;
        if turn == state.turn && turn > 0 {
            let same = action == state.action;
            return if same { Ok(state.last.clone()) } else { Err(Refusal::Taken { turn }) };
        }
        if let Some(end) = state.last.end {
            return Err(Refusal::Ended(end));
        }
        let due = state.turn + 1;
        if turn != due {
            return Err(Refusal::NotDue { asked: turn, due });
        }
        let answer =
            state.episode.step(action).map_err(|error| Refusal::Shop(error.to_string()))?;
        state.turn = turn;
        action.clone_into(&mut state.action);
        state.last = answer;
        Ok(state.last.clone())
    }

    /// Forgets a session.
    pub(super) fn close(&self, name: &str) {
        self.table().remove(name);
    }

    /// Forgets the sessions whose leases ran out; how many are open after that.
    pub(super) fn sweep(&self, now: Instant) -> usize {
        let mut table = self.table();
        self.forget_expired(&mut table, now);
        table.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Every method leaves the table valid at each step, so a panic elsewhere does not spoil it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, key: &TaskKey, actions: &[String], now: Instant) -> Result<State, Refusal> {
        let (mut episode, observation) =
            self.world.start(key).map_err(|error| Refusal::Shop(error.to_string()))?;
        let mut last = Turn { observation, end: None };
        for (index, action) in actions.iter().enumerate() {
            last = episode.step(action).map_err(|_| Refusal::AfterTheEnd { index })?;
        }
        let turn = u32::try_from(actions.len()).unwrap_or(u32::MAX);
        let action = actions.last().cloned().unwrap_or_default();
        Ok(State { episode, turn, action, last, used: now })
    }

    /// Whether there is room for `name`.
    fn admit(
        &self,
        table: &mut Table,
        name: &str,
        key: &TaskKey,
        now: Instant,
    ) -> Result<(), Refusal> {
        if let Some(slot) = table.get(name) {
            let free = slot.task == *key || self.left(slot, now).is_none();
            return if free { Ok(()) } else { Err(Refusal::InUse) };
        }
        if table.len() < self.bounds.sessions {
            return Ok(());
        }
        self.forget_expired(table, now);
        if table.len() < self.bounds.sessions {
            return Ok(());
        }
        let left = table.values().filter_map(|slot| self.left(slot, now)).min();
        Err(Refusal::Full { free_after: left.unwrap_or(self.bounds.lease) })
    }

    fn forget_expired(&self, table: &mut Table, now: Instant) {
        table.retain(|_, slot| self.left(slot, now).is_some());
    }

    /// A session that is being stepped has all of its lease; one whose step panicked has none.
    fn left(&self, slot: &Slot, now: Instant) -> Option<Duration> {
        match slot.state.try_lock() {
            Ok(state) => state.left(self.bounds.lease, now),
            Err(TryLockError::WouldBlock) => Some(self.bounds.lease),
            Err(TryLockError::Poisoned(_)) => None,
        }
    }
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
