//! The shops that can be served, behind one interface.

use std::sync::Arc;

use shoprl_simulator::mall::voice::Cue;
use shoprl_simulator::mall::{self, Mall, VoiceError, Words};
use shoprl_simulator::{
    ActionKind, End, GRAMMAR, Limits, Outcome, ReplayError, Scenario, Session, Shop, ShopError,
    TaskKey, Turn, replay,
};

/// A shop, read-only and shared by all sessions.
#[derive(Clone, Debug)]
pub enum World {
    /// Preset `mini`, with its default turn limits.
    Mini(Arc<Shop>),
    /// A large shop.
    Large {
        /// Name that clients see.
        name: String,
        /// The shop.
        mall: Arc<Mall>,
    },
}

/// An episode in play.
#[derive(Debug)]
pub(super) enum Episode {
    Mini(Session),
    Large(Box<mall::Session>),
}

/// The result of a replay.
pub(super) struct Scored {
    pub(super) outcome: Outcome,
    pub(super) end: Option<End>,
    /// One per action; empty if the shop has no verdict rules.
    pub(super) verdicts: Vec<f64>,
    pub(super) kinds: Vec<ActionKind>,
}

impl World {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Mini(_) => "mini",
            Self::Large { name, .. } => name,
        }
    }

    pub(super) fn digest(&self) -> &str {
        match self {
            Self::Mini(shop) => shop.catalog().digest(),
            Self::Large { mall, .. } => mall.catalog().digest(),
        }
    }

    pub(super) fn products(&self) -> usize {
        match self {
            Self::Mini(shop) => shop.catalog().len(),
            Self::Large { mall, .. } => mall.catalog().len(),
        }
    }

    pub(super) fn grammar(&self) -> &'static str {
        match self {
            Self::Mini(_) => GRAMMAR,
            Self::Large { .. } => mall::GRAMMAR,
        }
    }

    /// Most turns of an episode.
    pub(super) fn turns(&self, scenario: Scenario) -> u32 {
        match self {
            Self::Mini(_) if scenario.has_shopper() => Limits::default().multi_turn,
            Self::Mini(_) => Limits::default().single_turn,
            Self::Large { .. } => mall::Session::turns(scenario),
        }
    }

    /// Starts the episode of a task; returns it with its first observation. `voiced`: a model speaks for the shopper.
    pub(super) fn start(
        &self,
        key: &TaskKey,
        voiced: bool,
    ) -> Result<(Episode, String), ShopError> {
        match self {
            Self::Mini(shop) => Session::start(Arc::clone(shop), key, Limits::default())
                .map(|(session, opening)| (Episode::Mini(session), opening)),
            Self::Large { mall, .. } => {
                let start = if voiced { mall::Session::start_voiced } else { mall::Session::start };
                let (session, opening) = start(Arc::clone(mall), key);
                Ok((Episode::Large(Box::new(session)), opening))
            }
        }
    }

    /// Replays the task's actions and scores them. `words` are the shopper's words, if a model spoke for the shopper.
    pub(super) fn replay(
        &self,
        key: &TaskKey,
        actions: &[String],
        words: &Words,
    ) -> Result<Scored, ReplayError> {
        match self {
            Self::Mini(shop) => {
                if let Some((&index, _)) = words.iter().next() {
                    return Err(ReplayError::Words { index, source: VoiceError::Unasked });
                }
                let played = replay(shop, key, Limits::default(), actions)?;
                let (outcome, end, kinds) = (played.outcome, played.end, played.kinds);
                Ok(Scored { outcome, end, verdicts: played.verdicts, kinds })
            }
            Self::Large { mall, .. } => {
                let played = if words.is_empty() {
                    mall::replay(mall, key, actions)?
                } else {
                    mall::replay_voiced(mall, key, actions, words)?
                };
                let (outcome, end, kinds) = (played.outcome, played.end, played.kinds);
                Ok(Scored { outcome, end, verdicts: Vec::new(), kinds })
            }
        }
    }
}

impl Episode {
    /// Plays an action, which the shopper answers with `words` if given.
    pub(super) fn step(&mut self, action: &str, words: Option<&str>) -> Result<Turn, VoiceError> {
        match (self, words) {
            (Self::Mini(session), None) => Ok(session.step(action)?),
            (Self::Mini(_), Some(_)) => Err(VoiceError::Unasked),
            (Self::Large(session), None) => Ok(session.step(action)?),
            (Self::Large(session), Some(words)) => session.step_voiced(action, words),
        }
    }

    /// The cue for the shopper's words if `action` is played next; `None` if the action needs none.
    pub(super) fn cue(&self, action: &str) -> Option<Cue> {
        match self {
            Self::Mini(_) => None,
            Self::Large(session) => session.cue(action),
        }
    }
}
