//! Playing an episode again from its actions: how rewards come about. A session never scores.

use super::session::{Session, Step, VoiceError, limit};
use super::storefront::{Storefront, Visit};
use super::task::{Brief, Goal, Task};
use super::{Mall, Matcher};
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
    /// How facts were compared for them.
    pub matcher: Matcher,
    /// Per action its kind.
    pub kinds: Vec<ActionKind>,
    /// Purchases that the shopper did not allow.
    pub purchases_refused: u32,
}

/// Words of a shopper with a voice of its own, by the position of the action that they answer, from 0. Where there are none the
/// rules speak.
pub type Words = BTreeMap<usize, String>;

/// Plays `actions` on the task of `key` and scores them, facts compared as the catalog has it
/// ([`Catalog::matcher`](super::Catalog::matcher)). A function of its arguments and the catalog alone.
///
/// # Errors
/// [`ReplayError::AfterEnd`] for actions that no session can have accepted.
pub fn replay(mall: &Arc<Mall>, key: &TaskKey, actions: &[String]) -> Result<Replay, ReplayError> {
    replay_by(mall, key, actions, None, mall.catalog.matcher())
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
    replay_by(mall, key, actions, Some(words), mall.catalog.matcher())
}

/// [`replay`] or [`replay_voiced`], scored by `matcher`.
pub(super) fn replay_by(
    mall: &Arc<Mall>,
    key: &TaskKey,
    actions: &[String],
    words: Option<&Words>,
    matcher: Matcher,
) -> Result<Replay, ReplayError> {
    let Task { brief, goal, .. } = Task::new(mall, key);
    let (mut session, opening) = begin(mall, brief, key, words);
    let mut observations = vec![opening];
    let mut kinds = Vec::with_capacity(actions.len());
    let mut purchases_refused = 0;
    walk(&mut session, actions, words, |step, _| {
        observations.push(step.turn.observation);
        kinds.push(step.action.map_or(ActionKind::Invalid, |action| action.kind()));
        purchases_refused += u32::from(step.purchase_refused);
    })?;
    let outcome = outcome(mall, &goal, &session, matcher);
    Ok(Replay { observations, end: session.ended(), outcome, matcher, kinds, purchases_refused })
}

/// The session of a task; its shopper has a voice of its own where words were recorded.
pub(super) fn begin(
    mall: &Arc<Mall>,
    brief: Brief,
    key: &TaskKey,
    words: Option<&Words>,
) -> (Session, String) {
    let (mall, limit) = (Arc::clone(mall), limit(key.scenario));
    match words {
        None => Session::begin(mall, brief, limit),
        Some(_) => Session::begin_voiced(mall, brief, limit),
    }
}

/// Plays `actions`, and where there are `words` the shopper says them; `each` gets every step with the shop as it is after it.
pub(super) fn walk(
    session: &mut Session,
    actions: &[String],
    words: Option<&Words>,
    mut each: impl FnMut(Step, &Storefront),
) -> Result<(), ReplayError> {
    let count = actions.len();
    if let Some((&index, _)) = words.and_then(|words| words.range(count..).next()) {
        return Err(ReplayError::Words { index, source: VoiceError::Unasked });
    }
    for (index, action) in actions.iter().enumerate() {
        let after_end = |source| ReplayError::AfterEnd { index, count, source };
        let step = match words.and_then(|words| words.get(&index)) {
            None => session.advance(action, None).map_err(after_end)?,
            Some(words) => session.advance_voiced(action, words).map_err(|error| match error {
                VoiceError::Session(source) => after_end(source),
                source => ReplayError::Words { index, source },
            })?,
        };
        each(step, session.storefront());
    }
    Ok(())
}

/// The metrics of a session as it stands.
fn outcome(mall: &Mall, goal: &Goal, session: &Session, matcher: Matcher) -> Outcome {
    match (session.ended(), session.storefront().visit()) {
        (Some(End::Bought), Some(visit)) => Outcome::of_counts(matcher.counts(mall, goal, visit)),
        (Some(End::Declined), _) => Outcome::of_decline(goal.fits),
        _ => Outcome::default(),
    }
}

/// What the formulas count of buying `visit`, by identity.
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
