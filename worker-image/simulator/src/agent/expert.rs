//! The scripted expert: ask, search, open the most promising row, check, choose, buy; recover from refusals.

use super::Actor;
use super::habits::Habits;
use super::observation::{Item, Observation, Page, Results, Stock};
use super::request::Request;
use crate::lexicon::vocabulary::{PRICES, ROWS};
use crate::lexicon::{Word, phrase};

/// Turns that must remain after paging, for opening, choosing and buying.
const TURNS_AFTER_A_PAGE: u32 = 4;
/// Turns that must remain after reading the details, for choosing, buying and another product.
const SPARE_TURNS: usize = 4;

pub(super) struct Expert {
    habits: Habits,
    request: Request,
    /// Questions still to ask; the next one is last.
    questions: Vec<Word>,
    started: bool,
    remaining: u32,
    results: Option<Results>,
    /// Row numbers already opened on this page.
    opened: Vec<usize>,
    visit: Option<Visit>,
}

/// An open product, with the options tried on it.
struct Visit {
    item: Item,
    stock: Option<Stock>,
    chosen: Vec<Word>,
    refused: Vec<Word>,
    /// The last chosen value until the shop answers.
    pending: Option<Word>,
    /// Yuan of the current selection.
    price: u32,
}

impl Actor for Expert {
    fn act(&mut self, observation: &str) -> String {
        let first = !std::mem::replace(&mut self.started, true);
        let Observation { page, remaining } = Observation::read(observation, first);
        self.remaining = remaining;
        self.observe(page);
        self.decide()
    }
}

impl Expert {
    pub(super) fn new(habits: Habits) -> Self {
        Self {
            habits,
            request: Request::default(),
            questions: Vec::new(),
            started: false,
            remaining: 0,
            results: None,
            opened: Vec::new(),
            visit: None,
        }
    }

    fn observe(&mut self, page: Page) {
        match page {
            Page::Brief(brief) => {
                self.request.hear(&brief.words);
                if self.habits.reads_history {
                    self.request.infer(&brief.records);
                }
                if brief.shopper {
                    self.questions = self.habits.questions();
                }
            }
            Page::Spoken(words) => self.request.hear(&words),
            Page::Results(results) => {
                self.results = Some(results);
                self.opened.clear();
                self.visit = None;
            }
            Page::Item(item) => self.visit = Some(Visit::new(item)),
            Page::Chosen { price } => self.visit.iter_mut().for_each(|visit| visit.accept(price)),
            Page::Refused => self.visit.iter_mut().for_each(Visit::refuse),
            Page::Stock(stock) => {
                self.visit.iter_mut().for_each(|visit| visit.stock = Some(stock.clone()));
            }
            Page::Listing | Page::Other => {}
        }
    }

    fn decide(&mut self) -> String {
        let Some(results) = &self.results else {
            return match self.questions.pop() {
                Some(topic) => [phrase::ASK, topic].concat(),
                None => self.search(),
            };
        };
        let last = results.last;
        if let Some(action) = self.use_visit() {
            return action;
        }
        let has_time = self.remaining >= self.turns_for_another();
        match self.best_row() {
            Some(number) if has_time => self.open(number),
            // Too few turns for the promising rows that are left: buy the open product.
            Some(_) if self.visit.is_some() => self.take_what_is_open(),
            Some(number) => self.open(number),
            None if !last && self.remaining > TURNS_AFTER_A_PAGE => phrase::NEXT_PAGE.to_owned(),
            None => phrase::DECLINE.to_owned(),
        }
    }

    /// Turns needed to open another product, choose its options and buy.
    fn turns_for_another(&self) -> u32 {
        2 + self.request.options().len() as u32
    }

