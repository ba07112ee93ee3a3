//! The fuzzy formulas of WebShop (Yao et al., 2022) and ShopSimulator (arXiv 2601.18225), as published in their code.
//!
//! * category: 1 if two nodes of the paths are equal, or the titles share more than a fifth of the target title's words; 0.5
//!   otherwise (WebShop also has 0.1 and 0 for titles that share almost nothing, ShopSimulator does not);
//! * attribute: `token_set_ratio` above 85 with one of the product's attributes, or contained in its title;
//! * option: `token_set_ratio` above 85 with one of the chosen options.
//!
//! Differences: the published code finds nouns with spaCy, this one uses the words of the catalog; its shortcut for equal
//! search strings is left out (they were empty on both sides, so every purchase had the right category); colour names are
//! not reduced to basic colours.
//!
//! Known false matches, each with a test: a text with one word more or less (500ml, 500ml*2瓶); a claim in the title; any
//! leaf of the same category; any product whose title shares more than a fifth of the words; one half for any purchase.
//! Known false mismatch: 护颈 for 护颈椎, because text is cut only at spaces and punctuation.

use std::collections::BTreeSet;

use rapidfuzz::fuzz;

/// Similarity in percent above which texts match.
const LIKE: u32 = 85;

/// The goal as texts.
pub(super) struct Wanted<'a> {
    pub(super) path: [&'a str; 3],
    /// Title of the product from which the goal was drawn.
    pub(super) title: &'a str,
    pub(super) attributes: Vec<&'a str>,
    pub(super) options: Vec<&'a str>,
}

/// The purchase as texts.
pub(super) struct Bought<'a> {
    pub(super) path: [&'a str; 3],
    pub(super) title: &'a str,
    pub(super) attributes: Vec<&'a str>,
    /// The chosen options.
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
    // Without words to compare, the titles are not similar.
    let alike = !goal.is_empty() && overlap as f64 / goal.len() as f64 > 0.2;
    if shared >= 2 || alike { 1.0 } else { 0.5 }
}

/// The number of wanted attributes that match.
pub(super) fn attributes(wanted: &Wanted<'_>, bought: &Bought<'_>) -> usize {
    let title = bought.title.to_lowercase();
    let passes = |attribute: &&&str| {
        bought.attributes.iter().any(|it| token_set_ratio(it, attribute) > LIKE)
            || title.contains(&attribute.to_lowercase())
    };
    wanted.attributes.iter().filter(passes).count()
}

/// The number of wanted options that match.
pub(super) fn options(wanted: &Wanted<'_>, bought: &Bought<'_>) -> usize {
    let passes =
        |option: &&&str| bought.options.iter().any(|it| token_set_ratio(it, option) > LIKE);
    wanted.options.iter().filter(passes).count()
}

/// thefuzz's `token_set_ratio` in percent: texts are lower-cased and cut at everything but letters and digits; the result is
/// the best of three ratios between the common words and these words with the rest of each text.
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
    // `best` is between 0 and 1.
    (100.0 * best).round() as u32
}

fn processed(text: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() || c == '_' { c } else { ' ' };
    text.chars().map(letter).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests;
