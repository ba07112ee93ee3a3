//! Playing an episode again from its actions: how rewards come about. A session never scores.

use super::Mall;
use super::session::{Session, VoiceError, limit};
use super::storefront::Visit;
use super::task::{Goal, Task};
use crate::action::ActionKind;
use crate::replay::ReplayError;
use crate::score::{Counts, Outcome};
use crate::session::End;
use crate::task::TaskKey;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An episode with what was withheld from the agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The first observation, then one per action.
    pub observations: Vec<String>,
    /// How the episode ended; `None` if the actions stop before the end.
    pub end: Option<End>,
    /// The metrics, by the formulas of `mini`; a category of the same parent scores one half.
    pub outcome: Outcome,
    /// Per action its kind.
    pub kinds: Vec<ActionKind>,
    /// Purchases that the shopper did not allow.
    pub purchases_refused: u32,
}

/// Words of a shopper with a voice of its own, by the position of the action that they answer, from 0. Where there are none the
/// rules speak.
pub type Words = BTreeMap<usize, String>;

/// Plays `actions` on the task of `key` and scores them. A function of its arguments and the catalog alone.
///
/// # Errors
/// [`ReplayError::AfterEnd`] for actions that no session can have accepted.
pub fn replay(mall: &Arc<Mall>, key: &TaskKey, actions: &[String]) -> Result<Replay, ReplayError> {
    let Task { brief, goal } = Task::new(mall, key);
    let begun = Session::begin(Arc::clone(mall), brief, limit(key.scenario));
    play(begun, &goal, actions, &Words::new())
}

/// [`replay`] of an episode whose shopper had a voice of its own ([`Session::start_voiced`]): `words` are what was recorded.
///
/// # Errors
/// As [`replay`]; [`ReplayError::Words`] for words that the shopper cannot have said there.
pub fn replay_voiced(
    mall: &Arc<Mall>,
    key: &TaskKey,
    actions: &[String],
    words: &Words,
) -> Result<Replay, ReplayError> {
    let Task { brief, goal } = Task::new(mall, key);
    if let Some((&index, _)) = words.range(actions.len()..).next() {
        return Err(ReplayError::Words { index, source: VoiceError::Unasked });
    }
    let begun = Session::begin_voiced(Arc::clone(mall), brief, limit(key.scenario));
    play(begun, &goal, actions, words)
}

fn play(
    (mut session, opening): (Session, String),
    goal: &Goal,
    actions: &[String],
    words: &Words,
) -> Result<Replay, ReplayError> {
    let mut replay = Replay {
        observations: vec![opening],
        end: None,
        outcome: Outcome::default(),
        kinds: Vec::with_capacity(actions.len()),
        purchases_refused: 0,
    };
    for (index, action) in actions.iter().enumerate() {
        let count = actions.len();
        let after_end = |source| ReplayError::AfterEnd { index, count, source };
        let step = match words.get(&index) {
            None => session.advance(action, None).map_err(after_end)?,
            Some(words) => session.advance_voiced(action, words).map_err(|error| match error {
                VoiceError::Session(source) => after_end(source),
                source => ReplayError::Words { index, source },
            })?,
        };
        replay.observations.push(step.turn.observation);
        replay.kinds.push(step.action.map_or(ActionKind::Invalid, |action| action.kind()));
        replay.purchases_refused += u32::from(step.purchase_refused);
    }
    replay.end = session.ended();
    replay.outcome = match (replay.end, session.storefront().visit()) {
        (Some(End::Bought), Some(visit)) => Outcome::of_counts(counts(session.mall(), goal, visit)),
        (Some(End::Declined), _) => Outcome::of_decline(goal.fits),
        _ => Outcome::default(),
    };
    Ok(replay)
}

/// What the formulas count of buying `visit`.
pub(super) fn counts(mall: &Mall, goal: &Goal, visit: &Visit) -> Counts {
    let product = mall.catalog.at(visit.product);
    let chosen = product.chosen(&visit.selection);
    let brand = goal.brand.is_some_and(|brand| product.brand_id() == brand);
    let facts = goal.facts.iter().filter(|&&fact| product.has_fact(fact)).count();
    let options = goal.options.iter().filter(|option| chosen.contains(option)).count();
    let wanted = goal.facts.len() + usize::from(goal.brand.is_some());
    Counts {
        category: category(mall.catalog.path(goal.leaf), mall.catalog.path(product.leaf())),
        features: [wanted, facts + usize::from(brand)],
        options: [goal.options.len(), options],
        within_budget: visit.price(mall) <= goal.budget_fen(),
    }
}

/// 1 for the same leaf, one half for the same parent, 0 otherwise.
fn category(wanted: [u32; 3], bought: [u32; 3]) -> f64 {
    if wanted == bought {
        1.0
    } else if wanted[..2] == bought[..2] {
        0.5
    } else {
        0.0
    }
}
