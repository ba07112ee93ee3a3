//! The rule scorer: did an action bring the basket closer to the goal? Privileged, and only in replays.

use super::outcome::{Ending, Outcome, Purchase};
use crate::action::{Action, Topic};
use crate::refusal::Refusal;
use crate::shop::Shop;
use crate::storefront::{Storefront, Visit};
use crate::task::Goal;

/// +1 brought the basket closer, 0 neutral, -1 away or refused.
const CLOSER: f64 = 1.0;
const NEUTRAL: f64 = 0.0;
const AWAY: f64 = -1.0;

/// One action with the visit before and after it.
pub(crate) struct Move<'a> {
    pub(crate) action: &'a Result<Action, Refusal>,
    pub(crate) before: &'a Storefront,
    pub(crate) after: &'a Storefront,
}

/// Judges the moves of one episode in order.
pub(crate) struct Judge<'a> {
    shop: &'a Shop,
    goal: &'a Goal,
    asked: Vec<Topic>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(shop: &'a Shop, goal: &'a Goal) -> Self {
        Self { shop, goal, asked: Vec::new() }
    }

    /// The verdict on the next move.
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

    /// A new page is good if it shows what fits where the old one did not, bad if it leaves what fits behind.
    fn listing(&self, step: &Move<'_>) -> f64 {
        match (self.shows_a_match(step.before), self.shows_a_match(step.after)) {
            (false, true) => CLOSER,
            (true, false) => AWAY,
            _ => NEUTRAL,
        }
    }

    /// Where nothing fits, opening is the only way to see it.
    fn opening(&self, after: &Storefront) -> f64 {
        match after.visit() {
            Some(visit) if self.is_met_by(visit) => CLOSER,
            _ if self.goal.fits => AWAY,
            _ => NEUTRAL,
        }
    }

    /// On a product that fits: a wanted value is right; another value of a wanted axis, or one whose variants break
    /// the budget, is wrong. On any other product options do not matter.
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
