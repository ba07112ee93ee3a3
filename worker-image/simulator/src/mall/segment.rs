//! Cuts text into the words of a catalog.

use std::collections::HashMap;

/// The words of a catalog, by their first characters.
#[derive(Debug)]
pub(super) struct Segmenter {
    /// Longest first.
    by_first: HashMap<char, Vec<Box<str>>>,
    /// Shorter words inside a word: a search for 乳胶 also means 泰国乳胶.
    parts: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Segmenter {
    pub(super) fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut by_first: HashMap<char, Vec<Box<str>>> = HashMap::new();
        let mut all: Vec<&str> = Vec::new();
        for word in words {
            let Some(first) = word.chars().next() else {
                continue;
            };
            by_first.entry(first).or_default().push(word.into());
            all.push(word);
        }
        for words in by_first.values_mut() {
            words.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
            words.dedup();
        }
        let mut segmenter = Self { by_first, parts: HashMap::new() };
        let parts = all.iter().filter_map(|word| {
            let parts = segmenter.contained(word);
            (!parts.is_empty()).then(|| (Box::from(*word), parts))
        });
        segmenter.parts = parts.collect();
        segmenter
    }

    /// The terms of `text`: the longest words from left to right, each followed by the words inside it. Other runs of ASCII
    /// letters and digits stay whole; other characters are skipped.
    pub(super) fn terms<'a>(&'a self, text: &'a str) -> Vec<&'a str> {
        let mut terms = Vec::with_capacity(text.len() / 5);
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = if let Some(word) = self.longest(rest, first) {
                terms.push(word);
                terms.extend(self.parts.get(word).into_iter().flatten().map(|part| &**part));
                word.len()
            } else if first.is_ascii_alphanumeric() {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                terms.push(&rest[..end]);
                end
            } else {
                first.len_utf8()
            };
            rest = &rest[length..];
        }
        terms
    }

    fn longest(&self, text: &str, first: char) -> Option<&str> {
        self.by_first.get(&first)?.iter().map(|word| &**word).find(|word| text.starts_with(word))
    }

    /// Words of at least two characters inside `word`, the longest at each place.
    fn contained(&self, word: &str) -> Vec<Box<str>> {
        let mut parts: Vec<Box<str>> = Vec::new();
        for (at, first) in word.char_indices() {
            let within = self.by_first.get(&first).into_iter().flatten().find(|part| {
                part.len() < word.len()
                    && part.chars().nth(1).is_some()
                    && word[at..].starts_with(&***part)
            });
            if let Some(part) = within.filter(|part| !parts.contains(part)) {
                parts.push(part.clone());
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_into_the_longest_words_and_what_they_contain() {
        let words = ["乳胶", "泰国乳胶", "泰国", "枕头", "乳胶枕", "胶", "500ml"];
        let segmenter = Segmenter::new(words.into_iter());
        for (text, expected) in [
            ("泰国乳胶枕头", &["泰国乳胶", "泰国", "乳胶", "枕头"][..]),
            ("想要乳胶枕，枕头", &["乳胶枕", "乳胶", "枕头"]),
            ("500ml abc12胶", &["500ml", "abc12", "胶"]),
            ("泰山", &[]),
            ("", &[]),
        ] {
            assert_eq!(segmenter.terms(text), expected, "{text}");
        }
    }
}
