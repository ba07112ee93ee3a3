//! Replays an episode from its actions. This is the only source of rewards; a session never scores.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::counts::counts;
use super::session::{Session, Step, VoiceError, limit};
use super::storefront::Storefront;
use super::task::{Brief, Goal, Task};
use super::{Mall, Matcher};
use crate::action::ActionKind;
use crate::replay::ReplayError;
use crate::score::Outcome;
use crate::session::End;
use crate::task::TaskKey;

/// A replayed episode, with the facts that the agent does not see.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The first observation, then one per action.
    pub observations: Vec<String>,
    /// How the episode ended; `None` if the actions stop before the end.
    pub end: Option<End>,
    /// The metrics, by the formulas of `mini`; a category of the same parent scores one half.
    pub outcome: Outcome,
    /// How facts were compared.
    pub matcher: Matcher,
    /// Kind of each action.
    pub kinds: Vec<ActionKind>,
    /// Purchases that the shopper stopped.
    pub purchases_refused: u32,
}

/// Words that a model said for the shopper, by position of the answered action, from 0. Where there are none, the shopper says
/// the sentences of the rules.
pub type Words = BTreeMap<usize, String>;

/// Replays `actions` on the task of `key` and scores them. Facts are compared as [`Catalog::matcher`](super::Catalog::matcher)
/// says. A function of its arguments and the catalog alone.
///
/// # Errors
/// [`ReplayError::AfterEnd`] for actions after the end of the episode.
pub fn replay(mall: &Arc<Mall>, key: &TaskKey, actions: &[String]) -> Result<Replay, ReplayError> {
    replay_by(mall, key, actions, None, mall.catalog.matcher())
}

/// [`replay`] for an episode with a voiced shopper ([`Session::start_voiced`]); `words` are the recorded words.
///
/// # Errors
/// As [`replay`]; [`ReplayError::Words`] for words that the shopper cannot have said.
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

/// Begins the session of a task; its shopper is voiced if words were recorded.
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

/// Plays `actions` with the recorded `words`. `each` gets every step with the shop after it.
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

/// The metrics of a session in its current state.
fn outcome(mall: &Mall, goal: &Goal, session: &Session, matcher: Matcher) -> Outcome {
    match (session.ended(), session.storefront().visit()) {
        (Some(End::Bought), Some(visit)) => Outcome::of_counts(counts(matcher, mall, goal, visit)),
        (Some(End::Declined), _) => Outcome::of_decline(goal.fits),
        _ => Outcome::default(),
    }
}
