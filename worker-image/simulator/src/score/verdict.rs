//! Rule-based verdicts: whether an action brought the episode closer to its goal. They know the goal, so only replays use them.

use super::outcome::{Ending, Outcome, Purchase};
use crate::action::{Action, Topic};
use crate::refusal::Refusal;
use crate::shop::Shop;
use crate::storefront::{Storefront, Visit};
use crate::task::Goal;

/// +1 closer to the goal, 0 neutral, -1 away from it or refused.
const CLOSER: f64 = 1.0;
const NEUTRAL: f64 = 0.0;
const AWAY: f64 = -1.0;

/// One action with the shop before and after it.
pub(crate) struct Move<'a> {
    pub(crate) action: &'a Result<Action, Refusal>,
    pub(crate) before: &'a Storefront,
    pub(crate) after: &'a Storefront,
}

/// Judges the actions of one episode in order.
pub(crate) struct Judge<'a> {
    shop: &'a Shop,
    goal: &'a Goal,
    asked: Vec<Topic>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(shop: &'a Shop, goal: &'a Goal) -> Self {
        Self { shop, goal, asked: Vec::new() }
    }

    /// The verdict on the next action.
    pub(crate) fn verdict(&mut self, step: &Move<'_>) -> f64 {
        let Ok(action) = step.action else {
            return AWAY;
        };
        match action {
            Action::Search(_) | Action::NextPage => self.listing(step),
            Action::Open(_) => self.opening(step.after),
            Action::Details => NEUTRAL,
            Action::Choose(value) => self.choice(step, value),
            Action::Back => self.leaving(step.before),
            Action::Ask(topic) => self.question(*topic),
            Action::Buy => self.purchase(step.before),
            Action::Decline => {
                if self.goal.fits {
                    AWAY
                } else {
                    CLOSER
                }
            }
        }
    }

    /// A page is good if it shows a match and the previous one did not; bad if it leaves a match behind.
    fn listing(&self, step: &Move<'_>) -> f64 {
        match (self.shows_a_match(step.before), self.shows_a_match(step.after)) {
            (false, true) => CLOSER,
            (true, false) => AWAY,
            _ => NEUTRAL,
        }
    }

    /// If nothing fits, opening products is the only way to find out, so it is neutral.
    fn opening(&self, after: &Storefront) -> f64 {
        match after.visit() {
            Some(visit) if self.is_met_by(visit) => CLOSER,
            _ if self.goal.fits => AWAY,
            _ => NEUTRAL,
        }
    }

    /// On a matching product: a wanted value is good; another value of a wanted axis, or one above the budget, is bad. On
    /// any other product options do not matter.
    fn choice(&self, step: &Move<'_>, value: &str) -> f64 {
        let Some(visit) = step.after.visit().filter(|visit| self.is_met_by(visit)) else {
            return NEUTRAL;
        };
        if self.goal.options.contains(&value) {
            let known = step.before.visit().is_some_and(|it| it.selection == visit.selection);
            return if known { NEUTRAL } else { CLOSER };
        }
        let product = self.shop.catalog().product(visit.product);
        let axis = |word: &str| product.find_option(word).map(|(axis, _)| axis);
        let replaces = self.goal.options.iter().any(|option| axis(option) == axis(value));
        if replaces || visit.price(product) > self.goal.budget { AWAY } else { NEUTRAL }
    }

    fn leaving(&self, before: &Storefront) -> f64 {
        if before.visit().is_some_and(|visit| self.is_met_by(visit)) { AWAY } else { NEUTRAL }
    }

    fn question(&mut self, topic: Topic) -> f64 {
        if self.asked.contains(&topic) {
            return NEUTRAL;
        }
        self.asked.push(topic);
        CLOSER
    }

    fn purchase(&self, before: &Storefront) -> f64 {
        let Some(visit) = before.visit() else {
            return AWAY;
        };
        let product = self.shop.catalog().product(visit.product);
        let price = visit.price(product);
        let purchase = Purchase { product, selection: &visit.selection, price };
        let outcome = Outcome::new(self.goal, Ending::Bought(purchase));
        if outcome.success == 1.0 { CLOSER } else { AWAY }
    }

    fn shows_a_match(&self, storefront: &Storefront) -> bool {
        let catalog = self.shop.catalog();
        storefront.rows().iter().any(|&id| self.goal.is_met_by(catalog.product(id)))
    }

    fn is_met_by(&self, visit: &Visit) -> bool {
        self.goal.is_met_by(self.shop.catalog().product(visit.product))
    }
}
