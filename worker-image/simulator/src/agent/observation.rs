//! Parses pages back into facts, by their words alone.

use crate::lexicon::{self, Class, Word, phrase};

/// A parsed observation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observation {
    pub(super) page: Page,
    /// Turns that remain; 0 after the end.
    pub(super) remaining: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Page {
    /// The first observation.
    Brief(Brief),
    Results(Results),
    Item(Item),
    Chosen {
        price: Option<u32>,
    },
    Stock(Stock),
    /// The shopper's answer.
    Spoken(Vec<Word>),
    Refused,
    /// Back on the result page.
    Listing,
    Other,
}

/// The instruction or the shopper's opening, and the search history if there is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Brief {
    pub(super) records: Vec<Vec<Word>>,
    pub(super) words: Vec<Word>,
    /// Whether a shopper answers questions.
    pub(super) shopper: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Results {
    pub(super) rows: Vec<Row>,
    pub(super) last: bool,
}

/// One result: the words of the title, the price and the row's number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) title: Vec<Word>,
    pub(super) price: u32,
    pub(super) number: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// Brand, category and attributes.
    pub(super) facts: Vec<Word>,
    /// Values of all option axes.
    pub(super) options: Vec<Word>,
    pub(super) price: u32,
}

/// Variants, as shown on the details page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stock {
    prices: Vec<(Word, u32)>,
    sold_out: Vec<Word>,
    combinations: Vec<Vec<Word>>,
}

impl Observation {
    /// Parses an observation. Only later observations that begin with the shopper's marker are answers.
    pub(super) fn read(text: &str, first: bool) -> Self {
        let mut words = lexicon::known_words(text);
        let remaining = match words.last().and_then(|word| lexicon::class(word)) {
            Some(Class::Remaining(turns)) => turns,
            _ => 0,
        };
        words.pop();
        let page = if first { Page::Brief(Brief::read(&words)) } else { Page::read(&words) };
        Self { page, remaining }
    }
}

impl Page {
    fn read(words: &[Word]) -> Self {
        let Some((&marker, rest)) = words.split_first() else {
            return Self::Other;
        };
        match marker {
            phrase::RESULTS => Self::Results(Results::read(rest)),
            phrase::ITEM => Self::Item(Item::read(rest)),
            phrase::CHOSEN => Self::Chosen { price: rest.last().and_then(|word| price(word)) },
            phrase::MERCHANT => Self::Stock(Stock::read(rest)),
            phrase::SHOPPER => Self::Spoken(rest.to_vec()),
            phrase::REFUSED => Self::Refused,
            phrase::LISTING => Self::Listing,
            _ => Self::Other,
        }
    }
}

impl Brief {
    fn read(words: &[Word]) -> Self {
        let start = words
            .iter()
            .position(|&word| word == phrase::TASK || word == phrase::SHOPPER)
            .unwrap_or(0);
        let (history, said) = words.split_at(start);
        let records = history
            .split(|&word| word == phrase::RECORD_END)
            .map(|record| record.iter().copied().filter(|&word| word != phrase::PERSONA).collect())
            .filter(|record: &Vec<Word>| !record.is_empty())
            .collect();
        Self { records, words: said.to_vec(), shopper: said.first() == Some(&phrase::SHOPPER) }
    }
}

impl Results {
    fn read(words: &[Word]) -> Self {
        let mut results = Self::default();
        let (mut title, mut listed) = (Vec::new(), 0);
        for &word in words {
            match lexicon::class(word) {
                Some(Class::Price(yuan)) => listed = yuan,
                Some(Class::Row(number)) => {
                    let title = std::mem::take(&mut title);
                    results.rows.push(Row { title, price: listed, number });
                }
                _ if word == phrase::LAST_PAGE => results.last = true,
                _ => title.push(word),
            }
        }
        results
    }
}

impl Item {
    fn read(words: &[Word]) -> Self {
        let mut item = Self { facts: Vec::new(), options: Vec::new(), price: 0 };
        for &word in words {
            match lexicon::class(word) {
                Some(Class::Price(yuan)) => item.price = yuan,
                Some(Class::Colour | Class::Size) => item.options.push(word),
                Some(Class::Phrase) | None => {}
                Some(_) => item.facts.push(word),
            }
        }
        item
    }
}

impl Stock {
    fn read(words: &[Word]) -> Self {
        let mut stock = Self::default();
        let mut value = None;
        for &word in words {
            match lexicon::class(word) {
                _ if word == phrase::OUT_OF => stock.combinations.push(Vec::new()),
                _ if word == phrase::SOLD_OUT => stock.sold_out.extend(value),
                Some(Class::Price(yuan)) => stock.prices.extend(value.map(|value| (value, yuan))),
                Some(Class::Colour | Class::Size) => {
                    if let Some(combination) = stock.combinations.last_mut() {
                        combination.push(word);
                    }
                    value = Some(word);
                }
                _ => {}
            }
        }
        stock
    }

    /// Whether a variant with all of `options` is in stock within `budget`.
    pub(super) fn offers(&self, options: &[Word], budget: Option<u32>) -> bool {
        let sold_out = options.iter().any(|option| self.sold_out.contains(option));
        let combination = |all: &Vec<Word>| all.iter().all(|value| options.contains(value));
        let dear = |&(value, yuan): &(Word, u32)| {
            options.contains(&value) && budget.is_some_and(|budget| yuan > budget)
        };
        !sold_out && !self.combinations.iter().any(combination) && !self.prices.iter().any(dear)
    }
}

fn price(word: &str) -> Option<u32> {
    match lexicon::class(word) {
        Some(Class::Price(yuan)) => Some(yuan),
        _ => None,
    }
}
