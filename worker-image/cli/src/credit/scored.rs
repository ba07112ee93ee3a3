//! From a row of a run to the input of credit assignment.

use shoprl_contract::run_folder::{Episode, EpisodeMessage};
use shoprl_rl::credit::{Kind, Message, ScoredTrajectory, Trajectory};

/// The episode as the input of credit assignment: each token gets the verdict of its message. A message of the environment
/// has no tokens in the row and no influence on labels and weights, so it counts as one token. Without an advantage the reward
/// takes its place.
pub(super) fn scored(episode: &Episode) -> Result<ScoredTrajectory, String> {
    let (mut messages, mut scores) = (Vec::new(), Vec::new());
    for message in &episode.messages {
        let start = scores.len();
        scores.resize(start + tokens(message).len(), message.verdict.unwrap_or_default());
        let kind = kind(message)?;
        messages.push(Message { start, end: scores.len(), policy: message.policy, kind });
    }
    Ok(ScoredTrajectory {
        group: episode.group,
        trajectory: Trajectory { tokens: scores.len(), messages, scores },
        reward: episode.reward,
        advantage: episode.advantage.unwrap_or(episode.reward),
    })
}

pub(super) fn tokens(message: &EpisodeMessage) -> Vec<String> {
    if message.tokens.is_empty() { vec![message.text.clone()] } else { message.tokens.clone() }
}

fn kind(message: &EpisodeMessage) -> Result<Kind, String> {
    let name = message.kind.as_deref().filter(|_| message.policy).unwrap_or("environment");
    serde_json::from_value(name.into()).map_err(|error| format!("kind {name}: {error}"))
}
