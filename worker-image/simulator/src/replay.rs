//! Playing an episode again from its actions: how rewards come about.

use crate::action::{ActionKind, action_kind};
use crate::mall::VoiceError;
use crate::score::{Ending, Judge, Move, Outcome, Purchase};
use crate::session::{End, Limits, Session, SessionError};
use crate::shop::{Shop, ShopError};
use crate::task::{Task, TaskKey};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use thiserror::Error;

/// An episode with what was withheld from the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// The first observation, then one per action: one more than there are actions.
    pub observations: Vec<String>,
    /// How the episode ended; `None` if the actions stop before the end.
    pub end: Option<End>,
    /// The metrics.
    pub outcome: Outcome,
    /// Per action, by rules that know the goal: +1 brought the basket closer, 0 neutral, -1 away or refused.
    pub verdicts: Vec<f64>,
    /// Per action its kind by the grammar.
    pub kinds: Vec<ActionKind>,
    /// Per action whether the shop refused it.
    pub refused: Vec<bool>,
}

/// Why actions could not be played again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The episode could not start.
    #[error("replay not started")]
    Start(#[from] ShopError),
    /// There are actions after the end of the episode.
    #[error("action {index} of {count} comes after the end of the episode: cut the actions there")]
    AfterEnd {
        /// Position of the first action too many, from 0.
        index: usize,
        /// How many actions were given.
        count: usize,
        /// What the session said.
        #[source]
        source: SessionError,
    },
    /// Recorded words of a shopper that it cannot have said.
    #[error(
        "the words recorded for action {index} cannot be the shopper's: record the episode anew"
    )]
    Words {
        /// Position of the action, from 0.
        index: usize,
        /// What is wrong with them.
        #[source]
        source: VoiceError,
    },
}

/// Plays `actions` on the task of `key` and scores them. A function of its arguments and the catalog alone.
///
/// # Errors
/// [`ReplayError::Start`] for limits out of range, [`ReplayError::AfterEnd`] for actions that no session can have
/// accepted.
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
