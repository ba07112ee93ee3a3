//! The closed vocabulary of the shop: everything it prints is a sequence of these words, without spaces.
//!
//! One word is one token of the policy, so the list is short and its order is fixed (it decides token ids).
//! No word followed by another can be read as a longer word, so longest match gives back exactly what was printed.

pub(crate) mod phrase;
mod segmentation;
pub(crate) mod vocabulary;

pub(crate) use segmentation::known_words;
pub use segmentation::segment;

use std::collections::HashMap;
use std::sync::LazyLock;

/// A word of the lexicon. Words live as long as the process.
pub(crate) type Word = &'static str;

/// What a word is, as anybody who reads the language knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A leaf category, with the index of its domain.
    Category { domain: usize },
    /// The name of a domain.
    Domain,
    /// A value of an attribute axis (of one or several domains).
    Attribute,
    /// A colour.
    Colour,
    /// A size, of whatever kind the domain uses.
    Size,
    /// A brand.
    Brand,
    /// A merchant's flourish without information.
    Flourish,
    /// A price in yuan.
    Price(u32),
    /// The number of a row on a result page, from 1.
    Row(usize),
    /// Turns that remain.
    Remaining(u32),
    /// Verbs, markers, leads, reasons.
    Phrase,
}

struct Lexicon {
    words: Vec<Word>,
    class: HashMap<Word, Class>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon { words: Vec::new(), class: HashMap::new() };
    let mut add = |word: Word, class: Class| {
        if lexicon.class.insert(word, class).is_none() {
            lexicon.words.push(word);
        }
    };
    for word in phrase::ALL {
        add(word, Class::Phrase);
    }
    for (index, word) in vocabulary::ROWS.iter().enumerate() {
        add(word, Class::Row(index + 1));
    }
    for (index, word) in vocabulary::REMAINING.iter().enumerate() {
        add(word, Class::Remaining(index as u32 + 1));
    }
    for (yuan, word) in vocabulary::PRICES {
        add(word, Class::Price(yuan));
    }
    for word in vocabulary::COLOURS {
        add(word, Class::Colour);
    }
    for word in vocabulary::FLOURISHES {
        add(word, Class::Flourish);
    }
    for word in vocabulary::BRANDS {
        add(word, Class::Brand);
    }
    for (domain, description) in vocabulary::DOMAINS.iter().enumerate() {
        add(description.name, Class::Domain);
        for word in description.categories {
            add(word, Class::Category { domain });
        }
        for word in description.sizes {
            add(word, Class::Size);
        }
        for word in description.axes.iter().flatten() {
            add(word, Class::Attribute);
        }
    }
    lexicon
});

/// Every word that must be one token, in a fixed order: verbs and markers, row numbers, turn counters, price steps,
/// colours, brands, and the words of each domain. About 500 words; no duplicates.
#[must_use]
pub fn lexicon() -> Vec<String> {
    LEXICON.words.iter().map(|word| (*word).to_owned()).collect()
}

/// All words, as [`lexicon`], without copying them.
pub(crate) fn words() -> &'static [Word] {
    &LEXICON.words
}

/// The class of a word; `None` if it is not in the lexicon.
pub(crate) fn class(word: &str) -> Option<Class> {
    LEXICON.class.get(word).copied()
}

/// The lexicon's own copy of `text`, if it is a word.
pub(crate) fn word(text: &str) -> Option<Word> {
    LEXICON.class.get_key_value(text).map(|(&word, _)| word)
}

/// The attribute axis of `domain` to which `word` belongs.
pub(crate) fn axis(domain: usize, word: &str) -> Option<usize> {
    vocabulary::DOMAINS.get(domain)?.axes.iter().position(|axis| axis.contains(&word))
}

#[cfg(test)]
mod tests;
