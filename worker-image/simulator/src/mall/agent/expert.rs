//! The scripted expert: ask, search, open the most promising row, check, choose, buy; decline when no row is left.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use super::reading::{Item, Observation, Opening, Page, Results, Row};
use super::request::{HOPELESS, Request};
use crate::agent::Actor;

/// How far below 0 a row's promise may be to open it: the increment per round over the pages, and the limit.
const PATIENCE: i32 = 4;
const MOST_PATIENCE: i32 = 12;

#[derive(Default)]
pub(super) struct Expert {
    started: bool,
    request: Request,
    /// Questions still to ask; the next one is last.
    questions: Vec<&'static str>,
    searched: bool,
    remaining: u32,
    results: Option<Results>,
    /// Titles of opened products.
    opened: HashSet<String>,
    visit: Option<Visit>,
    /// Best agreement per brand: wanted facts that a product of the brand has, minus those that it lacks. Near-identical
    /// products tend to have the same brand.
    leads: BTreeMap<String, i32>,
    /// Brands that were searched for because of their agreement.
    followed: Vec<String>,
    /// How far below 0 the promise of a row may be to open it.
    patience: i32,
    /// The brand that is listed, on a detour from the full query.
    detour: Option<String>,
}

/// An open product that has everything wanted, and the options still to choose.
struct Visit {
    open: Vec<String>,
    fen: u32,
}

impl Actor for Expert {
    fn act(&mut self, observation: &str) -> String {
        let Observation { page, remaining } = Observation::read(observation);
        self.remaining = remaining;
        if std::mem::replace(&mut self.started, true) {
            self.observe(page);
        } else {
            let opening = Opening::read(observation);
            if opening.shopper {
                self.questions = vec!["预算", "规格", "品牌", "属性"];
            }
            self.request.open(&opening);
        }
        self.decide()
    }
}

impl Expert {
    fn observe(&mut self, page: Page) {
        match page {
            Page::Spoken(text) => {
                self.request.hear(&text);
                // A shopper who objects wants something that this product lacks: try other products.
                self.visit = None;
            }
            Page::Results(results) => {
                self.results = Some(results);
                self.visit = None;
            }
            Page::Item(item) => {
                let lead = self.request.agreement(&item);
                let known = self.leads.entry(item.brand.clone()).or_insert(lead);
                *known = lead.max(*known);
                self.visit = self.consider(&item);
            }
            Page::Chosen(fen) => {
                if let Some(visit) = &mut self.visit {
                    visit.fen = fen;
                }
            }
            Page::Refused | Page::Other | Page::Opening(_) => self.visit = None,
        }
    }

    fn consider(&self, item: &Item) -> Option<Visit> {
        let fits = self.request.is_met_by(item);
        fits.then(|| Visit { open: self.request.options.clone(), fen: item.fen })
    }

    fn decide(&mut self) -> String {
        if let Some(topic) = self.questions.pop() {
            return ["询问", topic].concat();
        }
        if !std::mem::replace(&mut self.searched, true) {
            return ["搜索", &self.request.query()].concat();
        }
        if let Some(visit) = &mut self.visit {
            if self.request.affords(visit.fen) {
                return match visit.open.pop() {
                    Some(option) => ["选择", &option].concat(),
                    None => "购买".to_owned(),
                };
            }
            self.visit = None;
        }
        self.try_another_row()
    }

    /// Opens the most promising unopened row, else turns the page, else searches again, else declines.
    fn try_another_row(&mut self) -> String {
        let decline = || "没有合适".to_owned();
        // Enough turns must remain to open, choose and buy.
        if (self.remaining as usize) < self.request.options.len() + 2 {
            return decline();
        }
        let Some(results) = &self.results else {
            return decline();
        };
        let rows = results.rows.iter().filter(|row| !self.opened.contains(&row.title));
        if let Some(followed) = &self.detour {
            let row = rows
                .clone()
                .find(|row| row.brand == *followed && self.request.promise(row) > HOPELESS / 2);
            let Some(Row { number, title, .. }) = row.cloned() else {
                self.detour = None;
                return ["搜索", &self.request.query()].concat();
            };
            self.opened.insert(title);
            return format!("打开#{number}");
        }
        let lead = |row: &Row| self.leads.get(&row.brand).map_or(0, |lead| 2 * lead);
        let promising = rows.map(|row| (self.request.promise(row) + lead(row), row));
        // Of equal rows the first.
        let best = promising.max_by_key(|(promise, row)| (*promise, Reverse(row.number)));
        let best = best.map(|(promise, row)| (promise, row.number, row.title.clone()));
        let last = results.last;
        if best.as_ref().is_none_or(|(promise, ..)| *promise <= 2 * self.agreed())
            && let Some(brand) = self.lead()
        {
            self.followed.push(brand.clone());
            let query = self.request.query_for(&brand);
            self.detour = Some(brand);
            return ["搜索", &query].concat();
        }
        match best.filter(|(promise, ..)| *promise >= -self.patience) {
            Some((_, number, title)) => {
                self.opened.insert(title);
                format!("打开#{number}")
            }
            None if !last => "翻页".to_owned(),
            // Titles can be untrue: search once more and accept rows with a slight contradiction.
            None if self.patience < MOST_PATIENCE => {
                self.patience += PATIENCE;
                ["搜索", &self.request.query()].concat()
            }
            None => decline(),
        }
    }

    /// The agreement of a product that has every wanted fact.
    fn agreed(&self) -> i32 {
        self.request.facts.len() as i32
    }

    /// A brand of which one product had every wanted fact, but the wrong options or price.
    fn lead(&self) -> Option<String> {
        let wanted = |brand: &String| self.request.brand.as_ref().is_none_or(|it| it == brand);
        let leads = self.leads.iter().filter(|(brand, lead)| {
            **lead >= self.agreed() && wanted(brand) && !self.followed.contains(brand)
        });
        leads.map(|(brand, _)| brand.clone()).next()
    }
}
