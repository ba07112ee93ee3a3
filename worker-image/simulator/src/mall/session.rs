//! One episode as the agent experiences it.

use std::sync::Arc;

use thiserror::Error;

use super::Mall;
use super::action::Action;
use super::page;
use super::refusal::Refusal;
use super::storefront::Storefront;
use super::task::{Brief, Shopper, Task};
use super::voice::{Cue, Remark, Talk, Unfit};
use crate::session::{End, SessionError, Turn};
use crate::task::{Scenario, TaskKey};

/// Turn limits without a shopper, and with one who answers questions.
const SINGLE_TURN: u32 = 30;
const MULTI_TURN: u32 = 40;

/// The turn limit of `scenario`.
pub(super) const fn limit(scenario: Scenario) -> u32 {
    if scenario.has_shopper() { MULTI_TURN } else { SINGLE_TURN }
}

/// A live episode in a large shop. It is a function of (catalog, task key, actions so far).
#[derive(Clone, Debug)]
pub struct Session {
    mall: Arc<Mall>,
    shopper: Option<Shopper>,
    /// The conversation so far, if the shopper is voiced.
    talk: Option<Talk>,
    storefront: Storefront,
    remaining: u32,
    end: Option<End>,
}

/// Why words of a shopper were refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VoiceError {
    /// The session has ended.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// No shopper answers the action.
    #[error("there are words of the shopper for an action that no shopper answers")]
    Unasked,
    /// The words do not express the intended remark.
    #[error("the shopper's words cannot be used")]
    Unfit(#[from] Unfit),
}

/// An answer, with facts that only a replay may use.
pub(super) struct Step {
    pub(super) turn: Turn,
    /// The parsed action, or why it was refused.
    pub(super) action: Result<Action, Refusal>,
    /// Whether the shopper stopped a purchase.
    pub(super) purchase_refused: bool,
    /// The shopper's remark by the rules, if there was one.
    remark: Option<Remark>,
}

/// The effect of an action.
enum Effect {
    Page(String),
    Ends(End, String),
    Said(Remark),
    /// The shopper stopped a purchase.
    Held(Remark),
}

impl Session {
    /// Starts the episode of a task. Returns the first observation.
    #[must_use]
    pub fn start(mall: Arc<Mall>, key: &TaskKey) -> (Self, String) {
        let Task { brief, .. } = Task::new(&mall, key);
        Self::begin(mall, brief, limit(key.scenario))
    }

    /// Starts the episode of a task whose shopper is voiced by a model: see [`Session::cue`]. Such a shopper understands
    /// questions in free words.
    #[must_use]
    pub fn start_voiced(mall: Arc<Mall>, key: &TaskKey) -> (Self, String) {
        let Task { brief, .. } = Task::new(&mall, key);
        Self::begin_voiced(mall, brief, limit(key.scenario))
    }

    pub(super) fn begin_voiced(mall: Arc<Mall>, brief: Brief, limit: u32) -> (Self, String) {
        let talk = Talk { opening: brief.said.clone(), exchanges: Vec::new() };
        let (session, opening) = Self::begin(mall, brief, limit);
        (Self { talk: Some(talk), ..session }, opening)
    }

    pub(super) fn begin(mall: Arc<Mall>, brief: Brief, limit: u32) -> (Self, String) {
        let opening = brief.opening + &page::counter(limit);
        let storefront = Storefront::default();
        let session = Self {
            mall,
            shopper: brief.shopper,
            talk: None,
            storefront,
            remaining: limit,
            end: None,
        };
        (session, opening)
    }

    /// The turn limit of `scenario`.
    #[must_use]
    pub const fn turns(scenario: Scenario) -> u32 {
        limit(scenario)
    }

    /// Plays one action. An impossible action costs its turn and is answered with the reason.
    ///
    /// # Errors
    /// [`SessionError::Ended`] if the episode is over; the session is unchanged.
    pub fn step(&mut self, action: &str) -> Result<Turn, SessionError> {
        self.advance(action, None).map(|step| step.turn)
    }

    /// The remark that the shopper must make if `action` is played next; `None` if no shopper answers it, or the shopper is
    /// not voiced. Does not change the session.
    #[must_use]
    pub fn cue(&self, action: &str) -> Option<Cue> {
        self.talk.as_ref()?;
        let remark = self.clone().advance(action, None).ok()?.remark?;
        self.cue_of(remark, action)
    }

