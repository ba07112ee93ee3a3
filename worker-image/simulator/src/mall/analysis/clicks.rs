//! Rules over rows and options: stated facts against the facts that the row or page shows.

use std::collections::BTreeSet;

use super::episode::Episode;
use super::stated::Stated;
use super::{Fault, Finding};
use crate::mall::action::Action;
use crate::mall::catalog::{Catalog, Fact, Product};
use crate::mall::page::TAGS;
use crate::mall::storefront::Visit;

/// One finding for each product opened and each option chosen against a stated fact.
pub(super) fn findings(episode: &Episode<'_>) -> Vec<Finding> {
    let mut opened = BTreeSet::new();
    let mut findings = Vec::new();
    for (at, action, moment) in episode.accepted() {
        let Some(visit) = moment.after.visit() else {
            continue;
        };
        let broken = match action {
            Action::Open(_) if opened.insert(visit.product) => {
                row(episode, &moment.stated, &episode.mall.catalog.at(visit.product))
            }
            Action::Choose(value) => option(episode, &moment.stated, visit, value),
            _ => None,
        };
        findings.extend(broken.map(|words| Finding {
            fault: Fault::ClickBreaksConstraint,
            action: at,
            words,
        }));
    }
    findings
}

/// How a row contradicts a stated fact: brand, price, or one of the attributes after the title.
fn row(episode: &Episode<'_>, stated: &Stated, product: &Product<'_>) -> Option<String> {
    let goal = &episode.goal;
    if let Some(brand) = goal.brand.filter(|it| stated.brand && product.brand_id() != *it) {
        let (wanted, shown) = (episode.word(brand), product.brand());
        return Some(format!("opens a row of brand {shown}; stated: {wanted}"));
    }
    if stated.budget && product.listed_price() > goal.budget_fen() {
        return Some(format!("opens a row above the budget of {} yuan", goal.budget));
    }
    let catalog = &episode.mall.catalog;
    let contradicted = stated.facts.iter().find_map(|&wanted| {
        let mut shown = product.facts().take(TAGS);
        let rival = shown.find(|it| it.axis == wanted.axis && it.value != wanted.value)?;
        let excludes = !product.has_fact(wanted) && has_one_value(catalog, goal.leaf, wanted);
        excludes.then_some((rival, wanted))
    });
    contradicted.map(|(rival, wanted)| {
        format!("opens a row with {}; stated: {}", episode.name_of(rival), episode.name_of(wanted))
    })
}

/// Whether no product of `leaf` has several values of the axis of `fact`, so that one value excludes another.
fn has_one_value(catalog: &Catalog, leaf: u32, fact: Fact) -> bool {
    let values = |product: Product<'_>| product.facts().filter(|it| it.axis == fact.axis).count();
    catalog.in_leaf(leaf).all(|product| values(product) <= 1)
}

/// A chosen value of an axis with another stated value.
fn option(episode: &Episode<'_>, stated: &Stated, visit: &Visit, value: &str) -> Option<String> {
    let product = episode.mall.catalog.at(visit.product);
    let (axis, _) = product.find_option(value)?;
    let (axis, _) = product.axes().nth(axis)?;
    let wanted = stated.options.iter().find(|it| it.axis == axis)?;
    (episode.word(wanted.value) != value).then(|| {
        format!("chooses {}:{value}; stated: {}", episode.word(axis), episode.name_of(*wanted))
    })
}
