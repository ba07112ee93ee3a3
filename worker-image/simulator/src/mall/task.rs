//! A task: the goal, the agent's brief, and the shopper.

mod goal;
mod persona;
mod shopper;
mod target;
mod topic;
mod wording;

pub(super) use goal::Goal;
pub(super) use persona::Implied;
pub(super) use shopper::Shopper;
pub(super) use topic::{Lack, Topic, named_in};

use shoprl_rl::seed::{Purpose, Stream};

use super::Mall;
use super::catalog::Catalog;
use crate::task::TaskKey;
use persona::Persona;
use wording::Wording;

/// A task: the public brief and the secret goal.
pub(super) struct Task {
    pub(super) brief: Brief,
    /// What is scored. Only replays and the shopper keep it.
    pub(super) goal: Goal,
    /// The part of the goal that the agent must infer from the file; empty without a file.
    pub(super) implied: Implied,
}

/// The agent's half of a task.
#[derive(Clone, Debug)]
pub(super) struct Brief {
    /// The first observation without the turn counter.
    pub(super) opening: String,
    /// The sentence of the instruction or the shopper in it.
    pub(super) said: String,
    /// `None` in scenarios without a shopper.
    pub(super) shopper: Option<Shopper>,
}

impl Task {
    /// The task of `key`.
    pub(super) fn new(mall: &Mall, key: &TaskKey) -> Self {
        let mut stream = stream(&mall.catalog, key, Purpose::Task);
        let goal = target::draw(&mall.catalog, key.split, &mut stream);
        let (brief, implied) = describe(&goal, key, &mall.catalog);
        Self { brief, goal, implied: implied.unwrap_or_default() }
    }
}

/// The brief of `key` if `goal` were its goal.
#[cfg(test)]
pub(super) fn brief_of(goal: &Goal, key: &TaskKey, catalog: &Catalog) -> Brief {
    describe(goal, key, catalog).0
}

/// The brief for a goal, and the part of the goal that only the file implies.
fn describe(goal: &Goal, key: &TaskKey, catalog: &Catalog) -> (Brief, Option<Implied>) {
    let persona = key
        .scenario
        .has_persona()
        .then(|| Persona::draw(goal, catalog, &mut stream(catalog, key, Purpose::Persona)));
    let wording = Wording::draw(key.split, &mut stream(catalog, key, Purpose::Shopper));
    let file = persona.as_ref().map(Persona::text).unwrap_or_default();
    let implied = persona.as_ref().map(|persona| persona.implied(goal));
    let speech = wording::Speech { catalog, goal, persona: persona.as_ref(), wording };
    let brief = if key.scenario.has_shopper() {
        let said = speech.opening();
        let shopper = Shopper::new(goal, implied.clone(), wording);
        Brief { opening: format!("{file}顾客 {said}"), said, shopper: Some(shopper) }
    } else {
        let said = speech.instruction();
        Brief { opening: format!("{file}任务 {said}"), said, shopper: None }
    };
    (brief, implied)
}

fn stream(catalog: &Catalog, key: &TaskKey, purpose: Purpose) -> Stream {
    let TaskKey { split, scenario, seed } = *key;
    Stream::new(seed, purpose, &[catalog.fingerprint(), split as u64, scenario as u64])
}

#[cfg(test)]
mod tests {
    use super::wording::templates;

    /// Held-out instructions use templates that training never shows.
    #[test]
    fn the_splits_share_no_template() {
        let (train, held_out) = templates();
        for template in &held_out {
            let (order, leads) = template.shape();
            for other in &train {
                let (other_order, other_leads) = other.shape();
                assert_ne!(order, other_order);
                let same = leads.iter().zip(&other_leads).filter(|(a, b)| a == b && !a.is_empty());
                // 元 after an amount is not part of a template.
                assert!(same.filter(|(lead, _)| **lead != "元").count() == 0, "{leads:?}");
            }
        }
    }
}
