//! What an episode is worth: weighted metrics, less what may be charged besides.
//!
//! R = success · R_succ + strict · R_strict + loose · R_loose
//!     − afterRefusal · \[a purchase after a refusal\] − unverified · \[a purchase not verified\] − turns · n / n_max
//!
//! The metrics are those of ShopSimulator (arXiv 2601.18225). The charges are ours and off by default: of the errors at a
//! purchase its error analysis counts 45.6 % as not verified and 31.3 % as made after a refusal; no metric sees either.

use super::analysis::{Fault, Finding, analyse};
use super::matcher::Matcher;
use super::replay::{Replay, replay_by};
use super::session::limit;
use super::{Mall, Outcome, Words};
use crate::replay::ReplayError;
use crate::task::TaskKey;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use thiserror::Error;

/// Weights, each between 0 and 1, and how facts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Terms {
    /// Of R_succ.
    pub success: f64,
    /// Of R_strict.
    pub strict: f64,
    /// Of R_loose.
    pub loose: f64,
    /// Charged once if the agent bought, or tried to, what the shopper had refused ([`Fault::BuysAfterRefusal`]).
    pub after_refusal: f64,
    /// Charged once if it bought, or tried to, against what the pages show ([`Fault::BuysUnverified`]).
    pub unverified: f64,
    /// Charged in proportion to the turns taken; whole when all of them were.
    pub turns: f64,
    /// How facts are compared; `None` leaves it to the catalog ([`Catalog::matcher`](super::Catalog::matcher)).
    pub matcher: Option<Matcher>,
}

impl Default for Terms {
    /// Success alone, nothing charged.
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

/// Terms that cannot be used.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum TermsError {
    /// A weight out of range.
    #[error("{field}: {value} is no weight; write a number from 0 to 1")]
    Weight {
        /// Which one.
        field: &'static str,
        /// What was written.
        value: f64,
    },
    /// Every episode would be worth the same, or only less.
    #[error("one of success, strict and loose must be above 0")]
    Worthless,
}

/// Why an episode could not be scored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The terms.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The actions.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The shop says something else than was recorded.
    #[error(
        "observation {0} is not what the shop says: score it with the catalog and version it was played with"
    )]
    Diverged(usize),
}

/// What an episode is worth, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// R.
    pub reward: f64,
    /// The episode and its metrics.
    pub replay: Replay,
    /// Its errors.
    pub findings: Vec<Finding>,
}

impl Terms {
    /// Whether the terms can be used.
    ///
    /// # Errors
    /// For a weight that is not between 0 and 1, and if no metric has one.
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

/// Scores an episode: a function of its arguments and the catalog alone. `words` are those of a shopper with a voice of its own. With `recorded`, the first observation and
/// then one per action, what the shop says now must be what was recorded.
///
/// # Errors
/// For terms that cannot be used, actions that no session can have accepted, and records that differ.
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
