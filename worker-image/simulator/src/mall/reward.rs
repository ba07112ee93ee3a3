//! The reward of an episode: weighted metrics minus optional charges.
//!
//! R = success · R_succ + strict · R_strict + loose · R_loose
//!     − afterRefusal · \[a purchase after a refusal\] − unverified · \[a purchase not verified\] − turns · n / n_max
//!
//! The metrics are those of ShopSimulator (arXiv 2601.18225). The charges are this project's and off by default. Of the errors
//! at a purchase, ShopSimulator's analysis counts 45.6 % as not verified and 31.3 % as made after a refusal. No metric counts
//! either of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::analysis::{Fault, Finding, analyse};
use super::matcher::Matcher;
use super::replay::{Replay, replay_by};
use super::session::limit;
use super::{Mall, Outcome, Words};
use crate::replay::ReplayError;
use crate::task::TaskKey;

/// Weights between 0 and 1, and how facts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Terms {
    /// Weight of R_succ.
    pub success: f64,
    /// Weight of R_strict.
    pub strict: f64,
    /// Weight of R_loose.
    pub loose: f64,
    /// Charged once if the agent bought, or tried to, after the shopper had refused ([`Fault::BuysAfterRefusal`]).
    pub after_refusal: f64,
    /// Charged once if the agent bought, or tried to, against the pages ([`Fault::BuysUnverified`]).
    pub unverified: f64,
    /// Charged in proportion to the turns taken; fully if all turns were taken.
    pub turns: f64,
    /// How facts are compared; `None` means the catalog's default ([`Catalog::matcher`](super::Catalog::matcher)).
    pub matcher: Option<Matcher>,
}

impl Default for Terms {
    /// Success only, without charges.
    fn default() -> Self {
        Self {
            success: 1.0,
            strict: 0.0,
            loose: 0.0,
            after_refusal: 0.0,
            unverified: 0.0,
            turns: 0.0,
            matcher: None,
        }
    }
}

/// Why reward terms are refused.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum TermsError {
    /// A weight out of range.
    #[error("{field}: {value} is out of range; write a number from 0 to 1")]
    Weight {
        /// The field.
        field: &'static str,
        /// The value.
        value: f64,
    },
    /// No metric has a weight, so no episode could have a positive reward.
    #[error("one of success, strict and loose must be above 0")]
    Worthless,
}

/// Why an episode could not be scored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The terms are invalid.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The actions cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The replay differs from the record.
    #[error(
        "observation {0} differs from the record: score it with the catalog and version it was played with"
    )]
    Diverged(usize),
}

/// The reward of an episode and its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// R.
    pub reward: f64,
    /// The episode and its metrics.
    pub replay: Replay,
    /// The errors of the episode.
    pub findings: Vec<Finding>,
}

impl Terms {
    /// Checks the terms.
    ///
    /// # Errors
    /// For a weight that is not between 0 and 1, and if no metric has a weight.
    pub fn check(&self) -> Result<(), TermsError> {
        let weights = [
            ("success", self.success),
            ("strict", self.strict),
            ("loose", self.loose),
            ("afterRefusal", self.after_refusal),
            ("unverified", self.unverified),
            ("turns", self.turns),
        ];
        for (field, value) in weights {
            if !(0.0..=1.0).contains(&value) {
                return Err(TermsError::Weight { field, value });
            }
        }
        let worth = self.success + self.strict + self.loose;
        if worth > 0.0 { Ok(()) } else { Err(TermsError::Worthless) }
    }

    /// R of an episode of `turns` turns out of `most`.
    fn reward(&self, outcome: &Outcome, findings: &[Finding], turns: usize, most: u32) -> f64 {
        let worth = self.success * outcome.success
            + self.strict * outcome.strict
            + self.loose * outcome.loose;
        let any = |fault| f64::from(u8::from(findings.iter().any(|it| it.fault == fault)));
        worth
            - self.after_refusal * any(Fault::BuysAfterRefusal)
            - self.unverified * any(Fault::BuysUnverified)
            - self.turns * turns as f64 / f64::from(most)
    }
}

/// Scores an episode: a function of its arguments and the catalog alone. `words` are those of a voiced shopper. `recorded` are
/// the observations of the record (the first one, then one per action), which must equal those of the replay.
///
/// # Errors
/// For invalid terms, actions after the end of the episode, and records that differ.
pub fn score(
    mall: &Arc<Mall>,
    key: &TaskKey,
    actions: &[String],
    words: Option<&Words>,
    recorded: Option<&[String]>,
    terms: &Terms,
) -> Result<Scored, ScoreError> {
    terms.check()?;
    let matcher = terms.matcher.unwrap_or_else(|| mall.catalog.matcher());
    let replay = replay_by(mall, key, actions, words, matcher)?;
    if let Some(recorded) = recorded {
        let said = &replay.observations;
        let same = said.iter().zip(recorded).take_while(|(said, recorded)| said == recorded);
        let same = same.count();
        if same < said.len().max(recorded.len()) {
            return Err(ScoreError::Diverged(same));
        }
    }
    let findings = analyse(mall, key, actions, words)?;
    let most = limit(key.scenario);
    let reward = terms.reward(&replay.outcome, &findings, actions.len(), most);
    Ok(Scored { reward, replay, findings })
}

#[cfg(test)]
mod tests;
