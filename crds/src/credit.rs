//! `spec.training.credit`: how an episode's reward is shared among the agent's messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::union;

/// How an episode's reward is shared among the messages the agent wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::CREDIT.rule())]
pub struct Credit {
    /// By a scorer's verdict on every message.
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
    /// What the verdicts do: sampleWise ignores them (every token gets the episode's advantage); mask keeps the
    /// messages whose verdict agrees with the episode; conserved keeps the total as well; gated trusts the verdicts
    /// on a kind of message as far as they predicted the outcome so far; dense turns them into rewards on the way.
    pub mode: CreditMode,
    /// Who judges the messages: rules asks the shop whether a message brought the basket closer; random and inverted
    /// are controls for ablations.
    pub scorer: Scorer,
}

/// What the verdicts do. `sampleWise` is not called `off`: kubectl reads a bare `off` as false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CreditMode {
    /// Every token gets the episode's advantage.
    SampleWise,
    /// The paper's mask.
    Mask,
    /// The mask with conserved mass.
    Conserved,
    /// Conserved, gated by kind of message.
    #[default]
    Gated,
    /// Conservative dense reward.
    Dense,
}

/// Who judges the messages.
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
