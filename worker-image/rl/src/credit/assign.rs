//! From a batch to signed credit per token, the factor of the policy gradient.

use super::reading::Reading;
use super::{CreditError, CreditOptions, Gate, Mode, ScoredTrajectory, Trajectory, dense, weights};

/// The advantage of every token of every trajectory; 0 on tokens that the policy did not write.
///
/// The trainer divides its loss by the number of policy tokens of the whole batch, never by a sum
/// of weights, and applies a KL penalty to all policy tokens alike.
///
/// ```
/// use shoprl_rl::credit::*;
/// let message = |start, end, policy, kind| Message { start, end, policy, kind };
/// let trajectory = Trajectory {
///     tokens: 5,
///     messages: vec![
///         message(0, 2, true, Kind::Search),
///         message(2, 3, false, Kind::Environment),
///         message(3, 5, true, Kind::Buy),
///     ],
///     scores: vec![1.0, 1.0, 0.0, -1.0, -1.0],
/// };
/// let batch = [ScoredTrajectory { group: 0, trajectory, reward: 1.0, advantage: 0.5 }];
/// let options = CreditOptions { mode: Mode::Conserved, ..CreditOptions::default() };
/// let credit = token_advantages(&batch, &options, &Gate::default())?;
/// assert_eq!(credit, [[1.0, 1.0, 0.0, 0.0, 0.0]]); // only the search learns
/// # Ok::<(), CreditError>(())
/// ```
///
/// # Errors
/// Options outside their range, or a trajectory with wrong lengths, coverage or numbers.
pub fn token_advantages(
    batch: &[ScoredTrajectory],
    options: &CreditOptions,
    gate: &Gate,
) -> Result<Vec<Vec<f64>>, CreditError> {
    let readings = Reading::of_batch(batch, options)?;
    if options.mode == Mode::Dense {
        let rewards = dense::batch_rewards(batch, &readings, options, gate);
        let of_one = |(scored, rewards): (&ScoredTrajectory, Vec<f64>)| {
            spread(&scored.trajectory, &dense::advantages(&rewards, options.lambda))
        };
        return Ok(batch.iter().zip(rewards).map(of_one).collect());
    }
    let of_one = |(scored, reading): (&ScoredTrajectory, &Reading)| {
        let mut credit =
            token_weights(&scored.trajectory, reading, scored.advantage, options, gate);
        for weight in &mut credit {
            *weight *= scored.advantage;
        }
        credit
    };
    Ok(batch.iter().zip(&readings).map(of_one).collect())
}

/// The weights of the modes that weigh tokens; 1 on policy tokens for `Off` and `Dense`.
pub(super) fn token_weights(
    trajectory: &Trajectory,
    reading: &Reading,
    advantage: f64,
    options: &CreditOptions,
    gate: &Gate,
) -> Vec<f64> {
    let labels = &reading.labels;
    let conserved = || weights::conserved(labels, advantage, options.maximum_weight);
    match options.mode {
        Mode::Off | Mode::Dense => weights::uniform(labels),
        Mode::Mask => weights::mask(labels, advantage),
        Mode::Conserved => conserved(),
        Mode::Gated => {
            let messages = trajectory.policy_messages();
            let eta: Vec<f64> = messages.map(|(_, m)| gate.eta(m.kind, options)).collect();
            weights::gated(labels, &conserved(), &spread(trajectory, &eta))
        }
    }
}

/// Gives each token the value of its policy message; 0 to all other tokens.
pub(super) fn spread(trajectory: &Trajectory, values: &[f64]) -> Vec<f64> {
    let mut tokens = vec![0.0; trajectory.tokens];
    for ((_, message), &value) in trajectory.policy_messages().zip(values) {
        tokens[message.range()].fill(value);
    }
    tokens
}