    /// The cue for the shopper's answer to `action`, given the conversation before it.
    fn cue_of(&self, remark: Remark, action: &str) -> Option<Cue> {
        let (talk, shopper) = (self.talk.as_ref()?, self.shopper.as_ref()?);
        Some(Cue::new(&self.mall, shopper.leaf(), remark, talk, action.trim()))
    }

    /// Plays one action; if the shopper answers it, with these words.
    ///
    /// # Errors
    /// [`VoiceError::Session`] as [`Session::step`]; [`VoiceError::Unasked`] for words to an action that no shopper answers;
    /// [`VoiceError::Unfit`] for words that [`Cue::check`] refuses. The session is then unchanged.
    pub fn step_voiced(&mut self, action: &str, words: &str) -> Result<Turn, VoiceError> {
        self.advance_voiced(action, words).map(|step| step.turn)
    }

    pub(super) fn advance_voiced(&mut self, action: &str, words: &str) -> Result<Step, VoiceError> {
        // Played on a copy, which replaces this session if the words are fit.
        let mut next = self.clone();
        let step = next.advance(action, Some(words))?;
        let cue = step.remark.clone().and_then(|remark| self.cue_of(remark, action));
        let cue = cue.ok_or(VoiceError::Unasked)?;
        // The rules' own sentence is always fit.
        if words != cue.plain() {
            cue.check(words)?;
        }
        *self = next;
        Ok(step)
    }

    /// How the episode ended, if it did.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.end
    }

    pub(super) fn advance(
        &mut self,
        text: &str,
        words: Option<&str>,
    ) -> Result<Step, SessionError> {
        if let Some(end) = self.end {
            return Err(SessionError::Ended { end });
        }
        self.remaining -= 1;
        let parsed = Action::parse(text);
        let effect = parsed.as_ref().map_err(|&refusal| refusal).and_then(|it| self.apply(it));
        let purchase_refused = matches!(effect, Ok(Effect::Held(_)));
        let mut remark = None;
        let (page, action) = match effect {
            Ok(Effect::Page(page)) => (page, parsed),
            Ok(Effect::Ends(end, page)) => {
                self.end = Some(end);
                (page, parsed)
            }
            Ok(Effect::Said(said) | Effect::Held(said)) => {
                let words = words.unwrap_or(&said.words);
                if let Some(talk) = &mut self.talk {
                    talk.exchanges.push((text.trim().to_owned(), words.to_owned()));
                }
                let page = ["顾客 ", words].concat();
                remark = Some(said);
                (page, parsed)
            }
            Err(refusal) => (["无效 ", refusal.text()].concat(), Err(refusal)),
        };
        if self.remaining == 0 && self.end.is_none() {
            self.end = Some(End::TurnLimit);
        }
        let counter = page::counter(if self.end.is_some() { 0 } else { self.remaining });
        let turn = Turn { observation: page + &counter, end: self.end };
        Ok(Step { turn, action, purchase_refused, remark })
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
            Action::Ask(topic) => return self.ask(topic).map(Effect::Said),
            Action::Propose => return self.propose().map(Effect::Said),
            Action::Buy => return self.buy(),
            Action::Decline => return Ok(Effect::Ends(End::Declined, "未成交".to_owned())),
        };
        Ok(Effect::Page(page))
    }

    fn ask(&mut self, topic: &str) -> Result<Remark, Refusal> {
        let shopper = self.shopper.as_mut().ok_or(Refusal::NoShopperToAsk)?;
        match self.talk {
            Some(_) => Ok(shopper.answer_freely(&self.mall.catalog, topic)),
            None => shopper.answer(&self.mall.catalog, topic).ok_or(Refusal::NoSuchTopic),
        }
    }

    fn propose(&self) -> Result<Remark, Refusal> {
        let shopper = self.shopper.as_ref().ok_or(Refusal::NoShopperToAsk)?;
        let visit = self.storefront.visit().ok_or(Refusal::NoItem)?;
        Ok(shopper.opinion(&self.mall, visit))
    }

    /// A shopper who was not asked enough stops the purchase of a wrong product.
    fn buy(&mut self) -> Result<Effect, Refusal> {
        let visit = self.storefront.visit().ok_or(Refusal::NoItem)?;
        let objection = self.shopper.as_ref().and_then(|it| it.objection(&self.mall, visit));
        Ok(match objection {
            Some(objection) => Effect::Held(objection),
            None => Effect::Ends(End::Bought, page::bought(visit.price(&self.mall))),
        })
    }
}
