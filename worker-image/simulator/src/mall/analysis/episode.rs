//! An episode as the rules use it: the goal, the file, and each action with the shop before and after it.

use std::sync::Arc;

use super::stated::Stated;
use crate::mall::Mall;
use crate::mall::action::Action;
use crate::mall::agent::reading::Opening;
use crate::mall::catalog::{Fact, WordId};
use crate::mall::replay::{Words, begin, walk};
use crate::mall::storefront::Storefront;
use crate::mall::task::{Goal, Implied, Task};
use crate::replay::ReplayError;
use crate::session::End;
use crate::task::TaskKey;

/// One action.
pub(super) struct Moment {
    /// The action; `None` if the shop refused it, which leaves the shop unchanged.
    pub(super) action: Option<Action>,
    /// The facts stated before it.
    pub(super) stated: Stated,
    /// The shop before and after it.
    pub(super) before: Storefront,
    pub(super) after: Storefront,
}

pub(super) struct Episode<'a> {
    pub(super) mall: &'a Mall,
    pub(super) goal: Goal,
    pub(super) implied: Implied,
    pub(super) file: Opening,
    pub(super) moments: Vec<Moment>,
    pub(super) end: Option<End>,
}

impl<'a> Episode<'a> {
    pub(super) fn play(
        mall: &'a Arc<Mall>,
        key: &TaskKey,
        actions: &[String],
        words: Option<&Words>,
    ) -> Result<Self, ReplayError> {
        let Task { brief, goal, implied } = Task::new(mall, key);
        let (mut session, opening) = begin(mall, brief, key, words);
        let mut stated = Stated::at_first(&goal, &implied, key.scenario);
        let mut before = Storefront::default();
        let mut moments = Vec::with_capacity(actions.len());
        walk(&mut session, actions, words, |step, after| {
            let action = step.action.ok();
            let known = stated.clone();
            if let Some(Action::Ask(question)) = &action {
                match words {
                    None => stated.hear(question, &goal, &implied, mall.catalog()),
                    Some(_) => stated.hear_freely(question, &goal, &implied, mall.catalog()),
                }
            }
            let before = std::mem::replace(&mut before, after.clone());
            moments.push(Moment { action, stated: known, before, after: after.clone() });
        })?;
        let (file, end) = (Opening::read(&opening), session.ended());
        Ok(Self { mall, goal, implied, file, moments, end })
    }

    /// The accepted actions with their positions.
    pub(super) fn accepted(&self) -> impl DoubleEndedIterator<Item = (usize, &Action, &Moment)> {
        let moments = self.moments.iter().enumerate();
        moments.filter_map(|(at, moment)| Some((at, moment.action.as_ref()?, moment)))
    }

    pub(super) fn word(&self, id: WordId) -> &'a str {
        self.mall.catalog.word(id)
    }

    /// The name of a fact in findings.
    pub(super) fn name_of(&self, fact: Fact) -> String {
        format!("{}:{}", self.word(fact.axis), self.word(fact.value))
    }

    /// The id of the product that action `at` opened.
    pub(super) fn opened(&self, at: usize) -> Option<u32> {
        let moment = self.moments.get(at)?;
        let opens = matches!(moment.action, Some(Action::Open(_)));
        moment.after.visit().filter(|_| opens).map(|visit| visit.product)
    }
}
