//! Leased, replayable sessions: a table without transport.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shoprl_simulator::{End, Limits, Session, Shop, TaskKey};

/// A session nobody used for this long is forgotten; its rollout opens it again by replaying its actions.
const LEASE: Duration = Duration::from_secs(120);
/// An ended session answers a repetition of its last turn for this long.
const AFTER_THE_END: Duration = Duration::from_secs(5);
/// Most sessions at a time; 64 episodes a rollout makes this room for 64 rollouts.
const MOST: usize = 4096;

/// What the shop said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// For the agent.
    pub(super) observation: String,
    /// Whether and how the episode ended.
    pub(super) end: Option<End>,
}

struct Entry {
    session: Session,
    /// Actions taken so far.
    turn: u32,
    /// The newest action; empty before the first.
    action: String,
    /// The answer to the newest action, for whoever repeats it.
    last: Reply,
    used: Instant,
}

impl Entry {
    fn lease(&self) -> Duration {
        if self.last.end.is_some() { AFTER_THE_END } else { LEASE }
    }
}

/// Why a session did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not here: open it again.
    Unknown,
    /// The request can never work.
    Invalid(String),
    /// Too many sessions; later there is room.
    Full,
}

/// All sessions of one simulator.
pub(super) struct Sessions {
    shop: Arc<Shop>,
    limits: Limits,
    open: HashMap<String, Entry>,
}

impl Sessions {
    /// None open.
    pub(super) fn new(shop: Arc<Shop>, limits: Limits) -> Self {
        Self { shop, limits, open: HashMap::new() }
    }

    /// Opens a session and replays `actions`. Opening an open one starts it anew.
    pub(super) fn open(
        &mut self,
        name: &str,
        key: &TaskKey,
        actions: &[String],
        now: Instant,
    ) -> Result<Reply, Refusal> {
        if self.open.len() >= MOST {
            self.open.retain(|_, entry| now.saturating_duration_since(entry.used) < entry.lease());
        }
        if self.open.len() >= MOST && !self.open.contains_key(name) {
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

    /// Takes action number `turn` (from 1). The newest one may be repeated.
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
            // The caller and this session have different pasts: only a replay makes them one.
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

    /// Forgets a session.
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
    fn repeating_a_turn_answers_the_same_and_changes_nothing() {
        let (mut sessions, now) = (sessions(), Instant::now());
        sessions.open("a", &KEY, &[], now).expect("opens");
        let first = sessions.step("a", 1, "搜索枕头", now).expect("answers");
        assert_eq!(sessions.step("a", 1, "搜索枕头", now), Ok(first));
        assert!(sessions.step("a", 2, "打开#1", now).is_ok());
        assert_eq!(
            sessions.step("a", 1, "搜索枕头", now),
            Err(Refusal::Unknown),
            "an older turn is the past"
        );
        // Two players of one session: each gets its own story by replay, never the other's answer.
        assert_eq!(sessions.step("a", 2, "打开#2", now), Err(Refusal::Unknown));
    }

    #[test]
    fn a_session_reopened_with_its_actions_goes_on_as_before() {
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
        for i in 0..MOST {
            sessions.open(&i.to_string(), &KEY, &[], start).expect("opens");
        }
        assert_eq!(sessions.open("late", &KEY, &[], start), Err(Refusal::Full));
        assert!(sessions.open("late", &KEY, &[], start + LEASE).is_ok());
    }
}
