//! What went wrong in an episode: rules over what was done, what the agent had been told by then, and what is wanted.
//!
//! The classes are those of ShopSimulator's error analysis (arXiv 2601.18225, where a language model labels them);
//! `docs/concepts/shop.md` defines each as it is decided here, `docs/benchmarks/analysis.md` says how well.

mod clicks;
mod episode;
mod naming;
pub mod planting;
mod purchases;
mod searches;
mod told;

use super::{Mall, Words};
use crate::replay::ReplayError;
use crate::task::TaskKey;
use episode::Episode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A class of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// An attribute or a brand was told, and no search from then on names it.
    SearchDropsFact,
    /// A page showed a product that meets the goal; the agent went on to another page, declined or ran out of turns,
    /// never opened the product and bought none that meets the goal.
    SearchLeavesMatch,
    /// A query that was searched for before: its first page was still on show, or nothing new came of it before the
    /// next search.
    SearchRepeats,
    /// A row was opened whose brand, price or attributes contradict what was told, or an option was chosen of an axis
    /// of which another was told.
    ClickBreaksConstraint,
    /// Bought, or tried to, although the pages seen say that something told is not so, or a told option was not chosen.
    BuysUnverified,
    /// Bought, or tried to, what the shopper had refused, with something still wrong that was wrong then.
    BuysAfterRefusal,
    /// The file implies a fact that no search names, or that what was bought lacks.
    PersonaIgnored,
    /// A search names something that is in the file and neither told nor implied by it.
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

    /// What reports call it.
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
    /// Its class.
    pub fault: Fault,
    /// The action with which it was made, from 0.
    pub action: usize,
    /// What it consists of.
    pub words: String,
}

/// The errors of an episode, by action; `words` are a shopper's with a voice of its own. A function of its arguments and the catalog alone; privileged, since it knows
/// the goal.
///
/// # Errors
/// [`ReplayError::AfterEnd`] for actions that no session can have accepted.
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
