//! The table of leased, replayable sessions, with a bound on their number. No transport; time is an argument.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use shoprl_simulator::mall::voice::Cue;
use shoprl_simulator::mall::{VoiceError, Words};
use shoprl_simulator::{End, TaskKey, Turn};

use super::world::{Episode, World};

/// An ended session is kept this long to answer retries of its last turn.
const AFTER_THE_END: Duration = Duration::from_secs(5);

/// Most open sessions, and how long an unused one is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) sessions: usize,
    pub(super) lease: Duration,
}

/// Why a session gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The session is not known.
    Unknown,
    /// Another turn is next.
    NotDue { asked: u32, due: u32 },
    /// This turn was taken with another action.
    Taken { turn: u32 },
    /// The episode is over.
    Ended(End),
    /// The name belongs to a session of another task.
    InUse,
    /// All sessions are in use; the next lease expires after this long.
    Full { free_after: Duration },
    /// An action after the end of the episode.
    AfterTheEnd { index: usize },
    /// Words that the shopper cannot have said in reply to an action.
    Words { index: usize, why: String },
    /// The shop failed.
    Shop(String),
}

/// The answer to an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) turn: Turn,
    /// The shopper's words, if a model speaks for the shopper.
    pub(super) words: Option<String>,
}

struct Slot {
    task: TaskKey,
    state: Mutex<State>,
}

struct State {
    episode: Episode,
    /// Number of actions taken.
    turn: u32,
    /// The newest action; empty before the first.
    action: String,
    /// The answer to the newest action, for retries.
    last: Answer,
    used: Instant,
}

impl State {
    /// Time left of the lease; `None` once it expired.
    fn left(&self, lease: Duration, now: Instant) -> Option<Duration> {
        let lease = if self.last.turn.end.is_some() { lease.min(AFTER_THE_END) } else { lease };
        lease.checked_sub(now.saturating_duration_since(self.used)).filter(|left| !left.is_zero())
    }
}

impl State {
    /// The answer to a turn that was taken already; `None` if the turn is next.
    fn known(&self, turn: u32, action: &str) -> Result<Option<Answer>, Refusal> {
        if turn == self.turn && turn > 0 {
            let same = action == self.action;
            return if same { Ok(Some(self.last.clone())) } else { Err(Refusal::Taken { turn }) };
        }
        if let Some(end) = self.last.turn.end {
            return Err(Refusal::Ended(end));
        }
        let due = self.turn + 1;
        if turn == due { Ok(None) } else { Err(Refusal::NotDue { asked: turn, due }) }
    }
}

type Table = HashMap<String, Arc<Slot>>;

/// All sessions of one server. The table's lock is held for look-ups only; a step holds the lock of its session.
pub(super) struct Sessions {
    world: World,
    bounds: Bounds,
    /// Whether a model speaks for the shoppers.
    voiced: bool,
    open: Mutex<Table>,
}

