//! The scripted expert: ask, search, open what promises most, check, choose, buy; decline when nothing is left.

use super::reading::{Item, Observation, Opening, Page, Results, Row};
use super::wish::{HOPELESS, Wish};
use crate::agent::Actor;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

/// How much more may speak against a row in every round over the pages, and in the last one.
const PATIENCE: i32 = 4;
const MOST_PATIENCE: i32 = 12;

#[derive(Default)]
pub(super) struct Expert {
    started: bool,
    wish: Wish,
    /// Questions still to be asked, the next one last.
    questions: Vec<&'static str>,
    searched: bool,
    remaining: u32,
    results: Option<Results>,
    /// Titles of products that were opened.
    opened: HashSet<String>,
    visit: Option<Visit>,
    /// What was seen of brands: how many more wanted facts than unwanted ones their best product had. Near-identical
    /// products tend to be of one brand.
    leads: BTreeMap<String, i32>,
    /// Brands that were searched for because of what was seen of them.
    followed: Vec<String>,
    /// How much may speak against a row that is opened.
    patience: i32,
    /// The brand whose things are listed, on a detour from the query of the whole wish.
    detour: Option<String>,
}

/// An open product that has everything, and what is still to be chosen.
struct Visit {
    open: Vec<String>,
    fen: u32,
}

impl Actor for Expert {
    fn act(&mut self, observation: &str) -> String {
        let Observation { page, remaining } = Observation::read(observation);
        self.remaining = remaining;
        if std::mem::replace(&mut self.started, true) {
            self.take_in(page);
        } else {
            let opening = Opening::read(observation);
            if opening.shopper {
                self.questions = vec!["预算", "规格", "品牌", "属性"];
            }
            self.wish.open(&opening);
        }
        self.decide()
    }
}

impl Expert {
    fn take_in(&mut self, page: Page) {
        match page {
            Page::Spoken(text) => {
                self.wish.hear(&text);
                // Who keeps us from buying wants something that we do not see: look further.
                self.visit = None;
            }
            Page::Results(results) => {
                self.results = Some(results);
                self.visit = None;
            }
            Page::Item(item) => {
                let lead = self.wish.agreement(&item);
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
        let fits = self.wish.is_met_by(item);
        fits.then(|| Visit { open: self.wish.options.clone(), fen: item.fen })
    }

    fn decide(&mut self) -> String {
        if let Some(topic) = self.questions.pop() {
            return ["询问", topic].concat();
        }
        if !std::mem::replace(&mut self.searched, true) {
            return ["搜索", &self.wish.query()].concat();
        }
        if let Some(visit) = &mut self.visit {
            if self.wish.affords(visit.fen) {
                return match visit.open.pop() {
                    Some(option) => ["选择", &option].concat(),
                    None => "购买".to_owned(),
                };
            }
            self.visit = None;
        }
        self.look_further()
    }

    /// The most promising row that was not opened, the next page when none promises anything, or the end.
    fn look_further(&mut self) -> String {
        let decline = || "没有合适".to_owned();
        // Opening, choosing and buying must still be possible.
        if (self.remaining as usize) < self.wish.options.len() + 2 {
            return decline();
        }
        let Some(results) = &self.results else {
            return decline();
        };
        let rows = results.rows.iter().filter(|row| !self.opened.contains(&row.title));
        if let Some(followed) = &self.detour {
            let row = rows
                .clone()
                .find(|row| row.brand == *followed && self.wish.promise(row) > HOPELESS / 2);
            let Some(Row { number, title, .. }) = row.cloned() else {
                self.detour = None;
                return ["搜索", &self.wish.query()].concat();
            };
            self.opened.insert(title);
            return format!("打开#{number}");
        }
        let lead = |row: &Row| self.leads.get(&row.brand).map_or(0, |lead| 2 * lead);
        let promising = rows.map(|row| (self.wish.promise(row) + lead(row), row));
        // Of equals the first.
        let best = promising.max_by_key(|(promise, row)| (*promise, Reverse(row.number)));
        let best = best.map(|(promise, row)| (promise, row.number, row.title.clone()));
        let last = results.last;
        if best.as_ref().is_none_or(|(promise, ..)| *promise <= 2 * self.agreed())
            && let Some(brand) = self.lead()
        {
            self.followed.push(brand.clone());
            let query = self.wish.query_for(&brand);
            self.detour = Some(brand);
            return ["搜索", &query].concat();
        }
        match best.filter(|(promise, ..)| *promise >= -self.patience) {
            Some((_, number, title)) => {
                self.opened.insert(title);
                format!("打开#{number}")
            }
            None if !last => "翻页".to_owned(),
            // Titles are not always true: once more, from the first page, with what contradicts a little.
            None if self.patience < MOST_PATIENCE => {
                self.patience += PATIENCE;
                ["搜索", &self.wish.query()].concat()
            }
            None => decline(),
        }
    }

    /// As much as a product with every wanted fact agrees.
    fn agreed(&self) -> i32 {
        self.wish.facts.len() as i32
    }

    /// A brand of which a product had every fact, and only its options or price were wrong.
    fn lead(&self) -> Option<String> {
        let wanted = |brand: &String| self.wish.brand.as_ref().is_none_or(|it| it == brand);
        let leads = self.leads.iter().filter(|(brand, lead)| {
            **lead >= self.agreed() && wanted(brand) && !self.followed.contains(brand)
        });
        leads.map(|(brand, _)| brand.clone()).next()
    }
}
