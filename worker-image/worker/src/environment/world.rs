//! The shops that can be played in, behind one face.

use std::sync::Arc;

use shoprl_simulator::mall::{self, Mall};
use shoprl_simulator::{
    ActionKind, End, GRAMMAR, Limits, Outcome, ReplayError, Scenario, Session, SessionError, Shop,
    ShopError, TaskKey, Turn, replay,
};

/// A shop, read-only and shared by all sessions.
#[derive(Clone, Debug)]
pub enum World {
    /// Preset `mini`, with its default turn limits.
    Mini(Arc<Shop>),
    /// A large shop.
    Large {
        /// What clients are told it is called.
        name: String,
        /// The shop.
        mall: Arc<Mall>,
    },
}

/// An episode that is going on.
#[derive(Debug)]
pub(super) enum Episode {
    Mini(Session),
    Large(Box<mall::Session>),
}

/// What a replay says.
pub(super) struct Scored {
    pub(super) outcome: Outcome,
    pub(super) end: Option<End>,
    /// Per action; empty where the shop has no rules for it.
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

    /// The most turns of an episode.
    pub(super) fn turns(&self, scenario: Scenario) -> u32 {
        match self {
            Self::Mini(_) if scenario.has_shopper() => Limits::default().multi_turn,
            Self::Mini(_) => Limits::default().single_turn,
            Self::Large { .. } => mall::Session::turns(scenario),
        }
    }

    /// Starts the episode of a task; with its first observation.
    pub(super) fn start(&self, key: &TaskKey) -> Result<(Episode, String), ShopError> {
        match self {
            Self::Mini(shop) => Session::start(Arc::clone(shop), key, Limits::default())
                .map(|(session, opening)| (Episode::Mini(session), opening)),
            Self::Large { mall, .. } => {
                let (session, opening) = mall::Session::start(Arc::clone(mall), key);
                Ok((Episode::Large(Box::new(session)), opening))
            }
        }
    }

    /// Plays the task's actions again and scores them.
    pub(super) fn replay(&self, key: &TaskKey, actions: &[String]) -> Result<Scored, ReplayError> {
        match self {
            Self::Mini(shop) => {
                let played = replay(shop, key, Limits::default(), actions)?;
                let (outcome, end, kinds) = (played.outcome, played.end, played.kinds);
                Ok(Scored { outcome, end, verdicts: played.verdicts, kinds })
            }
            Self::Large { mall, .. } => {
                let played = mall::replay(mall, key, actions)?;
                let (outcome, end, kinds) = (played.outcome, played.end, played.kinds);
                Ok(Scored { outcome, end, verdicts: Vec::new(), kinds })
            }
        }
    }
}

impl Episode {
    pub(super) fn step(&mut self, action: &str) -> Result<Turn, SessionError> {
        match self {
            Self::Mini(session) => session.step(action),
            Self::Large(session) => session.step(action),
        }
    }
}
