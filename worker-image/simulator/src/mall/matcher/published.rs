//! The fuzzy formulas of WebShop (Yao et al., 2022) and ShopSimulator (arXiv 2601.18225), as published in their code.
//!
//! * category: 1 if two nodes of the paths are the same, or the titles share more than a fifth of the wanted title's
//!   words; 0.5 otherwise (WebShop goes on to 0.1 and 0 for titles that share next to nothing, ShopSimulator does not);
//! * attribute: `token_set_ratio` above 85 with one of the product's, or contained in its title;
//! * option: `token_set_ratio` above 85 with one that was chosen.
//!
//! What differs: nouns are told by spaCy there, here the words of the catalog stand for them; the shortcut for equal
//! search strings is left out (they were empty on both sides, so every purchase was of the right category); names of
//! colours are not reduced to basic colours.
//!
//! Known false passes, each with a test: a text with one word more or less (500ml, 500ml*2瓶); a claim in the title; any
//! leaf of the same category; any thing whose title shares more than a fifth of the words; half for whatever is bought.
//! Known false fails: 护颈 for 护颈椎, since text is cut at spaces and punctuation alone.

use rapidfuzz::fuzz;
use std::collections::BTreeSet;

/// The least likeness that passes, exclusive, in percent.
const LIKE: u32 = 85;

/// What a goal says, in texts.
pub(super) struct Wanted<'a> {
    pub(super) path: [&'a str; 3],
    /// Of the product from which the goal was drawn.
    pub(super) title: &'a str,
    pub(super) attributes: Vec<&'a str>,
    pub(super) options: Vec<&'a str>,
}

/// What was bought, in texts.
pub(super) struct Bought<'a> {
    pub(super) path: [&'a str; 3],
    pub(super) title: &'a str,
    pub(super) attributes: Vec<&'a str>,
    /// Those that were chosen.
    pub(super) options: Vec<&'a str>,
}

/// R_category; `terms` cuts a title into words.
pub(super) fn category<'t>(
    wanted: &Wanted<'t>,
    bought: &Bought<'t>,
    terms: impl Fn(&'t str) -> Vec<&'t str>,
) -> f64 {
    let nodes: BTreeSet<&str> = wanted.path.into_iter().collect();
    let shared = bought.path.iter().collect::<BTreeSet<_>>();
    let shared = shared.into_iter().filter(|node| nodes.contains(**node)).count();
    let goal: BTreeSet<&str> = terms(wanted.title).into_iter().collect();
    let title: BTreeSet<&str> = terms(bought.title).into_iter().collect();
    let overlap = goal.intersection(&title).count();
    // Without words to compare, the titles are just not alike enough.
    let alike = !goal.is_empty() && overlap as f64 / goal.len() as f64 > 0.2;
    if shared >= 2 || alike { 1.0 } else { 0.5 }
}

/// How many of the wanted attributes pass.
pub(super) fn attributes(wanted: &Wanted<'_>, bought: &Bought<'_>) -> usize {
    let title = bought.title.to_lowercase();
    let passes = |attribute: &&&str| {
        bought.attributes.iter().any(|it| token_set_ratio(it, attribute) > LIKE)
            || title.contains(&attribute.to_lowercase())
    };
    wanted.attributes.iter().filter(passes).count()
}

/// How many of the wanted options pass.
pub(super) fn options(wanted: &Wanted<'_>, bought: &Bought<'_>) -> usize {
    let passes =
        |option: &&&str| bought.options.iter().any(|it| token_set_ratio(it, option) > LIKE);
    wanted.options.iter().filter(passes).count()
}

/// thefuzz's `token_set_ratio`, in percent: letters and digits in lower case, cut everywhere else; the words that both
/// have against these and the rest of each, the best of three ratios.
fn token_set_ratio(a: &str, b: &str) -> u32 {
    let [first, second] = [a, b].map(processed);
    let [first, second] = [&first, &second].map(|text| text.split(' ').filter(|it| !it.is_empty()));
    let [first, second]: [BTreeSet<&str>; 2] = [first.collect(), second.collect()];
    if first.is_empty() || second.is_empty() {
        return 0;
    }
    let joined = |words: &[&str]| words.join(" ");
    let both: Vec<&str> = first.intersection(&second).copied().collect();
    let rests = [first.difference(&second), second.difference(&first)];
    let rests: [Vec<&str>; 2] = rests.map(|rest| rest.copied().collect());
    if !both.is_empty() && rests.iter().any(Vec::is_empty) {
        return 100;
    }
    let wholes = [&rests[0], &rests[1]].map(|rest| joined(&[&both[..], rest].concat()));
    let both = joined(&both);
    let ratio = |a: &str, b: &str| fuzz::ratio(a.chars(), b.chars());
    let mut best = ratio(&wholes[0], &wholes[1]);
    if !both.is_empty() {
        best = best.max(ratio(&both, &wholes[0])).max(ratio(&both, &wholes[1]));
    }
    // Between 0 and 100.
    (100.0 * best).round() as u32
}

fn processed(text: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() || c == '_' { c } else { ' ' };
    text.chars().map(letter).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests;
