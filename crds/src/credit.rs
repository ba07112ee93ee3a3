//! `spec.training.credit`: how an episode's advantage is split over the agent's messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::union;

/// How an episode's advantage is split over the agent's messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::CREDIT.rule())]
pub struct Credit {
    /// Credit by a scorer's verdict on each message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MessageWise")]
    pub message_wise: Option<MessageWise>,
}

impl Default for Credit {
    fn default() -> Self {
        Self { message_wise: Some(MessageWise::default()) }
    }
}

/// Message-wise credit (docs/concepts/credit.md).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageWise {
    /// How the verdicts change the credit.
    /// sampleWise: not at all; every token gets the episode's advantage.
    /// mask: only messages whose verdict agrees with the sign of the advantage get credit.
    /// conserved: like mask, and the credit of the other messages moves to them.
    /// gated: like conserved, but only as far as earlier verdicts on that kind of message predicted the reward.
    /// dense: verdicts become intermediate rewards.
    pub mode: CreditMode,
    /// Source of the verdicts.
    /// rules: the rules of the shop judge whether a message made progress.
    /// random, inverted: controls for ablations.
    pub scorer: Scorer,
}

/// How the verdicts change the credit. `sampleWise` is not called `off`: kubectl reads a bare `off` as false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CreditMode {
    /// Every token gets the episode's advantage.
    SampleWise,
    /// Only messages whose verdict agrees with the sign of the advantage get credit.
    Mask,
    /// The mask, with the hidden credit moved to the kept messages.
    Conserved,
    /// `Conserved`, but only as far as earlier verdicts on that kind of message predicted the reward.
    #[default]
    Gated,
    /// Verdicts become intermediate rewards.
    Dense,
}

/// Source of the verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scorer {
    /// The shop's rules.
    #[default]
    Rules,
    /// Seeded noise.
    Random,
    /// The rules with the opposite sign.
    Inverted,
}
