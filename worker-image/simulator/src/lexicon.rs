//! The closed vocabulary of the shop: all its output is a sequence of these words, without spaces.
//!
//! One word is one token of the policy, so the list is short and its order is fixed (it determines the token ids). No word
//! followed by another can be read as a longer word, so longest match recovers exactly the printed words.

pub(crate) mod phrase;
mod segmentation;
pub(crate) mod vocabulary;

pub(crate) use segmentation::known_words;
pub use segmentation::segment;

use std::collections::HashMap;
use std::sync::LazyLock;

/// A word of the lexicon.
pub(crate) type Word = &'static str;

/// The class of a word, as a reader of the language knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A leaf category, with the index of its domain.
    Category {
        domain: usize,
    },
    /// The name of a domain.
    Domain,
    /// A value of an attribute axis, of one or several domains.
    Attribute,
    /// A colour.
    Colour,
    /// A size, in the unit of its domain.
    Size,
    Brand,
    /// A merchant's flourish, which carries no information.
    Flourish,
    /// A price in yuan.
    Price(u32),
    /// The number of a row on a result page, from 1.
    Row(usize),
    /// A number of remaining turns.
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

/// Every word that must be one token, in a fixed order: verbs and markers, row numbers, turn counters, prices, colours,
/// brands, and the words of each domain. About 500 words without duplicates.
#[must_use]
pub fn lexicon() -> Vec<String> {
    LEXICON.words.iter().map(|word| (*word).to_owned()).collect()
}

/// All words, like [`lexicon`], without copying.
pub(crate) fn words() -> &'static [Word] {
    &LEXICON.words
}

/// The class of a word; `None` if it is not in the lexicon.
pub(crate) fn class(word: &str) -> Option<Class> {
    LEXICON.class.get(word).copied()
}

/// The lexicon's static copy of `text`, if it is a word.
pub(crate) fn word(text: &str) -> Option<Word> {
    LEXICON.class.get_key_value(text).map(|(&word, _)| word)
}

/// The attribute axis of `domain` that contains `word`.
pub(crate) fn axis(domain: usize, word: &str) -> Option<usize> {
    vocabulary::DOMAINS.get(domain)?.axes.iter().position(|axis| axis.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lexicon_has_no_duplicates_and_stays_small() {
        let words = lexicon();
        let mut unique = words.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), words.len());
        assert!((450..=650).contains(&words.len()), "{} words", words.len());
    }

    #[test]
    fn a_word_has_one_class_wherever_it_is_listed() {
        for domain in &vocabulary::DOMAINS {
            for (axis, values) in domain.axes.iter().enumerate() {
                for value in values {
                    assert_eq!(class(value), Some(Class::Attribute), "{value}");
                    let elsewhere = domain.axes.iter().skip(axis + 1).flatten();
                    assert!(!elsewhere.into_iter().any(|other| other == value), "{value}");
                }
            }
            for size in domain.sizes {
                assert_eq!(class(size), Some(Class::Size), "{size}");
            }
            for category in domain.categories {
                assert!(matches!(class(category), Some(Class::Category { .. })), "{category}");
            }
        }
    }

    /// If `long` starts with `short`, the rest of `long` must not be the beginning of any following word.
    #[test]
    fn no_two_neighbours_can_be_read_as_a_longer_word() {
        for long in words() {
            for short in words() {
                let Some(rest) = long.strip_prefix(short) else {
                    continue;
                };
                if rest.is_empty() {
                    continue;
                }
                for next in words() {
                    assert!(
                        !next.starts_with(rest) && !rest.starts_with(next),
                        "{short} before {next} could be read as {long}"
                    );
                }
            }
        }
    }

    #[test]
    fn prices_rise() {
        for (yuan, word) in vocabulary::PRICES {
            assert_eq!(word, format!("¥{yuan}"));
        }
        assert!(vocabulary::PRICES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn segmentation_gives_back_the_text() {
        for (text, expected) in [
            ("搜索枕头¥199", vec!["搜索", "枕头", "¥199"]),
            ("打开#10", vec!["打开", "#10"]),
            ("选择食品级品牌x", vec!["选择", "食品级", "品牌", "x"]),
            ("", vec![]),
        ] {
            assert_eq!(segment(text), expected);
        }
    }
}
