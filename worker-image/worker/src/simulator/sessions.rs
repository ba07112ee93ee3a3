//! The table of leased, replayable sessions. No transport.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shoprl_simulator::{End, Limits, Session, Shop, TaskKey};

/// A session unused for this long is removed; its rollout opens it again and replays its actions.
const LEASE: Duration = Duration::from_secs(120);
/// An ended session is kept this long to answer retries of its last turn.
const AFTER_THE_END: Duration = Duration::from_secs(5);
/// Most open sessions: 64 rollouts with 64 episodes each.
const MAX_SESSIONS: usize = 4096;

/// The shop's answer to an opening or an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// Text for the agent.
    pub(super) observation: String,
    /// How the episode ended, if it did.
    pub(super) end: Option<End>,
}

struct Entry {
    session: Session,
    /// Actions taken so far.
    turn: u32,
    /// The newest action; empty before the first.
    action: String,
    /// The answer to the newest action, for retries.
    last: Reply,
    used: Instant,
}

impl Entry {
    fn lease(&self) -> Duration {
        if self.last.end.is_some() { AFTER_THE_END } else { LEASE }
    }
}

/// Why a session gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The session is not known; open it again.
    Unknown,
    /// The request is invalid.
    Invalid(String),
    /// All sessions are in use; retry later.
    Full,
}

/// All sessions of one simulator.
pub(super) struct Sessions {
    shop: Arc<Shop>,
    limits: Limits,
    open: HashMap<String, Entry>,
}

impl Sessions {
    /// No sessions yet.
    pub(super) fn new(shop: Arc<Shop>, limits: Limits) -> Self {
        Self { shop, limits, open: HashMap::new() }
    }

    /// Opens a session and replays `actions`. An open session of that name is restarted.
    pub(super) fn open(
        &mut self,
        name: &str,
        key: &TaskKey,
        actions: &[String],
        now: Instant,
    ) -> Result<Reply, Refusal> {
        if self.open.len() >= MAX_SESSIONS {
            self.open.retain(|_, entry| now.saturating_duration_since(entry.used) < entry.lease());
        }
        if self.open.len() >= MAX_SESSIONS && !self.open.contains_key(name) {
            return Err(Refusal::Full);
        }
        let (mut session, observation) =
            Session::start(Arc::clone(&self.shop), key, self.limits)
                .map_err(|error| Refusal::Invalid(format!("session {name}: {error}")))?;
        let mut last = Reply { observation, end: None };
        for action in actions {
            let turn = session
                .step(action)
                .map_err(|error| Refusal::Invalid(format!("session {name}: {error}")))?;
            last = Reply { observation: turn.observation, end: turn.end };
        }
        let turn = u32::try_from(actions.len()).unwrap_or(u32::MAX);
        let action = actions.last().cloned().unwrap_or_default();
        let entry = Entry { session, turn, action, last: last.clone(), used: now };
        self.open.insert(name.to_owned(), entry);
        Ok(last)
    }

    /// Takes action number `turn` (from 1). The newest action may be retried.
    pub(super) fn step(
        &mut self,
        name: &str,
        turn: u32,
        action: &str,
        now: Instant,
    ) -> Result<Reply, Refusal> {
        let entry = self.open.get_mut(name).ok_or(Refusal::Unknown)?;
        entry.used = now;
        if turn == entry.turn && turn > 0 && action == entry.action {
            return Ok(entry.last.clone());
        }
        if turn != entry.turn + 1 {
            // Caller and session disagree about the past; only a replay reconciles them.
            return Err(Refusal::Unknown);
        }
        let answer = entry
            .session
            .step(action)
            .map_err(|error| Refusal::Invalid(format!("session {name}: {error}")))?;
        entry.turn = turn;
        action.clone_into(&mut entry.action);
        entry.last = Reply { observation: answer.observation, end: answer.end };
        Ok(entry.last.clone())
    }

    /// Removes a session.
    pub(super) fn close(&mut self, name: &str) {
        self.open.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use shoprl_simulator::{Preset, Scenario, Split};

    use super::*;

    fn sessions() -> Sessions {
        let shop = Arc::new(Shop::open(Preset::Mini, 1).expect("the shop opens"));
        Sessions::new(shop, Limits { single_turn: 12, multi_turn: 12 })
    }

    const KEY: TaskKey = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed: 5 };

    #[test]
    fn a_retried_turn_gets_the_same_answer_and_changes_nothing() {
        let (mut sessions, now) = (sessions(), Instant::now());
        sessions.open("a", &KEY, &[], now).expect("opens");
        let first = sessions.step("a", 1, "搜索枕头", now).expect("answers");
        assert_eq!(sessions.step("a", 1, "搜索枕头", now), Ok(first));
        assert!(sessions.step("a", 2, "打开#1", now).is_ok());
        assert_eq!(sessions.step("a", 1, "搜索枕头", now), Err(Refusal::Unknown), "an older turn");
        // Two rollouts share a session: each must replay and never gets the other's answer.
        assert_eq!(sessions.step("a", 2, "打开#2", now), Err(Refusal::Unknown));
    }

    #[test]
    fn a_session_reopened_with_its_actions_continues_as_before() {
        let (mut sessions, now) = (sessions(), Instant::now());
        sessions.open("a", &KEY, &[], now).expect("opens");
        sessions.step("a", 1, "搜索枕头", now).expect("answers");
        let second = sessions.step("a", 2, "打开#1", now);
        sessions.close("a");
        assert_eq!(sessions.step("a", 2, "打开#1", now), Err(Refusal::Unknown));
        sessions.open("a", &KEY, &["搜索枕头".to_owned()], now).expect("reopens");
        assert_eq!(sessions.step("a", 2, "打开#1", now), second);
    }

    #[test]
    fn unused_sessions_make_room_after_their_lease() {
        let (mut sessions, start) = (sessions(), Instant::now());
        for i in 0..MAX_SESSIONS {
            sessions.open(&i.to_string(), &KEY, &[], start).expect("opens");
        }
        assert_eq!(sessions.open("late", &KEY, &[], start), Err(Refusal::Full));
        assert!(sessions.open("late", &KEY, &[], start + LEASE).is_ok());
    }
}
