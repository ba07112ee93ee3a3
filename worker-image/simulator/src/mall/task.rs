//! A task: what a shopper wants, what the agent is told of it, and what can be asked.

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

use super::Mall;
use super::catalog::Catalog;
use crate::task::TaskKey;
use persona::Persona;
use shoprl_rl::seed::{Purpose, Stream};
use wording::Wording;

/// A task with its privileged half.
pub(super) struct Task {
    pub(super) brief: Brief,
    /// What is scored. Only a replay and the shopper keep it.
    pub(super) goal: Goal,
    /// What of the goal the agent has to infer from the file; nothing where there is no file.
    pub(super) implied: Implied,
}

/// The agent's half of a task.
#[derive(Clone, Debug)]
pub(super) struct Brief {
    /// The first observation without the turn counter.
    pub(super) opening: String,
    /// The sentence in it that the instruction or the shopper says.
    pub(super) said: String,
    /// Whom to ask; `None` where there is nobody.
    pub(super) shopper: Option<Shopper>,
}

impl Task {
    /// The task of `key`.
    pub(super) fn new(mall: &Mall, key: &TaskKey) -> Self {
        let mut stream = stream(&mall.catalog, key, Purpose::Task);
        let goal = target::draw(&mall.catalog, key.split, &mut stream);
        let (brief, implied) = tell(&goal, key, &mall.catalog);
        Self { brief, goal, implied: implied.unwrap_or_default() }
    }
}

/// How the task of `key` would be told if `goal` were its goal.
#[cfg(test)]
pub(super) fn brief_of(goal: &Goal, key: &TaskKey, catalog: &Catalog) -> Brief {
    tell(goal, key, catalog).0
}

/// A goal put into words, and what of it only the file tells.
fn tell(goal: &Goal, key: &TaskKey, catalog: &Catalog) -> (Brief, Option<Implied>) {
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

    /// Instructions of held-out tasks are of templates that training never shows.
    #[test]
    fn the_splits_share_no_template() {
        let (train, held_out) = templates();
        for template in &held_out {
            let (order, leads) = template.shape();
            for other in &train {
                let (other_order, other_leads) = other.shape();
                assert_ne!(order, other_order);
                let same = leads.iter().zip(&other_leads).filter(|(a, b)| a == b && !a.is_empty());
                // 元 after a sum is no template.
                assert!(same.filter(|(lead, _)| **lead != "元").count() == 0, "{leads:?}");
            }
        }
    }
}
