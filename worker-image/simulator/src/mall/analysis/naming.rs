//! Finds the words that a text names.

use std::collections::BTreeSet;

/// The words of `known` that `text` names: the longest at each place, from left to right. A word inside a longer one is not
/// named. Words that are split or paraphrased are not recognised.
pub(super) fn named<'w>(text: &str, known: &[&'w str]) -> BTreeSet<&'w str> {
    let mut named = BTreeSet::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let here = known.iter().filter(|word| !word.is_empty() && rest.starts_with(**word));
        let length = match here.max_by_key(|word| word.len()) {
            Some(word) => {
                named.insert(*word);
                word.len()
            }
            None => first.len_utf8(),
        };
        rest = &rest[length..];
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_within_a_longer_one_is_not_named() {
        let known = ["乳胶", "乳胶枕", "泰国乳胶", "500ml", ""];
        for (text, expected) in [
            ("乳胶枕 500ml", &["500ml", "乳胶枕"][..]),
            ("泰国乳胶的乳胶枕", &["乳胶枕", "泰国乳胶"]),
            ("乳胶乳胶枕头", &["乳胶", "乳胶枕"]),
            ("乳 胶", &[]),
            ("", &[]),
        ] {
            assert_eq!(named(text, &known).into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
