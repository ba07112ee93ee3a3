//! Rules over purchases, completed or stopped by the shopper.

use super::episode::{Episode, Moment};
use super::{Fault, Finding};
use crate::mall::action::Action;
use crate::mall::storefront::Visit;
use crate::mall::task::{Lack, Topic};
use crate::session::End;

/// A product that the shopper refused, and its faults.
struct Refused {
    product: u32,
    wrong: Wrong,
}

/// The faults of a product with the current selection.
#[derive(Debug, PartialEq)]
struct Wrong {
    /// It is another product type.
    other_type: bool,
    lacks: Vec<Lack>,
}

impl Wrong {
    fn of(episode: &Episode<'_>, visit: &Visit) -> Self {
        let other_type = episode.mall.catalog.at(visit.product).leaf() != episode.goal.leaf;
        Self { other_type, lacks: episode.goal.lacks_of(episode.mall, visit) }
    }

    fn is_nothing(&self) -> bool {
        !self.other_type && self.lacks.is_empty()
    }

    /// Whether a fault of `other` is still there.
    fn persists(&self, other: &Self) -> bool {
        (self.other_type && other.other_type)
            || self.lacks.iter().any(|lack| other.lacks.contains(lack))
    }
}

/// One error per purchase; a purchase after a refusal has priority over an unverified one. Also the implied facts that the
/// purchase lacks.
pub(super) fn findings(episode: &Episode<'_>) -> Vec<Finding> {
    let mut refused: Vec<Refused> = Vec::new();
    let mut findings = Vec::new();
    for (at, action, moment) in episode.accepted() {
        let Some(visit) = moment.before.visit() else {
            continue;
        };
        let wrong = Wrong::of(episode, visit);
        match action {
            Action::Buy => {
                let finding = |(fault, words)| Finding { fault, action: at, words };
                findings.extend(purchase(episode, moment, visit, &wrong, &refused).map(finding));
                let completed = episode.end == Some(End::Bought) && at + 1 == episode.moments.len();
                if completed {
                    findings.extend(ignored(episode, &wrong).map(finding));
                }
            }
            Action::Propose => {}
            _ => continue,
        }
        if !wrong.is_nothing() {
            refused.push(Refused { product: visit.product, wrong });
        }
    }
    findings
}

fn purchase(
    episode: &Episode<'_>,
    moment: &Moment,
    visit: &Visit,
    wrong: &Wrong,
    refused: &[Refused],
) -> Option<(Fault, String)> {
    let again = |it: &&Refused| it.product == visit.product && wrong.persists(&it.wrong);
    if refused.iter().any(|it| again(&it)) {
        let words = format!("buys a product that the shopper refused: {}", faults(episode, wrong));
        return Some((Fault::BuysAfterRefusal, words));
    }
    let stated = |lack: &&Lack| moment.stated.includes(lack);
    let lacks = wrong.lacks.iter().filter(stated).copied().collect();
    let shown = Wrong { other_type: wrong.other_type, lacks };
    let words = || format!("buys against what the pages show: {}", faults(episode, &shown));
    (!shown.is_nothing()).then(|| (Fault::BuysUnverified, words()))
}

/// The facts that the file implies and the purchase lacks.
fn ignored(episode: &Episode<'_>, wrong: &Wrong) -> Option<(Fault, String)> {
    let implied = |lack: &&Lack| match lack.fact {
        Some(fact) => episode.implied.facts.contains(&fact),
        None => lack.topic == Topic::Brand && episode.implied.brand,
    };
    let lacks: Vec<Lack> = wrong.lacks.iter().filter(implied).copied().collect();
    let ignored = Wrong { other_type: false, lacks };
    let words = || format!("buys against what the file implies: {}", faults(episode, &ignored));
    (!ignored.is_nothing()).then(|| (Fault::PersonaIgnored, words()))
}

fn faults(episode: &Episode<'_>, wrong: &Wrong) -> String {
    let lacks = wrong.lacks.iter().map(|lack| match (lack.topic, lack.fact) {
        (_, Some(fact)) => episode.name_of(fact),
        (Topic::Brand, None) => {
            format!("brand {}", episode.goal.brand.map_or("", |brand| episode.word(brand)))
        }
        _ => format!("at most {} yuan", episode.goal.budget),
    });
    let other_type = wrong.other_type.then(|| "another product type".to_owned());
    other_type.into_iter().chain(lacks).collect::<Vec<_>>().join(", ")
}
