//! Conversions of scored episodes: to training sequences, to ledger digests, and to rows of the run folder.

use sha2::{Digest as _, Sha256};
use shoprl_contract::run_folder::{Episode, EpisodeMessage, EpisodeResult, Metrics};
use shoprl_contract::v1::{EndReason, Trajectory};
use shoprl_contract::{Exit, RunConfig};
use shoprl_model::batch::{Sequence, Target};
use shoprl_model::tokenizer::Tokenizer;
use shoprl_rl::credit::{Kind, Message, ScoredTrajectory, Trajectory as CreditTrajectory};
use shoprl_rl::ledger::Digest;

use super::coordinator::Scored;
use crate::task;

/// Metrics of a scored episode.
pub(super) fn metrics(scored: &Scored) -> Metrics {
    let m = scored.score.metrics.unwrap_or_default();
    Metrics {
        success: m.success,
        strict: m.strict,
        loose: m.loose,
        finish: m.finish,
        category: m.category,
        attribute: m.attribute,
        option: m.option,
        price: m.price,
    }
}

/// The reward: the configured weighted sum of the metrics.
pub(super) fn reward(config: &RunConfig, metrics: &Metrics) -> f64 {
    let weights = &config.training.reward;
    weights.success * metrics.success
        + weights.strict * metrics.strict
        + weights.loose * metrics.loose
}

/// Number of actions.
pub(super) fn turns(trajectory: &Trajectory) -> usize {
    trajectory.messages.iter().filter(|message| message.policy).count()
}

/// A sample's digest in the ledger, over everything that training uses and its score.
pub(super) fn digest(scored: &Scored) -> Digest {
    let (trajectory, score) = (&scored.trajectory, &scored.score);
    let mut hash = Sha256::new();
    hash.update(trajectory.batch.as_bytes());
    hash.update(trajectory.group.to_le_bytes());
    hash.update(trajectory.member.to_le_bytes());
    for token in &trajectory.tokens {
        hash.update(token.to_le_bytes());
    }
    for value in &trajectory.log_probabilities {
        hash.update(value.to_le_bytes());
    }
    let m = score.metrics.unwrap_or_default();
    for value in [m.success, m.strict, m.loose].iter().chain(&score.verdicts) {
        hash.update(value.to_le_bytes());
    }
    Digest(hash.finalize().into())
}

/// The episode as input of credit assignment: each token carries the verdict of its message.
pub(super) fn credited(
    scored: &Scored,
    reward: f64,
    advantage: f64,
) -> Result<ScoredTrajectory, Exit> {
    let trajectory = &scored.trajectory;
    let mut scores = vec![0.0; trajectory.tokens.len()];
    let mut messages = Vec::with_capacity(trajectory.messages.len());
    let mut judged = scored.score.verdicts.iter().zip(&scored.score.kinds);
    for message in &trajectory.messages {
        let (start, end) = (message.start as usize, message.end as usize);
        let kind = match message.policy.then(|| judged.next()).flatten() {
            None => Kind::Environment,
            Some((verdict, kind)) => {
                scores[start..end].fill(*verdict);
                parse_kind(kind)?
            }
        };
        messages.push(Message { start, end, policy: message.policy, kind });
    }
    let trajectory = CreditTrajectory { tokens: trajectory.tokens.len(), messages, scores };
    Ok(ScoredTrajectory { group: scored.trajectory.group, trajectory, reward, advantage })
}

fn parse_kind(name: &str) -> Result<Kind, Exit> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).map_err(|error| {
        Exit::temporary(format!(
            "score: kind {name:?}: {error}; do all workers run the same image?"
        ))
    })
}

/// A demonstration as input of supervised learning: actions have weight 1, observations `observation_weight`.
/// The second value is the number of action tokens.
pub(super) fn supervised(trajectory: &Trajectory, observation_weight: f32) -> (Sequence, usize) {
    let mut targets = Vec::with_capacity(trajectory.tokens.len());
    let mut actions = 0;
    for message in &trajectory.messages {
        let length = (message.end - message.start) as usize;
        let weight = if message.policy { 1.0 } else { observation_weight };
        actions += if message.policy { length } else { 0 };
        targets.extend(std::iter::repeat_n(Target::Supervised { weight }, length));
    }
    if let Some(first) = targets.first_mut() {
        *first = Target::None;
    }
    (Sequence { tokens: trajectory.tokens.clone(), targets }, actions)
}

/// An episode as input of policy optimisation. `advantages` has one value per token, and so has `reference`, which is
/// needed for a KL penalty.
pub(super) fn policy(
    trajectory: &Trajectory,
    advantages: &[f64],
    reference: Option<&[f32]>,
) -> Sequence {
    let mut targets = vec![Target::None; trajectory.tokens.len()];
    let mut behavior = trajectory.log_probabilities.iter();
    for message in trajectory.messages.iter().filter(|message| message.policy) {
        for t in message.start as usize..message.end as usize {
            // The reward worker checked that each policy token has a log-probability.
            let Some(behavior) = behavior.next() else { break };
            let reference = reference.map(|values| values[t]);
            targets[t] =
                Target::Policy { advantage: advantages[t] as f32, behavior: *behavior, reference };
        }
    }
    Sequence { tokens: trajectory.tokens.clone(), targets }
}

/// The result of a held-out task.
pub(super) fn result(scored: &Scored) -> Result<EpisodeResult, Exit> {
    let trajectory = &scored.trajectory;
    let key = task::from_wire(trajectory.task.as_ref()).map_err(Exit::temporary)?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(EpisodeResult {
        scenario: task::scenario_name(key.scenario),
        seed: key.seed,
        metrics: metrics(scored),
        turns: count(turns(trajectory)),
        tokens: count(trajectory.tokens.len()),
    })
}

/// The episode as a row of `trajectories/`.
pub(super) fn episode(
    scored: &Scored,
    tokenizer: &Tokenizer,
    reward: f64,
    training: Option<(f64, Digest)>,
) -> Result<Episode, Exit> {
    let trajectory = &scored.trajectory;
    let key = task::from_wire(trajectory.task.as_ref()).map_err(Exit::temporary)?;
    let mut judged = scored.score.verdicts.iter().zip(&scored.score.kinds);
    let messages = trajectory.messages.iter().map(|message| {
        let tokens = &trajectory.tokens[message.start as usize..message.end as usize];
        let judgement = message.policy.then(|| judged.next()).flatten();
        let strings = tokens.iter().map(|token| tokenizer.decode(&[*token]));
        EpisodeMessage {
            policy: message.policy,
            text: tokenizer.decode(tokens),
            tokens: if message.policy { strings.collect() } else { Vec::new() },
            kind: judgement.map(|(_, kind)| kind.clone()),
            verdict: judgement.map(|(verdict, _)| *verdict),
        }
    });
    let end = match trajectory.end() {
        EndReason::Bought => "bought",
        EndReason::Declined => "declined",
        EndReason::TurnLimit => "turnLimit",
        EndReason::ContextLimit | EndReason::Unspecified => "contextLimit",
    };
    Ok(Episode {
        batch: trajectory.batch.clone(),
        group: trajectory.group,
        member: trajectory.member,
        scenario: task::scenario_name(key.scenario),
        task_seed: key.seed,
        held_out: key.split == shoprl_simulator::Split::HeldOut,
        messages: messages.collect(),
        end: end.to_owned(),
        metrics: metrics(scored),
        reward,
        advantage: training.map(|(advantage, _)| advantage),
        digest: training.map(|(_, digest)| digest.to_string()),
    })
}
