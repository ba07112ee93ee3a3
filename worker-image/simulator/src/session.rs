//! One episode as the agent experiences it. A session holds no goal, so its output cannot depend on one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::action::{Action, Topic};
use crate::lexicon::vocabulary::REMAINING;
use crate::page;
use crate::refusal::Refusal;
use crate::shop::{SharedShop, Shop, ShopError};
use crate::storefront::Storefront;
use crate::task::{Answers, Brief, Scenario, Task, TaskKey};

/// Turn limits of episodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// For scenarios in which the instruction states everything, 1 to 40.
    pub single_turn: u32,
    /// For scenarios with a shopper, 1 to 40.
    pub multi_turn: u32,
}

impl Default for Limits {
    /// The limits of preset `mini`: every task can be solved in 8 turns, plus 3 questions.
    fn default() -> Self {
        Self { single_turn: 12, multi_turn: 12 }
    }
}

impl Limits {
    /// The limit for a scenario.
    ///
    /// # Errors
    /// [`ShopError::Limit`] if the turn counter has no word for it.
    pub(crate) fn of(&self, scenario: Scenario) -> Result<u32, ShopError> {
        let (field, value) = if scenario.has_shopper() {
            ("multiTurn", self.multi_turn)
        } else {
            ("singleTurn", self.single_turn)
        };
        let highest = REMAINING.len() as u32;
        if (1..=highest).contains(&value) {
            Ok(value)
        } else {
            Err(ShopError::Limit { field, value, highest })
        }
    }
}

/// How an episode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// Something was bought.
    Bought,
    /// The agent said that nothing fits.
    Declined,
    /// No turns remained.
    TurnLimit,
}

/// The shop's answer to one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What the agent reads next; its last word is the turn counter, or 结束.
    pub observation: String,
    /// Set when the episode is over.
    pub end: Option<End>,
}

/// Why a step was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The episode had already ended.
    #[error("the episode has ended ({end:?}): start a new session for further actions")]
    Ended {
        /// How it ended.
        end: End,
    },
}

/// A live episode. It is a function of (catalog, task key, limits, actions so far).
#[derive(Debug)]
pub struct Session {
    shop: SharedShop,
    answers: Option<Answers>,
    storefront: Storefront,
    remaining: u32,
    end: Option<End>,
}

/// An answer, with facts that only a replay may use.
pub(crate) struct Step {
    pub(crate) turn: Turn,
    /// The parsed action, or why it was refused.
    pub(crate) action: Result<Action, Refusal>,
}

impl Session {
    /// Starts the episode of a task. Returns the first observation: history, instruction or the shopper's opening, and the
    /// turn counter.
    ///
    /// # Errors
    /// [`ShopError::Limit`] if the limit of the scenario is not between 1 and 40.
    pub fn start(
        shop: Arc<Shop>,
        key: &TaskKey,
        limits: Limits,
    ) -> Result<(Self, String), ShopError> {
        let limit = limits.of(key.scenario)?;
        let Task { brief, .. } = Task::new(shop.catalog(), key);
        Ok(Self::begin(shop, brief, limit))
    }

    pub(crate) fn begin(shop: SharedShop, brief: Brief, limit: u32) -> (Self, String) {
        let opening = [brief.opening.as_str(), page::counter(limit)].concat();
        let session = Self {
            shop,
            answers: brief.answers,
            storefront: Storefront::default(),
            remaining: limit,
            end: None,
        };
        (session, opening)
    }

    /// Plays one action. An impossible action costs its turn and is answered with the reason.
    ///
    /// # Errors
    /// [`SessionError::Ended`] if the episode is over; the session is unchanged.
    pub fn step(&mut self, action: &str) -> Result<Turn, SessionError> {
        self.advance(action).map(|step| step.turn)
    }

    /// How the episode ended, if it did.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.end
    }

    pub(crate) fn advance(&mut self, text: &str) -> Result<Step, SessionError> {
        if let Some(end) = self.end {
            return Err(SessionError::Ended { end });
        }
        self.remaining -= 1;
        let parsed = Action::parse(text);
        let answer = parsed.as_ref().map_err(|&refusal| refusal).and_then(|it| self.apply(it));
        if self.remaining == 0 && self.end.is_none() {
            self.end = Some(End::TurnLimit);
        }
        let counter = page::counter(if self.end.is_some() { 0 } else { self.remaining });
        let (page, action) = match answer {
            Ok(page) => (page, parsed),
            Err(refusal) => (page::refused(refusal), Err(refusal)),
        };
        let observation = [page.as_str(), counter].concat();
        Ok(Step { turn: Turn { observation, end: self.end }, action })
    }

    pub(crate) fn storefront(&self) -> &Storefront {
        &self.storefront
    }

    fn apply(&mut self, action: &Action) -> Result<String, Refusal> {
        let shop = &self.shop;
        match action {
            Action::Search(query) => Ok(self.storefront.search(shop, query)),
            Action::Open(number) => self.storefront.open(shop, *number),
            Action::Details => self.storefront.details(shop),
            Action::Choose(value) => self.storefront.choose(shop, value),
            Action::NextPage => self.storefront.next_page(shop),
            Action::Back => self.storefront.back(),
            Action::Ask(topic) => self.ask(*topic),
            Action::Buy => self.buy(),
            Action::Decline => {
                self.end = Some(End::Declined);
                Ok(page::declined())
            }
        }
    }

    fn ask(&self, topic: Topic) -> Result<String, Refusal> {
        let answers = self.answers.as_ref().ok_or(Refusal::NoShopperToAsk)?;
        Ok(page::spoken(answers.about(topic)))
    }

    fn buy(&mut self) -> Result<String, Refusal> {
        let visit = self.storefront.visit().ok_or(Refusal::NoItem)?;
        let yuan = visit.price(self.shop.catalog().product(visit.product));
        self.end = Some(End::Bought);
        Ok(page::bought(yuan))
    }
}

#[cfg(test)]
mod tests;