    fn search(&self) -> String {
        let known = if self.habits.full_query { self.request.features.len() } else { 1 };
        let mut action = phrase::SEARCH.to_owned();
        action.extend(self.request.category.map(|(word, _)| word));
        action.extend(self.request.features.iter().copied().take(known));
        if self.habits.price_in_query {
            action.extend(self.request.budget.and_then(price_word));
        }
        action
    }

    fn open(&mut self, number: usize) -> String {
        self.opened.push(number);
        [phrase::OPEN, ROWS[number - 1]].concat()
    }

    /// The unopened row that shows the most wanted facts and no contradiction; the first of equals.
    fn best_row(&self) -> Option<usize> {
        let rows = self.results.iter().flat_map(|results| &results.rows);
        rows.filter(|row| !self.opened.contains(&row.number))
            .filter_map(|row| Some((self.request.promise(row)?, row.number)))
            .max_by_key(|&(promise, number)| (promise, std::cmp::Reverse(number)))
            .map(|(_, number)| number)
    }

    /// The next action on the open product; `None` to try another product.
    fn use_visit(&mut self) -> Option<String> {
        let wanted = self.request.options();
        let budget = self.request.budget;
        let visit = self.visit.as_mut()?;
        let fits = self.request.is_met_by(&visit.item) && visit.is_possible(&wanted, budget);
        let listed = wanted.iter().all(|option| visit.item.options.contains(option));
        if fits && !listed && self.habits.probes {
            let open = wanted.iter().find(|option| !visit.chosen.contains(option));
            return open.map(|option| visit.choose(option));
        }
        if self.habits.checks && !(fits && listed) {
            return None;
        }
        let has_time = self.remaining as usize > SPARE_TURNS + wanted.len();
        if self.habits.consults && has_time && visit.stock.is_none() {
            return Some(phrase::DETAILS.to_owned());
        }
        Some(self.take_what_is_open())
    }

    /// Chooses the wanted options that the open product can have, then buys it.
    fn take_what_is_open(&mut self) -> String {
        let wanted = self.request.options();
        let may_choose = self.habits.chooses && self.remaining > 1;
        let Some(visit) = self.visit.as_mut().filter(|_| may_choose) else {
            return phrase::BUY.to_owned();
        };
        match wanted.into_iter().find(|option| visit.could_have(option)) {
            Some(option) => visit.choose(option),
            None => phrase::BUY.to_owned(),
        }
    }
}

impl Visit {
    fn new(item: Item) -> Self {
        Self {
            price: item.price,
            item,
            stock: None,
            chosen: Vec::new(),
            refused: Vec::new(),
            pending: None,
        }
    }

    fn choose(&mut self, option: Word) -> String {
        self.pending = Some(option);
        [phrase::CHOOSE, option].concat()
    }

    fn accept(&mut self, price: Option<u32>) {
        self.chosen.extend(self.pending.take());
        self.price = price.unwrap_or(self.price);
    }

    fn refuse(&mut self) {
        self.refused.extend(self.pending.take());
    }

    /// Whether the wanted variant may still be available, as far as the pages show.
    fn is_possible(&self, wanted: &[Word], budget: Option<u32>) -> bool {
        self.refused.is_empty()
            && budget.is_none_or(|budget| self.price <= budget)
            && self.stock.as_ref().is_none_or(|stock| stock.offers(wanted, budget))
    }

    fn could_have(&self, option: &Word) -> bool {
        self.item.options.contains(option)
            && !self.chosen.contains(option)
            && !self.refused.contains(option)
    }
}

impl Habits {
    fn questions(self) -> Vec<Word> {
        let asked = [
            (self.asks_budget, phrase::BUDGET),
            (self.asks_options, phrase::OPTIONS),
            (self.asks_attributes, phrase::ATTRIBUTES),
        ];
        asked.into_iter().filter(|(asks, _)| *asks).map(|(_, topic)| topic).collect()
    }
}

fn price_word(yuan: u32) -> Option<Word> {
    PRICES.iter().find(|price| price.0 == yuan).map(|price| price.1)
}
