//! Whether a model said what it was to say, and nothing else.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use thiserror::Error;

use super::{Remark, Tone};
use crate::mall::catalog::Catalog;
use crate::mall::task::Topic;

/// Longest sentence, in characters.
const LONGEST: usize = 80;
/// What a sentence that refers to habits holds one of.
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
/// What a sentence that objects holds one of, and one that agrees none.
const NO: [&str; 5] = ["不", "别", "没", "先等", "等等"];
/// What a sentence that agrees holds one of; those that none may hold that objects.
const YES: [&str; 8] = ["可以", "行", "好", "就这", "就要这", "没问题", "满意", "买吧"];
const SURELY_YES: [&str; 5] = ["没问题", "就这个", "就要这", "买吧", "很满意"];
/// Numbers in words, before a unit of money.
const NUMERALS: &str = "零一二两三四五六七八九十百千万";
const MONEY: [char; 2] = ['元', '块'];

/// Why words of a model are not said.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// There are none.
    #[error("it says nothing")]
    Empty,
    /// There are too many, or several lines.
    #[error("it is {0} characters or several lines; one line of at most 80 is a shopper's answer")]
    Long(usize),
    /// A wish was left out.
    #[error("it leaves out {0:?}")]
    Omits(String),
    /// Something was said that was not to be said: not asked for, or made up.
    #[error("it says {0:?}, which is not to be said")]
    Leaks(String),
    /// It agrees where it was to object, or the other way round.
    #[error("it says the opposite of what is meant")]
    Turned,
}

/// The words in which things of one leaf differ: values of attributes and options, and brands.
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
        // Fails for more patterns than memory holds; then nothing is fit, and the rules speak.
        let finder =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&words).ok();
        Self { words, finder }
    }

    /// See [`super::Cue::check`]; `own`: what the shopper said before.
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
        // A single character is part of many words that mean something else.
        let strange =
            said.difference(&known).find(|it| it.chars().nth(1).is_some() || is_number(it));
        if let Some(strange) = strange {
            return Err(Unfit::Leaks(strange.clone()));
        }
        check_tone(words, remark)
    }

    /// The facts that a sentence names: words of the leaf and numbers.
    fn facts(&self, sentence: &str) -> Result<BTreeSet<String>, Unfit> {
        let finder = self.finder.as_ref().ok_or(Unfit::Empty)?;
        let mut facts: BTreeSet<String> = finder
            .find_iter(sentence)
            .map(|it| self.words[it.pattern().as_usize()].clone())
            .collect();
        // What is part of a word of the leaf, as in 256G, is told by the word.
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

/// 三百元 and the like.
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
        Tone::Tells => true,
        Tone::Agrees => any(&YES) && !any(&NO) || words.contains("没问题"),
        Tone::Objects => any(&NO) && !any(&SURELY_YES),
    };
    if !kept {
        return Err(Unfit::Turned);
    }
    if remark.tone == Tone::Tells {
        return Ok(());
    }
    // Which topics are wrong is the message; no more of them, and no fewer.
    for topic in Topic::names() {
        match (remark.words.contains(topic), words.contains(topic)) {
            (true, false) => return Err(Unfit::Omits(topic.to_owned())),
            (false, true) => return Err(Unfit::Leaks(topic.to_owned())),
            _ => {}
        }
    }
    Ok(())
}