impl Sessions {
    /// No sessions yet.
    pub(super) fn new(world: World, bounds: Bounds, voiced: bool) -> Self {
        Self { world, bounds, voiced, open: Mutex::new(HashMap::new()) }
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Opens a session and plays `actions`. An open session of the same name and task is restarted.
    pub(super) fn open(
        &self,
        name: &str,
        key: &TaskKey,
        actions: &[String],
        words: &Words,
        now: Instant,
    ) -> Result<Turn, Refusal> {
        // Checked before the replay to save work, and again after it, because other sessions may have opened meanwhile.
        self.admit(&mut self.table(), name, key, now)?;
        let state = self.begin(key, actions, words, now)?;
        let last = state.last.turn.clone();
        let mut table = self.table();
        self.admit(&mut table, name, key, now)?;
        let slot = Slot { task: *key, state: Mutex::new(state) };
        table.insert(name.to_owned(), Arc::new(slot));
        Ok(last)
    }

    /// Takes turn number `turn` (from 1), which the shopper answers with `words` if given. The newest turn may be retried.
    pub(super) fn step(
        &self,
        name: &str,
        turn: u32,
        action: &str,
        words: Option<&str>,
        now: Instant,
    ) -> Result<Answer, Refusal> {
        self.with_session(name, now, |state| {
            if let Some(known) = state.known(turn, action)? {
                return Ok(known);
            }
            let answer = state.episode.step(action, words);
            let answer = answer.map_err(|error| Refusal::Shop(error.to_string()))?;
            state.turn = turn;
            action.clone_into(&mut state.action);
            state.last = Answer { turn: answer, words: words.map(str::to_owned) };
            Ok(state.last.clone())
        })
    }

    /// The cue for the shopper's words in turn number `turn`; `None` if the turn was taken, or if it needs no words.
    pub(super) fn cue(
        &self,
        name: &str,
        turn: u32,
        action: &str,
        now: Instant,
    ) -> Result<Option<(TaskKey, Cue)>, Refusal> {
        if !self.voiced {
            return Ok(None);
        }
        let slot = self.table().get(name).map(|slot| slot.task).ok_or(Refusal::Unknown)?;
        self.with_session(name, now, |state| {
            Ok(match state.known(turn, action)? {
                Some(_) => None,
                None => state.episode.cue(action).map(|cue| (slot, cue)),
            })
        })
    }

    /// Runs `use_it` on a session whose lease has not expired, and renews the lease.
    fn with_session<T>(
        &self,
        name: &str,
        now: Instant,
        use_it: impl FnOnce(&mut State) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let slot = self.table().get(name).cloned().ok_or(Refusal::Unknown)?;
        // A step that panicked left its session half changed, so the session is lost.
        let mut state = slot.state.lock().map_err(|_| Refusal::Unknown)?;
        if state.left(self.bounds.lease, now).is_none() {
            drop(state);
            self.close(name);
            return Err(Refusal::Unknown);
        }
        state.used = now;
        use_it(&mut state)
    }

    /// Removes a session.
    pub(super) fn close(&self, name: &str) {
        self.table().remove(name);
    }

    /// Removes expired sessions; returns how many are left.
    pub(super) fn sweep(&self, now: Instant) -> usize {
        let mut table = self.table();
        self.remove_expired(&mut table, now);
        table.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Every method keeps the table valid at each step, so a poisoned lock is usable.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(
        &self,
        key: &TaskKey,
        actions: &[String],
        words: &Words,
        now: Instant,
    ) -> Result<State, Refusal> {
        let start = self.world.start(key, self.voiced);
        let (mut episode, observation) = start.map_err(|error| Refusal::Shop(error.to_string()))?;
        if let Some((&index, _)) = words.range(actions.len()..).next() {
            return Err(Refusal::Words { index, why: VoiceError::Unasked.to_string() });
        }
        let mut last = Answer { turn: Turn { observation, end: None }, words: None };
        for (index, action) in actions.iter().enumerate() {
            let said = words.get(&index);
            let turn =
                episode.step(action, said.map(String::as_str)).map_err(|error| match error {
                    VoiceError::Session(_) => Refusal::AfterTheEnd { index },
                    error => Refusal::Words { index, why: shoprl_contract::error_chain(&error) },
                })?;
            last = Answer { turn, words: said.cloned() };
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
        self.remove_expired(table, now);
        if table.len() < self.bounds.sessions {
            return Ok(());
        }
        let left = table.values().filter_map(|slot| self.left(slot, now)).min();
        Err(Refusal::Full { free_after: left.unwrap_or(self.bounds.lease) })
    }

    fn remove_expired(&self, table: &mut Table, now: Instant) {
        table.retain(|_, slot| self.left(slot, now).is_some());
    }

    /// Time left of a session's lease: the full lease during a step, none after a step that panicked.
    fn left(&self, slot: &Slot, now: Instant) -> Option<Duration> {
        match slot.state.try_lock() {
            Ok(state) => state.left(self.bounds.lease, now),
            Err(TryLockError::WouldBlock) => Some(self.bounds.lease),
            Err(TryLockError::Poisoned(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests;
