//! Draws goals from the catalog: facts of one product, or facts that no product has together.

use shoprl_rl::seed::Stream;

use super::{Goal, Split};
use crate::catalog::{Catalog, Product, step_above};
use crate::draw;
use crate::lexicon::vocabulary::DOMAINS;

/// Share of tasks that no product satisfies.
const NOTHING_FITS: f64 = 0.03;
const WITH_BRAND: f64 = 0.35;
const WITH_SIZE: f64 = 0.4;
/// One in this many budgets is a step above the price.
const LOOSE_BUDGET: u64 = 3;

/// Draws a goal from a product whose family is in `split`.
pub(super) fn draw(catalog: &Catalog, split: Split, stream: &mut Stream) -> Goal {
    let nothing_fits = stream.bernoulli(NOTHING_FITS);
    loop {
        let product = catalog.product(stream.below(catalog.len() as u64) as u32);
        if catalog.is_held_out(product.family) != (split == Split::HeldOut) {
            continue;
        }
        let goal = goal_of(product, stream);
        if !nothing_fits {
            return goal;
        }
        let goal = Goal { fits: false, ..with_a_wrong_attribute(goal, stream) };
        if !goal.is_met_in(catalog) {
            return goal;
        }
    }
}

fn goal_of(product: &Product, stream: &mut Stream) -> Goal {
    let count = 2 + draw::index(stream, 2);
    let attributes = draw::sample(stream, &product.attributes, count);
    let brand = stream.bernoulli(WITH_BRAND).then_some(product.brand);
    let variant = draw_variant(product, stream);
    let wanted_axes = if stream.bernoulli(WITH_SIZE) { variant.len() } else { 1 };
    let mut selection = product.open_selection();
    selection[..wanted_axes].copy_from_slice(&variant[..wanted_axes]);
    let price = product.offer(&selection).unwrap_or_else(|| product.listed_price());
    let budget = if stream.below(LOOSE_BUDGET) == 0 { step_above(price) } else { price };
    Goal {
        category: product.category,
        attributes,
        brand,
        options: product.chosen_words(&selection),
        budget,
        fits: true,
    }
}

/// Draws a variant in stock uniformly.
fn draw_variant(product: &Product, stream: &mut Stream) -> Vec<Option<usize>> {
    loop {
        let variant: Vec<_> = product
            .options
            .iter()
            .map(|axis| Some(draw::index(stream, axis.values.len())))
            .collect();
        if product.offer(&variant).is_some() {
            return variant;
        }
    }
}

/// The goal with one attribute replaced by another of its axis.
fn with_a_wrong_attribute(mut goal: Goal, stream: &mut Stream) -> Goal {
    let position = draw::index(stream, goal.attributes.len());
    let current = goal.attributes[position];
    let domain = DOMAINS.iter().find(|domain| domain.name == goal.category.domain);
    let axis = domain.and_then(|it| it.axes.iter().find(|axis| axis.contains(&current)));
    if let Some(axis) = axis {
        goal.attributes[position] = draw::pick_other(stream, axis, current);
    }
    goal
}
