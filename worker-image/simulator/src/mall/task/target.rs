//! Draws goals from the catalog: facts of one product, or facts that no product has together.

use shoprl_rl::seed::Stream;

use super::Goal;
use crate::draw;
use crate::mall::catalog::{Catalog, Fact, Product, Selection};
use crate::task::Split;

/// Share of tasks that no product satisfies.
const NOTHING_FITS: f64 = 0.03;
const WITH_BRAND: f64 = 0.25;
/// Probability that all options are wanted, not just one.
const ALL_OPTIONS: f64 = 0.95;
/// Probability that a budget is a step above the next round number.
const LOOSE_BUDGET: f64 = 0.1;
/// Numbers of wanted attributes; each entry is equally likely. Products with fewer attributes have all of them wanted.
const ATTRIBUTES: [usize; 3] = [2, 2, 3];
/// Minimum number of products that miss a goal in exactly one fact. With fewer, the target is unlike all other products, and
/// the first search result is often right.
const NEAR_MISSES: usize = 3;
/// Goals tried per product before another product is drawn.
const ATTEMPTS: usize = 8;
/// Products tried before near misses are no longer required; after twice as many, any goal is accepted. Imported catalogs
/// may have products that are all different, or too many that are alike.
const MOST_TRIED: usize = 500;

/// Draws a goal from a product whose family is in `split`.
pub(super) fn draw(catalog: &Catalog, split: Split, stream: &mut Stream) -> Goal {
    let nothing_fits = stream.bernoulli(NOTHING_FITS);
    let mut tried = 0;
    // Terminates: a catalog has products that can be wanted in both splits.
    loop {
        let product = catalog.at(stream.below(catalog.len() as u64) as u32);
        let held_out = catalog.is_held_out(product.family());
        if held_out != (split == Split::HeldOut) || !product.can_be_wanted() {
            continue;
        }
        tried += 1;
        let near_misses = if tried > MOST_TRIED { 0 } else { NEAR_MISSES };
        let goal = narrow_goal_of(catalog, &product, near_misses, stream);
        if tried > 2 * MOST_TRIED {
            return goal.unwrap_or_else(|| goal_of(catalog, &product, stream));
        }
        let Some(goal) = goal else {
            continue;
        };
        if !nothing_fits {
            return goal;
        }
        let goal = with_a_wrong_attribute(goal, catalog, stream);
        if let Some(goal) = goal.filter(|goal| !goal.is_met_in(catalog)) {
            return Goal { fits: false, ..goal };
        }
    }
}

/// A goal that only this product meets and that `near_misses` others miss by one fact; `None` if none is found soon.
fn narrow_goal_of(
    catalog: &Catalog,
    product: &Product<'_>,
    near_misses: usize,
    stream: &mut Stream,
) -> Option<Goal> {
    (0..ATTEMPTS).map(|_| goal_of(catalog, product, stream)).find(|goal| {
        let mut near = 0;
        for other in catalog.in_leaf(goal.leaf).filter(|other| other.id != product.id) {
            match goal.misses(&other) {
                0 => return false,
                1 => near += 1,
                _ => {}
            }
        }
        near >= near_misses
    })
}

fn goal_of(catalog: &Catalog, product: &Product<'_>, stream: &mut Stream) -> Goal {
    let facts = draw_facts(catalog, product, stream);
    let brand = stream.bernoulli(WITH_BRAND).then_some(product.brand_id());
    let selection = draw_selection(product, stream);
    let fen = product.offer(&selection).unwrap_or_else(|| product.listed_price());
    Goal {
        leaf: product.leaf(),
        facts,
        brand,
        options: product.chosen(&selection),
        budget: budget(fen, stream),
        fits: true,
        target: product.id,
    }
}

/// Draws some of the attributes. If possible, at least one is not in the title, so that agents must read pages.
fn draw_facts(catalog: &Catalog, product: &Product<'_>, stream: &mut Stream) -> Vec<Fact> {
    let count = draw::pick(stream, &ATTRIBUTES);
    let all: Vec<Fact> = product.facts().collect();
    let mut facts = draw::sample(stream, &all, count);
    let hidden = |fact: &Fact| !product.title().contains(catalog.word(fact.value));
    if !facts.iter().any(hidden) {
        let unseen: Vec<Fact> = all.into_iter().filter(hidden).collect();
        if let Some(fact) = stream.choose(&unseen) {
            facts[0] = *fact;
            stream.shuffle(&mut facts);
        }
    }
    facts
}

/// Draws the options of a variant in stock: one or all of them.
fn draw_selection(product: &Product<'_>, stream: &mut Stream) -> Selection {
    let sizes: Vec<usize> = product.axes().map(|(_, values)| values.len()).collect();
    let in_stock: Vec<usize> = product
        .variants()
        .enumerate()
        .filter(|(_, (_, stock))| *stock > 0)
        .map(|(variant, _)| variant)
        .collect();
    let mut variant = draw::pick(stream, &in_stock);
    let mut selection: Selection = sizes
        .iter()
        .rev()
        .map(|size| {
            let position = variant % size;
            variant /= size;
            Some(position)
        })
        .collect();
    selection.reverse();
    if !stream.bernoulli(ALL_OPTIONS) {
        let kept = draw::index(stream, selection.len());
        let open = selection.iter_mut().enumerate().filter(|(axis, _)| *axis != kept);
        open.for_each(|(_, position)| *position = None);
    }
    selection
}

/// Budget in yuan: a round number at or above the price.
fn budget(fen: u32, stream: &mut Stream) -> u32 {
    let yuan = fen.div_ceil(100);
    let step = match yuan {
        0..50 => 5,
        50..200 => 10,
        200..1_000 => 50,
        1_000..5_000 => 100,
        _ => 500,
    };
    yuan.div_ceil(step) * step + step * u32::from(stream.bernoulli(LOOSE_BUDGET))
}

/// The goal with one attribute replaced by another of its axis that occurs in the leaf.
fn with_a_wrong_attribute(mut goal: Goal, catalog: &Catalog, stream: &mut Stream) -> Option<Goal> {
    let position = draw::index(stream, goal.facts.len());
    let current = goal.facts[position];
    let mut others: Vec<Fact> = catalog
        .in_leaf(goal.leaf)
        .flat_map(|product| product.facts())
        .filter(|fact| fact.axis == current.axis && !goal.facts.contains(fact))
        .collect();
    others.sort_unstable();
    others.dedup();
    goal.facts[position] = *stream.choose(&others)?;
    Some(goal)
}
