//! Rules over purchases, completed or kept back by the shopper.

use super::episode::{Episode, Moment};
use super::{Fault, Finding};
use crate::mall::action::Action;
use crate::mall::storefront::Visit;
use crate::mall::task::{Lack, Topic};
use crate::session::End;

/// What a shopper refused: the product and what was wrong with it.
struct Refused {
    product: u32,
    wrong: Wrong,
}

/// What is wrong with a product as chosen.
#[derive(Debug, PartialEq)]
struct Wrong {
    /// It is another thing.
    thing: bool,
    lacks: Vec<Lack>,
}

impl Wrong {
    fn of(episode: &Episode<'_>, visit: &Visit) -> Self {
        let thing = episode.mall.catalog.at(visit.product).leaf() != episode.goal.leaf;
        Self { thing, lacks: episode.goal.lacks_of(episode.mall, visit) }
    }

    fn is_nothing(&self) -> bool {
        !self.thing && self.lacks.is_empty()
    }

    /// Whether something is wrong that was wrong in `other`.
    fn persists(&self, other: &Self) -> bool {
        (self.thing && other.thing) || self.lacks.iter().any(|lack| other.lacks.contains(lack))
    }
}

/// For every purchase its error, a purchase after a refusal before one that was not verified; and what the file
/// implies of a product bought without it.
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
        let words = format!("buys what the shopper refused: {}", said(episode, wrong));
        return Some((Fault::BuysAfterRefusal, words));
    }
    let told = |lack: &&Lack| moment.told.includes(lack);
    let lacks = wrong.lacks.iter().filter(told).copied().collect();
    let seen = Wrong { thing: wrong.thing, lacks };
    let words = || format!("buys against what the pages show: {}", said(episode, &seen));
    (!seen.is_nothing()).then(|| (Fault::BuysUnverified, words()))
}

/// What the file implies and the product that was bought lacks.
fn ignored(episode: &Episode<'_>, wrong: &Wrong) -> Option<(Fault, String)> {
    let implied = |lack: &&Lack| match lack.fact {
        Some(fact) => episode.implied.facts.contains(&fact),
        None => lack.topic == Topic::Brand && episode.implied.brand,
    };
    let lacks: Vec<Lack> = wrong.lacks.iter().filter(implied).copied().collect();
    let ignored = Wrong { thing: false, lacks };
    let words = || format!("buys against what the file implies: {}", said(episode, &ignored));
    (!ignored.is_nothing()).then(|| (Fault::PersonaIgnored, words()))
}

fn said(episode: &Episode<'_>, wrong: &Wrong) -> String {
    let lacks = wrong.lacks.iter().map(|lack| match (lack.topic, lack.fact) {
        (_, Some(fact)) => episode.told(fact),
        (Topic::Brand, None) => {
            format!("brand {}", episode.goal.brand.map_or("", |brand| episode.word(brand)))
        }
        _ => format!("at most {} yuan", episode.goal.budget),
    });
    let thing = wrong.thing.then(|| "another thing".to_owned());
    thing.into_iter().chain(lacks).collect::<Vec<_>>().join(", ")
}
