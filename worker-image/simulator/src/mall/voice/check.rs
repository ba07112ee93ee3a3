//! Checks that a model says the remark and nothing else.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use thiserror::Error;

use super::{Remark, Tone};
use crate::mall::catalog::Catalog;
use crate::mall::task::Topic;

/// Maximum length of a sentence in characters.
const LONGEST: usize = 80;
/// A sentence that refers to habits must contain one of these words.
const HABIT: [&str; 12] = [
    "以往",
    "以前",
    "平时",
    "习惯",
    "老样子",
    "记录",
    "从前",
    "过往",
    "往常",
    "之前",
    "一直",
    "照旧",
];
/// An objection must contain one of these words; an agreement must contain none.
const NO: [&str; 5] = ["不", "别", "没", "先等", "等等"];
/// An agreement must contain one of [`YES`]; an objection must contain none of [`SURELY_YES`].
const YES: [&str; 8] = ["可以", "行", "好", "就这", "就要这", "没问题", "满意", "买吧"];
const SURELY_YES: [&str; 5] = ["没问题", "就这个", "就要这", "买吧", "很满意"];
/// Digits in words, as they appear before a unit of money.
const NUMERALS: &str = "零一二两三四五六七八九十百千万";
const MONEY: [char; 2] = ['元', '块'];

/// Why a model's words are not used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// The answer is empty.
    #[error("it says nothing")]
    Empty,
    /// The answer is too long, or has several lines.
    #[error(
        "it has {0} characters or several lines; an answer is one line of at most 80 characters"
    )]
    Long(usize),
    /// A required fact is missing.
    #[error("it leaves out {0:?}")]
    Omits(String),
    /// The answer contains a fact that was not asked for, or that is made up.
    #[error("it says {0:?}, which is not part of the answer")]
    Leaks(String),
    /// The answer agrees where it must object, or the reverse.
    #[error("it says the opposite of the answer")]
    Turned,
}

/// The words in which products of one leaf differ: attribute values, option values and brands.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    words: Vec<String>,
    finder: Option<AhoCorasick>,
}

impl Vocabulary {
    pub(super) fn of(catalog: &Catalog, leaf: u32) -> Self {
        let mut words = BTreeSet::new();
        for product in catalog.in_leaf(leaf) {
            words.insert(product.brand());
            words.extend(product.attributes().map(|(_, value)| value));
            words.extend(product.options().flat_map(|(_, values)| values));
        }
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        // Fails if the patterns exceed memory. Then no words are fit, and the rules speak.
        let finder =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&words).ok();
        Self { words, finder }
    }

    /// See [`super::Cue::check`]. `own` are the shopper's earlier sentences.
    pub(super) fn check<'a>(
        &self,
        words: &str,
        remark: &Remark,
        own: impl Iterator<Item = &'a str>,
    ) -> Result<(), Unfit> {
        let length = words.chars().count();
        if words.trim().is_empty() {
            return Err(Unfit::Empty);
        }
        if length > LONGEST || words.chars().any(char::is_control) {
            return Err(Unfit::Long(length));
        }
        let (said, meant) = (self.facts(words)?, self.facts(&remark.words)?);
        if let Some(omitted) = meant.iter().find(|it| !said.contains(*it)) {
            return Err(Unfit::Omits(omitted.clone()));
        }
        if remark.habit && !HABIT.iter().any(|it| words.contains(it)) {
            return Err(Unfit::Omits("以往的习惯".to_owned()));
        }
        let mut known = meant;
        for sentence in own {
            known.extend(self.facts(sentence)?);
        }
        // Single characters are ignored, because they are part of many unrelated words.
        let strange =
            said.difference(&known).find(|it| it.chars().nth(1).is_some() || is_number(it));
        if let Some(strange) = strange {
            return Err(Unfit::Leaks(strange.clone()));
        }
        check_tone(words, remark)
    }

    /// The facts in a sentence: words of the leaf and numbers.
    fn facts(&self, sentence: &str) -> Result<BTreeSet<String>, Unfit> {
        let finder = self.finder.as_ref().ok_or(Unfit::Empty)?;
        let mut facts: BTreeSet<String> = finder
            .find_iter(sentence)
            .map(|it| self.words[it.pattern().as_usize()].clone())
            .collect();
        // A number inside a word of the leaf, as in 256G, is part of that word.
        let mut rest = finder.replace_all(sentence, &vec![" "; self.words.len()]);
        rest.retain(|letter| letter != ',');
        facts.extend(
            rest.split(|letter: char| !letter.is_ascii_digit())
                .filter(|it| !it.is_empty())
                .map(str::to_owned),
        );
        facts.extend(sums_in_words(&rest));
        Ok(facts)
    }
}

fn is_number(fact: &str) -> bool {
    fact.starts_with(|letter: char| letter.is_ascii_digit() || NUMERALS.contains(letter))
}

/// Amounts of money in words, such as 三百元.
fn sums_in_words(sentence: &str) -> Vec<String> {
    let mut sums = Vec::new();
    let mut sum = String::new();
    for letter in sentence.chars() {
        if NUMERALS.contains(letter) {
            sum.push(letter);
            continue;
        }
        if MONEY.contains(&letter) && !sum.is_empty() {
            sums.push(sum.clone());
        }
        sum.clear();
    }
    sums
}

fn check_tone(words: &str, remark: &Remark) -> Result<(), Unfit> {
    let any = |list: &[&str]| list.iter().any(|it| words.contains(it));
    let kept = match remark.tone {
        Tone::Answers => true,
        Tone::Agrees => any(&YES) && !any(&NO) || words.contains("没问题"),
        Tone::Objects => any(&NO) && !any(&SURELY_YES),
    };
    if !kept {
        return Err(Unfit::Turned);
    }
    if remark.tone == Tone::Answers {
        return Ok(());
    }
    // The wrong topics are the content of an objection: no more of them, and no fewer.
    for topic in Topic::names() {
        match (remark.words.contains(topic), words.contains(topic)) {
            (true, false) => return Err(Unfit::Omits(topic.to_owned())),
            (false, true) => return Err(Unfit::Leaks(topic.to_owned())),
            _ => {}
        }
    }
    Ok(())
}
