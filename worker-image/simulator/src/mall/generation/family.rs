//! Families: a prototype, and members that differ from it in one to three of brand, attributes, options and price.

use shoprl_rl::seed::Stream;

use super::item::Item;
use super::{Names, price, title};
use crate::draw;
use crate::mall::vocabulary::{Leaf, Vocabulary};

/// Weights of 1 to 8 attributes per product; the mean is 4.5.
const ATTRIBUTES: [u64; 8] = [5, 11, 17, 19, 18, 13, 9, 8];
/// Maximum number of values of a multi-valued axis per product.
const SEVERAL: usize = 3;
/// Number of facts in which a member differs from the prototype; each entry is equally likely.
const DIFFERENCES: [usize; 5] = [1, 1, 2, 2, 3];
/// Probability that an option axis of the leaf is missing, as long as one remains.
const WITHOUT_AXIS: f64 = 0.15;
/// Probability that a variant is sold out.
const SOLD_OUT: f64 = 0.08;
/// Probability that the brand's own shop sells the product.
const OWN_SHOP: f64 = 0.35;

#[derive(Clone, Copy)]
enum Difference {
    Brand,
    Attribute,
    Options,
    Price,
}

/// The prototype of a family, from which each member differs.
pub(super) struct Family<'a> {
    stream: Stream,
    names: &'a Names,
    vocabulary: &'a Vocabulary,
    prototype: Item<'a>,
}

impl<'a> Family<'a> {
    pub(super) fn new(
        mut stream: Stream,
        leaf: &'a Leaf,
        names: &'a Names,
        vocabulary: &'a Vocabulary,
    ) -> Self {
        let count = 1 + weighted(&mut stream, &ATTRIBUTES);
        let prototype = Item {
            leaf,
            brand: names.brands[draw::index(&mut stream, names.brands.len())].clone(),
            shop: String::new(),
            title: String::new(),
            facts: draw_facts(&mut stream, leaf, count),
            options: draw_options(&mut stream, leaf),
            base: price::base(&mut stream, vocabulary.categories[leaf.category].price),
            variants: Vec::new(),
        };
        Self { stream, names, vocabulary, prototype }
    }

    /// The members, at most `limit`.
    pub(super) fn items(mut self, limit: usize) -> Vec<Item<'a>> {
        let count = 10 + draw::index(&mut self.stream, 9);
        (0..count.min(limit)).map(|_| self.item()).collect()
    }

    fn item(&mut self) -> Item<'a> {
        use Difference::{Attribute, Brand, Options, Price};
        let mut item = self.prototype.clone();
        let count = draw::pick(&mut self.stream, &DIFFERENCES);
        for difference in draw::sample(&mut self.stream, &[Brand, Attribute, Options, Price], count)
        {
            self.differ(&mut item, difference);
        }
        item.shop = self.shop(&item.brand);
        item.title = title::write(&mut self.stream, &item, item.leaf, self.vocabulary);
        item.variants = self.variants(&item);
        item
    }

    fn differ(&mut self, item: &mut Item<'_>, difference: Difference) {
        let stream = &mut self.stream;
        match difference {
            Difference::Brand => {
                item.brand =
                    self.names.brands[draw::index(stream, self.names.brands.len())].clone();
            }
            Difference::Attribute => differ_in_an_attribute(stream, item),
            Difference::Options => {
                let position = draw::index(stream, item.options.len());
                let axis = item.options[position].0;
                item.options[position].1 =
                    draw_values(stream, item.leaf.options[axis].values.len());
            }
            Difference::Price => item.base *= 0.8 + 0.5 * stream.uniform_f64(),
        }
    }

    fn shop(&mut self, brand: &str) -> String {
        if self.stream.bernoulli(OWN_SHOP) {
            [brand, self.vocabulary.shops[0]].concat()
        } else {
            self.names.shops[draw::index(&mut self.stream, self.names.shops.len())].clone()
        }
    }

    /// Price and stock of each variant; the last axis varies fastest.
    fn variants(&mut self, item: &Item<'_>) -> Vec<(u32, u32)> {
        let stream = &mut self.stream;
        let mut extras = vec![0.0];
        for (axis, values) in &item.options {
            let graded = item.leaf.options[*axis].graded;
            // A third of the merchants charge the same for all sizes.
            let step = if graded && !stream.bernoulli(0.33) {
                0.06 + 0.1 * stream.uniform_f64()
            } else {
                0.0
            };
            let extra: Vec<f64> = (0..values.len())
                .map(|position| {
                    position as f64 * step + if stream.bernoulli(0.2) { 0.04 } else { 0.0 }
                })
                .collect();
            extras = extras.iter().flat_map(|sum| extra.iter().map(move |it| sum + it)).collect();
        }
        let mut variants: Vec<(u32, u32)> = extras
            .iter()
            .map(|extra| {
                let stock =
                    if stream.bernoulli(SOLD_OUT) { 0 } else { 1 + stream.below(400) as u32 };
                (price::shelf(item.base * (1.0 + extra)), stock)
            })
            .collect();
        if variants.iter().all(|(_, stock)| *stock == 0) {
            variants[0].1 = 1;
        }
        variants
    }
}

fn weighted(stream: &mut Stream, weights: &[u64]) -> usize {
    let mut rest = stream.below(weights.iter().sum());
    weights
        .iter()
        .position(|weight| {
            let here = rest < *weight;
            rest = rest.saturating_sub(*weight);
            here
        })
        .unwrap_or_default()
}

/// Draws `count` facts of different axes; a multi-valued axis may occur several times.
fn draw_facts(stream: &mut Stream, leaf: &Leaf, count: usize) -> Vec<(usize, usize)> {
    let mut places: Vec<usize> = leaf
        .axes
        .iter()
        .enumerate()
        .flat_map(|(axis, it)| std::iter::repeat_n(axis, if it.several { SEVERAL } else { 1 }))
        .collect();
    stream.shuffle(&mut places);
    let mut facts = Vec::with_capacity(count);
    for &axis in places.iter().take(count) {
        facts.push((axis, fresh_value(stream, leaf, &facts, axis)));
    }
    facts.sort_unstable();
    facts
}

/// A value of `axis` that is not among `facts`.
fn fresh_value(stream: &mut Stream, leaf: &Leaf, facts: &[(usize, usize)], axis: usize) -> usize {
    let free: Vec<usize> = (0..leaf.axes[axis].values.len())
        .filter(|&value| !facts.contains(&(axis, value)))
        .collect();
    draw::pick(stream, &free)
}

fn differ_in_an_attribute(stream: &mut Stream, item: &mut Item<'_>) {
    let position = draw::index(stream, item.facts.len());
    let axis = item.facts[position].0;
    let value = fresh_value(stream, item.leaf, &item.facts, axis);
    item.facts[position].1 = value;
    item.facts.sort_unstable();
}

fn draw_options(stream: &mut Stream, leaf: &Leaf) -> Vec<(usize, Vec<usize>)> {
    let mut axes: Vec<usize> = (0..leaf.options.len()).collect();
    if axes.len() > 1 && stream.bernoulli(WITHOUT_AXIS) {
        axes.remove(draw::index(stream, leaf.options.len()));
    }
    axes.into_iter()
        .map(|axis| (axis, draw_values(stream, leaf.options[axis].values.len())))
        .collect()
}

/// Two to six values of an option axis, in the order of the table.
fn draw_values(stream: &mut Stream, available: usize) -> Vec<usize> {
    let count = 2 + draw::index(stream, available.min(6) - 1);
    let mut values = stream.sample_indices(available, count);
    values.sort_unstable();
    values
}
