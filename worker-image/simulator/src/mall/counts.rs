//! Counts the facts of the goal that a purchase has, for the formulas of the metrics.

mod published;

use super::Mall;
use super::matcher::Matcher;
use super::storefront::Visit;
use super::task::Goal;
use crate::score::Counts;
use published::{Bought, Wanted};

/// The counts of buying `visit`, with facts compared by `matcher`.
pub(super) fn counts(matcher: Matcher, mall: &Mall, goal: &Goal, visit: &Visit) -> Counts {
    let counts = by_identity(mall, goal, visit);
    match matcher {
        Matcher::Canonical => counts,
        Matcher::Published => by_similarity(mall, goal, visit, counts),
    }
}

/// The counts by identity of facts.
fn by_identity(mall: &Mall, goal: &Goal, visit: &Visit) -> Counts {
    let product = mall.catalog.at(visit.product);
    let chosen = product.chosen(&visit.selection);
    let brand = goal.brand.is_some_and(|brand| product.brand_id() == brand);
    let facts = goal.facts.iter().filter(|&&fact| product.has_fact(fact)).count();
    let options = goal.options.iter().filter(|option| chosen.contains(option)).count();
    let wanted = goal.facts.len() + usize::from(goal.brand.is_some());
    Counts {
        category: category(mall.catalog.path(goal.leaf), mall.catalog.path(product.leaf())),
        features: [wanted, facts + usize::from(brand)],
        options: [goal.options.len(), options],
        within_budget: visit.price(mall) <= goal.budget_fen(),
    }
}

/// 1 for the same leaf, one half for the same parent, 0 otherwise.
fn category(wanted: [u32; 3], bought: [u32; 3]) -> f64 {
    if wanted == bought {
        1.0
    } else if wanted[..2] == bought[..2] {
        0.5
    } else {
        0.0
    }
}

/// The counts by similarity of texts. The price is compared as in the canonical matcher: that of the chosen variant with the
/// stated budget. (The published code drew both anew in every process.)
fn by_similarity(mall: &Mall, goal: &Goal, visit: &Visit, canonical: Counts) -> Counts {
    let catalog = mall.catalog();
    let product = catalog.at(visit.product);
    let word = |id| catalog.word(id);
    let bought = Bought {
        path: catalog.path(product.leaf()).map(word),
        title: product.title(),
        attributes: product.attributes().map(|(_, value)| value).chain([product.brand()]).collect(),
        options: product.chosen(&visit.selection).iter().map(|it| word(it.value)).collect(),
    };
    let wanted = Wanted {
        path: catalog.path(goal.leaf).map(word),
        title: catalog.at(goal.target).title(),
        attributes: goal.facts.iter().map(|it| it.value).chain(goal.brand).map(word).collect(),
        options: goal.options.iter().map(|it| word(it.value)).collect(),
    };
    let terms = |title| mall.segmenter.terms(title);
    Counts {
        category: published::category(&wanted, &bought, terms),
        features: [wanted.attributes.len(), published::attributes(&wanted, &bought)],
        options: [wanted.options.len(), published::options(&wanted, &bought)],
        ..canonical
    }
}
