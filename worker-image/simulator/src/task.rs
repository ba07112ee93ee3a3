//! A task: the goal, the agent's brief, and the shopper's answers.

mod goal;
mod instruction;
mod persona;
mod target;

pub(crate) use goal::Goal;

use serde::{Deserialize, Serialize};
use shoprl_rl::seed::{Purpose, Stream};

use crate::action::Topic;
use crate::catalog::Catalog;
use instruction::Wording;
use persona::Persona;

/// How the agent learns the goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scenario {
    /// The instruction states everything.
    SingleTurn,
    /// The instruction omits one or two facts that the shopper's search history implies.
    SingleTurnPersona,
    /// The shopper opens vaguely and answers questions.
    MultiTurn,
    /// Both: the shopper refers to habits for facts that the history implies.
    MultiTurnPersona,
}

impl Scenario {
    /// All scenarios, in the order used by reports.
    pub const ALL: [Self; 4] =
        [Self::SingleTurn, Self::SingleTurnPersona, Self::MultiTurn, Self::MultiTurnPersona];

    /// Whether there is a shopper to ask.
    #[must_use]
    pub const fn has_shopper(self) -> bool {
        matches!(self, Self::MultiTurn | Self::MultiTurnPersona)
    }

    /// Whether the first observation shows a search history.
    #[must_use]
    pub const fn has_persona(self) -> bool {
        matches!(self, Self::SingleTurnPersona | Self::MultiTurnPersona)
    }
}

/// Which product families are targets and which instruction templates are used. The two splits share neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Split {
    /// For training and demonstrations.
    Train,
    /// For evaluation.
    HeldOut,
}

/// Names a task. Together with the catalog's digest it determines the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskKey {
    /// Families and templates to draw from.
    pub split: Split,
    /// How the agent learns the goal.
    pub scenario: Scenario,
    /// Any number; tasks of different seeds are independent.
    pub seed: u64,
}

/// A task: the public brief and the secret goal.
pub(crate) struct Task {
    /// What the agent may read or ask for.
    pub(crate) brief: Brief,
    /// What is scored. Only replays keep it.
    pub(crate) goal: Goal,
}

/// The agent's half of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Brief {
    /// The first observation without the turn counter.
    pub(crate) opening: String,
    /// The shopper's answers; `None` in scenarios without a shopper.
    pub(crate) answers: Option<Answers>,
}

/// The shopper's answers, each to one topic only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) attributes: String,
    pub(crate) options: String,
    pub(crate) budget: String,
}

impl Answers {
    pub(crate) fn about(&self, topic: Topic) -> &str {
        match topic {
            Topic::Attributes => &self.attributes,
            Topic::Options => &self.options,
            Topic::Budget => &self.budget,
        }
    }
}

impl Task {
    /// The task of `key` over `catalog`.
    pub(crate) fn new(catalog: &Catalog, key: &TaskKey) -> Self {
        let goal = target::draw(catalog, key.split, &mut stream(catalog, key, Purpose::Task));
        Self { brief: brief_of(&goal, key, catalog), goal }
    }
}

/// The brief of `key` if `goal` were its goal.
pub(crate) fn brief_of(goal: &Goal, key: &TaskKey, catalog: &Catalog) -> Brief {
    let persona = key
        .scenario
        .has_persona()
        .then(|| Persona::draw(goal, &mut stream(catalog, key, Purpose::Persona)));
    let wording = Wording::draw(key.split, &mut stream(catalog, key, Purpose::Shopper));
    instruction::brief(goal, persona.as_ref(), key.scenario, wording)
}

fn stream(catalog: &Catalog, key: &TaskKey, purpose: Purpose) -> Stream {
    let TaskKey { split, scenario, seed } = *key;
    let catalog = catalog.fingerprint();
    Stream::new(seed, purpose, &[catalog, split as u64, scenario as u64])
}

#[cfg(test)]
mod tests;
