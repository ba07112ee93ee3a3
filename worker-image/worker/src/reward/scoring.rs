//! Scoring a trajectory: replay its actions, compare every observation token, compute the metrics.

use std::sync::Arc;

use shoprl_contract::v1::{EndReason, Score, Trajectory};
use shoprl_contract::{Exit, RunConfig, ScorerName};
use shoprl_model::tokenizer::Tokenizer;
use shoprl_rl::seed::{Purpose, Stream};
use shoprl_simulator::{Limits, Replay, Shop, replay};

use crate::auth::Token;
use crate::policy;
use crate::seal::Sealed;
use crate::task;

/// Scores trajectories of one job.
pub(super) struct Scorer {
    shop: Arc<Shop>,
    tokenizer: Tokenizer,
    limits: Limits,
    scorer: ScorerName,
    seed: u64,
}

impl Scorer {
    /// A scorer with its own copy of the shop.
    pub(super) fn new(shop: Arc<Shop>, config: &RunConfig) -> Result<Self, Exit> {
        Ok(Self {
            shop,
            tokenizer: policy::tokenizer()?,
            limits: task::limits(config),
            scorer: config.training.credit.scorer,
            seed: config.seed,
        })
    }

    /// The score, unsealed. A trajectory that the replay contradicts is refused with the reason.
    pub(super) fn score(&self, trajectory: &Trajectory, token: &Token) -> Score {
        let scored = if trajectory.is_intact(token) {
            self.replayed(trajectory).and_then(|replay| self.checked_score(trajectory, &replay))
        } else {
            Err("the seal is broken: the trajectory was altered in transit".to_owned())
        };
        let key = Score {
            batch: trajectory.batch.clone(),
            group: trajectory.group,
            member: trajectory.member,
            trajectory_seal: trajectory.seal.clone(),
            ..Score::default()
        };
        match scored {
            Ok(score) => Score {
                metrics: score.metrics,
                verdicts: score.verdicts,
                kinds: score.kinds,
                ..key
            },
            Err(why) => {
                tracing::warn!(
                    batch = key.batch,
                    group = key.group,
                    member = key.member,
                    why,
                    "trajectory refused"
                );
                Score { refused: why, ..key }
            }
        }
    }

    /// Replays the actions and compares the shop's observations with those in the trajectory.
    fn replayed(&self, trajectory: &Trajectory) -> Result<Replay, String> {
        let key = task::from_wire(trajectory.task.as_ref())?;
        let spans = spans(trajectory)?;
        let tokens_of = |policy: bool| {
            spans
                .iter()
                .filter(move |span| span.policy == policy)
                .map(|span| &trajectory.tokens[span.range.clone()])
        };
        let actions: Vec<String> =
            tokens_of(true).map(|tokens| policy::action_text(&self.tokenizer, tokens)).collect();
        let replay = replay(&self.shop, &key, self.limits, &actions)
            .map_err(|error| format!("replay: {error}"))?;
        for (i, tokens) in tokens_of(false).enumerate() {
            let observation = replay
                .observations
                .get(i)
                .ok_or_else(|| format!("observation {i}: the replay has no such observation"))?;
            if policy::observation_tokens(&self.tokenizer, observation) != tokens {
                return Err(format!("observation {i}: the replay gives {observation:?}"));
            }
        }
        let claimed = trajectory.end();
        let true_end = task::end_to_wire(replay.end);
        let may_stop_short =
            claimed == EndReason::ContextLimit && true_end == EndReason::Unspecified;
        if claimed != true_end && !may_stop_short {
            return Err(format!(
                "end: claims {}, the replay ends with {}",
                claimed.as_str_name(),
                true_end.as_str_name()
            ));
        }
        Ok(replay)
    }

    fn checked_score(&self, trajectory: &Trajectory, replay: &Replay) -> Result<Score, String> {
        let sampled: usize =
            spans(trajectory)?.iter().filter(|span| span.policy).map(|span| span.range.len()).sum();
        if trajectory.log_probabilities.len() != sampled || trajectory.entropies.len() != sampled {
            return Err(format!(
                "logProbabilities: {} and entropies: {} for {sampled} tokens of the policy",
                trajectory.log_probabilities.len(),
                trajectory.entropies.len()
            ));
        }
        Ok(Score {
            metrics: Some(task::metrics_to_wire(&replay.outcome)),
            verdicts: self.verdicts(trajectory, replay),
            kinds: replay.kinds.iter().map(|kind| task::kind_name(*kind).to_owned()).collect(),
            ..Score::default()
        })
    }

    fn verdicts(&self, trajectory: &Trajectory, replay: &Replay) -> Vec<f64> {
        match self.scorer {
            ScorerName::Rules => replay.verdicts.clone(),
            ScorerName::Inverted => replay.verdicts.iter().map(|verdict| -verdict).collect(),
            ScorerName::Random => {
                let place = [
                    policy::batch_number(&trajectory.batch),
                    trajectory.group,
                    u64::from(trajectory.member),
                ];
                let mut draws = Stream::new(self.seed, Purpose::Scorer, &place);
                replay
                    .verdicts
                    .iter()
                    .map(|_| if draws.bernoulli(0.5) { 1.0 } else { -1.0 })
                    .collect()
            }
        }
    }
}

/// The token range of one message.
struct Span {
    range: std::ops::Range<usize>,
    policy: bool,
}

/// The message ranges, checked: they cover all tokens in order and alternate, starting with the environment.
fn spans(trajectory: &Trajectory) -> Result<Vec<Span>, String> {
    let mut spans = Vec::with_capacity(trajectory.messages.len());
    let mut position = 0;
    for (i, message) in trajectory.messages.iter().enumerate() {
        let (start, end) = (message.start as usize, message.end as usize);
        if start != position
            || end <= start
            || end > trajectory.tokens.len()
            || message.policy != (i % 2 == 1)
        {
            return Err(format!(
                "messages[{i}]: {start}..{end} after {position} of {}",
                trajectory.tokens.len()
            ));
        }
        spans.push(Span { range: start..end, policy: message.policy });
        position = end;
    }
    if position != trajectory.tokens.len() {
        return Err(format!("messages: cover {position} of {} tokens", trajectory.tokens.len()));
    }
    Ok(spans)
}

#[cfg(test)]
mod tests;
