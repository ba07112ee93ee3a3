//! Titles as merchants write them: brand, praise, some of the attributes, the product type under one or two names, a scene
//! of use, and sometimes an untrue attribute.

use shoprl_rl::seed::Stream;

use super::item::Item;
use crate::draw;
use crate::mall::vocabulary::{Leaf, Vocabulary};

/// Maximum title length in characters.
const LONGEST: usize = 32;
const WITH_BRAND: f64 = 0.75;
const WITH_FLOURISH: f64 = 0.5;
/// Probability that an attribute appears in the title.
const VISIBLE: f64 = 0.6;
/// Probability that the product type appears under another name first.
const BY_ALIAS: f64 = 0.2;
const WITH_SECOND_NAME: f64 = 0.4;
const WITH_SCENE: f64 = 0.6;
/// Probability that a title claims a random attribute value, which may be untrue.
const UNTRUE: f64 = 0.2;

/// Writes the title of `item`.
pub(super) fn write(
    stream: &mut Stream,
    item: &Item<'_>,
    leaf: &Leaf,
    vocabulary: &Vocabulary,
) -> String {
    let mut words: Vec<&str> = Vec::new();
    if stream.bernoulli(WITH_BRAND) {
        words.push(&item.brand);
    }
    if stream.bernoulli(WITH_FLOURISH) {
        words.push(draw::pick(stream, &vocabulary.flourishes));
    }
    let mut claims: Vec<&str> = item.facts().map(|(_, value)| value).collect();
    claims.retain(|_| stream.bernoulli(VISIBLE));
    if stream.bernoulli(UNTRUE) {
        let axis = &leaf.axes[draw::index(stream, leaf.axes.len())];
        let claim = draw::pick(stream, &axis.values);
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    stream.shuffle(&mut claims);
    let mut names = vec![leaf.name];
    names.extend(&leaf.aliases);
    let first = if stream.bernoulli(BY_ALIAS) { draw::index(stream, names.len()) } else { 0 };
    let name = names.remove(first);
    let half = claims.len().div_ceil(2);
    words.extend(&claims[..half]);
    words.push(name);
    words.extend(&claims[half..]);
    if stream.bernoulli(WITH_SCENE) {
        let scenes = &vocabulary.categories[leaf.category].scenes;
        words.push(draw::pick(stream, scenes));
    }
    if stream.bernoulli(WITH_SECOND_NAME) && !names.is_empty() {
        words.push(draw::pick(stream, &names));
    }
    fitted(&words)
}

/// The concatenated words, without those that exceed the maximum length.
fn fitted(words: &[&str]) -> String {
    let mut title = String::new();
    let mut length = 0;
    for word in words {
        let characters = word.chars().count();
        if length + characters <= LONGEST {
            title.push_str(word);
            length += characters;
        }
    }
    title
}
