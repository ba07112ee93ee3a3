//! One episode as the agent lives it.

use super::Mall;
use super::action::Action;
use super::page;
use super::refusal::Refusal;
use super::storefront::Storefront;
use super::task::{Brief, Shopper, Task};
use crate::session::{End, SessionError, Turn};
use crate::task::{Scenario, TaskKey};
use std::sync::Arc;

/// Turns where the instruction says everything, and where a shopper answers questions.
const SINGLE_TURN: u32 = 30;
const MULTI_TURN: u32 = 40;

/// The most turns that an episode of `scenario` takes.
pub(super) const fn limit(scenario: Scenario) -> u32 {
    if scenario.has_shopper() { MULTI_TURN } else { SINGLE_TURN }
}

/// A live episode in a large shop. It is a function of (catalog, task key, actions so far).
#[derive(Debug)]
pub struct Session {
    mall: Arc<Mall>,
    shopper: Option<Shopper>,
    storefront: Storefront,
    remaining: u32,
    end: Option<End>,
}

/// An answer with what only a replay may know about it.
pub(super) struct Step {
    pub(super) turn: Turn,
    /// The action as it was understood, or why it was refused.
    pub(super) action: Result<Action, Refusal>,
    /// Whether the shopper kept the agent from buying.
    pub(super) purchase_refused: bool,
}

/// What an action led to.
enum Effect {
    Page(String),
    Ends(End, String),
    Held(String),
}

impl Session {
    /// Starts the episode of a task. The text is the first observation.
    #[must_use]
    pub fn start(mall: Arc<Mall>, key: &TaskKey) -> (Self, String) {
        let Task { brief, .. } = Task::new(&mall, key);
        Self::begin(mall, brief, limit(key.scenario))
    }

    pub(super) fn begin(mall: Arc<Mall>, brief: Brief, limit: u32) -> (Self, String) {
        let opening = brief.opening + &page::counter(limit);
        let storefront = Storefront::default();
        let session =
            Self { mall, shopper: brief.shopper, storefront, remaining: limit, end: None };
        (session, opening)
    }

    /// The most turns that an episode of `scenario` takes.
    #[must_use]
    pub const fn turns(scenario: Scenario) -> u32 {
        limit(scenario)
    }

    /// Plays one action. An action that is not possible costs its turn and is answered with a reason.
    ///
    /// # Errors
    /// [`SessionError::Ended`] if the episode is over; nothing changes then.
    pub fn step(&mut self, action: &str) -> Result<Turn, SessionError> {
        self.advance(action).map(|step| step.turn)
    }

    /// How the episode ended, if it did.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.end
    }

    pub(super) fn advance(&mut self, text: &str) -> Result<Step, SessionError> {
        if let Some(end) = self.end {
            return Err(SessionError::Ended { end });
        }
        self.remaining -= 1;
        let parsed = Action::parse(text);
        let effect = parsed.as_ref().map_err(|&refusal| refusal).and_then(|it| self.apply(it));
        let mut purchase_refused = false;
        let (page, action) = match effect {
            Ok(Effect::Page(page)) => (page, parsed),
            Ok(Effect::Ends(end, page)) => {
                self.end = Some(end);
                (page, parsed)
            }
            Ok(Effect::Held(page)) => {
                purchase_refused = true;
                (page, parsed)
            }
            Err(refusal) => (["无效 ", refusal.text()].concat(), Err(refusal)),
        };
        if self.remaining == 0 && self.end.is_none() {
            self.end = Some(End::TurnLimit);
        }
        let counter = page::counter(if self.end.is_some() { 0 } else { self.remaining });
        let turn = Turn { observation: page + &counter, end: self.end };
        Ok(Step { turn, action, purchase_refused })
    }

    pub(super) fn storefront(&self) -> &Storefront {
        &self.storefront
    }

    fn apply(&mut self, action: &Action) -> Result<Effect, Refusal> {
        let mall = &self.mall;
        let page = match action {
            Action::Search(query) => self.storefront.search(mall, query),
            Action::Open(number) => self.storefront.open(mall, *number)?,
            Action::Details => self.storefront.details(mall)?,
            Action::Choose(value) => self.storefront.choose(mall, value)?,
            Action::NextPage => self.storefront.next_page(mall)?,
            Action::Back => self.storefront.back(mall)?,
            Action::Ask(topic) => self.ask(topic)?,
            Action::Propose => self.propose()?,
            Action::Buy => return self.buy(),
            Action::Decline => return Ok(Effect::Ends(End::Declined, "未成交".to_owned())),
        };
        Ok(Effect::Page(page))
    }

    fn ask(&mut self, topic: &str) -> Result<String, Refusal> {
        let shopper = self.shopper.as_mut().ok_or(Refusal::NobodyToAsk)?;
        let answer = shopper.answer(&self.mall.catalog, topic).ok_or(Refusal::NoSuchTopic)?;
        Ok(["顾客 ", &answer].concat())
    }

    fn propose(&self) -> Result<String, Refusal> {
        let shopper = self.shopper.as_ref().ok_or(Refusal::NobodyToAsk)?;
        let visit = self.storefront.visit().ok_or(Refusal::NoItem)?;
        Ok(["顾客 ", &shopper.opinion(&self.mall, visit)].concat())
    }

    /// A shopper who was not asked enough keeps the agent from buying the wrong thing.
    fn buy(&mut self) -> Result<Effect, Refusal> {
        let visit = self.storefront.visit().ok_or(Refusal::NoItem)?;
        let objection = self.shopper.as_ref().and_then(|it| it.objection(&self.mall, visit));
        Ok(match objection {
            Some(objection) => Effect::Held(["顾客 ", &objection].concat()),
            None => Effect::Ends(End::Bought, page::bought(visit.price(&self.mall))),
        })
    }
}
