//! Replays an episode from its actions. This is the only source of rewards.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::action::{ActionKind, action_kind};
use crate::mall::VoiceError;
use crate::score::{Ending, Judge, Move, Outcome, Purchase};
use crate::session::{End, Limits, Session, SessionError};
use crate::shop::{Shop, ShopError};
use crate::task::{Task, TaskKey};

/// A replayed episode, with the facts that the agent does not see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// The first observation, then one per action.
    pub observations: Vec<String>,
    /// How the episode ended; `None` if the actions stop before the end.
    pub end: Option<End>,
    /// The metrics.
    pub outcome: Outcome,
    /// Verdict per action, by rules that know the goal: +1 closer to the goal, 0 neutral, -1 away from it or refused.
    pub verdicts: Vec<f64>,
    /// Kind of each action by the grammar.
    pub kinds: Vec<ActionKind>,
    /// Whether the shop refused each action.
    pub refused: Vec<bool>,
}

/// Why actions could not be replayed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The episode could not start.
    #[error("the replay could not start")]
    Start(#[from] ShopError),
    /// There are actions after the end of the episode.
    #[error("action {index} of {count} comes after the end of the episode: cut the actions there")]
    AfterEnd {
        /// Position of the first extra action, from 0.
        index: usize,
        /// Number of actions given.
        count: usize,
        /// The session's error.
        #[source]
        source: SessionError,
    },
    /// The recorded words cannot be the shopper's.
    #[error(
        "the words recorded for action {index} cannot be the shopper's: record the episode again"
    )]
    Words {
        /// Position of the action, from 0.
        index: usize,
        /// Why the words are refused.
        #[source]
        source: VoiceError,
    },
}

/// Replays `actions` on the task of `key` and scores them. A function of its arguments and the catalog alone.
///
/// # Errors
/// [`ReplayError::Start`] for limits out of range, [`ReplayError::AfterEnd`] for actions after the end of the episode.
pub fn replay(
    shop: &Arc<Shop>,
    key: &TaskKey,
    limits: Limits,
    actions: &[String],
) -> Result<Replay, ReplayError> {
    let limit = limits.of(key.scenario)?;
    let Task { brief, goal } = Task::new(shop.catalog(), key);
    let (mut session, opening) = Session::begin(Arc::clone(shop), brief, limit);
    let mut judge = Judge::new(shop, &goal);
    let mut replay = Replay {
        observations: vec![opening],
        end: None,
        outcome: Outcome::default(),
        verdicts: Vec::with_capacity(actions.len()),
        kinds: actions.iter().map(|action| action_kind(action)).collect(),
        refused: Vec::with_capacity(actions.len()),
    };
    for (index, action) in actions.iter().enumerate() {
        let before = session.storefront().clone();
        let count = actions.len();
        let step = session.advance(action).map_err(|source| ReplayError::AfterEnd {
            index,
            count,
            source,
        })?;
        let after = session.storefront();
        let verdict = judge.verdict(&Move { action: &step.action, before: &before, after });
        replay.observations.push(step.turn.observation);
        replay.verdicts.push(verdict);
        replay.refused.push(step.action.is_err());
    }
    replay.end = session.ended();
    replay.outcome = Outcome::new(&goal, ending(shop, &session));
    Ok(replay)
}

fn ending<'a>(shop: &'a Shop, session: &'a Session) -> Ending<'a> {
    match (session.ended(), session.storefront().visit()) {
        (Some(End::Bought), Some(visit)) => {
            let product = shop.catalog().product(visit.product);
            let price = visit.price(product);
            Ending::Bought(Purchase { product, selection: &visit.selection, price })
        }
        (Some(End::Declined), _) => Ending::Declined,
        _ => Ending::Unfinished,
    }
}

#[cfg(test)]
mod tests;
