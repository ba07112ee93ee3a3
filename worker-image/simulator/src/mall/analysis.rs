//! Finds the errors of an episode: rules over the actions, the facts stated by then, and the goal.
//!
//! The classes are those of ShopSimulator's error analysis (arXiv 2601.18225, where a language model assigns them).
//! `docs/concepts/shop.md` defines each class as implemented here; `docs/benchmarks/analysis.md` measures precision and recall.

mod clicks;
mod episode;
mod naming;
pub mod planting;
mod purchases;
mod searches;
mod stated;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Mall, Words};
use crate::replay::ReplayError;
use crate::task::TaskKey;
use episode::Episode;

/// A class of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// An attribute or a brand was stated, and no later search names it.
    SearchDropsFact,
    /// A page showed a product that meets the goal; the agent went on to another page, declined or ran out of turns,
    /// never opened the product and bought none that meets the goal.
    SearchLeavesMatch,
    /// A query that was searched for before, while its first page was still shown, or with nothing new found before the
    /// next search.
    SearchRepeats,
    /// Opened a row whose brand, price or attributes contradict a stated fact, or chose an option of an axis with another
    /// stated value.
    ClickBreaksConstraint,
    /// Bought, or tried to, although the pages show that a stated fact does not hold, or without choosing a stated option.
    BuysUnverified,
    /// Bought, or tried to, after the shopper had refused, with a fault that it had then.
    BuysAfterRefusal,
    /// The file implies a fact that no search names, or that the purchase lacks.
    PersonaIgnored,
    /// A search names a word of the file that is neither stated nor implied.
    PersonaOverread,
}

impl Fault {
    /// All classes, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::SearchDropsFact,
        Self::SearchLeavesMatch,
        Self::SearchRepeats,
        Self::ClickBreaksConstraint,
        Self::BuysUnverified,
        Self::BuysAfterRefusal,
        Self::PersonaIgnored,
        Self::PersonaOverread,
    ];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SearchDropsFact => "search drops a fact",
            Self::SearchLeavesMatch => "search leaves a match",
            Self::SearchRepeats => "search repeats",
            Self::ClickBreaksConstraint => "click breaks a constraint",
            Self::BuysUnverified => "buys unverified",
            Self::BuysAfterRefusal => "buys after refusal",
            Self::PersonaIgnored => "persona ignored",
            Self::PersonaOverread => "persona over-read",
        }
    }
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The class of the error.
    pub fault: Fault,
    /// The action in which it was made, from 0.
    pub action: usize,
    /// Details of the error.
    pub words: String,
}

/// The errors of an episode, by action. `words` are those of a voiced shopper. A function of its arguments and the catalog
/// alone. It knows the goal.
///
/// # Errors
/// [`ReplayError::AfterEnd`] for actions after the end of the episode.
pub fn analyse(
    mall: &Arc<Mall>,
    key: &TaskKey,
    actions: &[String],
    words: Option<&Words>,
) -> Result<Vec<Finding>, ReplayError> {
    let episode = Episode::play(mall, key, actions, words)?;
    let mut findings = Vec::new();
    findings.extend(searches::findings(&episode));
    findings.extend(clicks::findings(&episode));
    findings.extend(purchases::findings(&episode));
    findings.sort_by_key(|finding| (finding.action, finding.fault));
    Ok(findings)
}

#[cfg(test)]
mod tests;
