//! Properties of credit that hold for any scorer, any reward and any division into messages.

use proptest::prelude::*;
use proptest::sample::select;

use super::assign::{spread, token_weights};
use super::labels::{Scale, Trigger};
use super::reading::Reading;
use super::segments::{Segment, segments};
use super::*;

const KINDS: [Kind; 4] = [Kind::Search, Kind::Open, Kind::Ask, Kind::Buy];
const WEIGHING: [Mode; 3] = [Mode::Mask, Mode::Conserved, Mode::Gated];
const MODES: [Mode; 5] = [Mode::Off, Mode::Mask, Mode::Conserved, Mode::Gated, Mode::Dense];

/// Up to six messages of up to nine tokens. Scores are on a grid of 1/16, so that some equal the thresholds, and shifts and
/// scaling by powers of two are exact.
fn trajectories() -> impl Strategy<Value = Trajectory> {
    let message = (any::<bool>(), select(&KINDS[..]), prop::collection::vec(-32i32..=32, 1..10));
    prop::collection::vec(message, 1..7).prop_map(|messages| {
        let mut trajectory = Trajectory { tokens: 0, messages: Vec::new(), scores: Vec::new() };
        for (policy, kind, scores) in messages {
            let start = trajectory.tokens;
            trajectory.tokens += scores.len();
            let kind = if policy { kind } else { Kind::Environment };
            trajectory.messages.push(Message { start, end: trajectory.tokens, policy, kind });
            trajectory.scores.extend(scores.into_iter().map(|score| f64::from(score) / 16.0));
        }
        trajectory
    })
}

/// Groups of two to five episodes with rewards in eighths; a group may lack variance.
fn batches() -> impl Strategy<Value = Vec<ScoredTrajectory>> {
    let group = prop::collection::vec((trajectories(), 0u8..=8), 2..6);
    prop::collection::vec(group, 1..4).prop_map(|groups| {
        let of_group = |(group, members): (usize, Vec<(Trajectory, u8)>)| {
            let rewards: Vec<f64> = members.iter().map(|(_, r)| f64::from(*r) / 8.0).collect();
            let relative = crate::advantage::group_relative(&rewards, 1e-6);
            let advantages = relative.unwrap_or_else(|| vec![0.0; rewards.len()]);
            let scored = members.into_iter().zip(rewards).zip(advantages);
            scored.map(move |(((trajectory, _), reward), advantage)| ScoredTrajectory {
                group: group as u64,
                trajectory,
                reward,
                advantage,
            })
        };
        groups.into_iter().enumerate().flat_map(of_group).collect()
    })
}

fn options() -> impl Strategy<Value = CreditOptions> {
    let kinds = vec![ScoreKind::Verdict, ScoreKind::Level, ScoreKind::Delta];
    let scales = vec![
        Normalization::Fixed { center: 0.25, spread: 0.5 },
        Normalization::BatchMean,
        Normalization::BatchRobust,
    ];
    let rule = (select(&MODES[..]), select(kinds), select(scales), 0u8..4, any::<bool>());
    (rule, 1usize..4, 1f64..6.0, 0f64..=1.0).prop_map(
        |((mode, score_kind, normalization, threshold, up), minimum, maximum_weight, lambda)| {
            CreditOptions {
                mode,
                score_kind,
                normalization,
                threshold: f64::from(threshold) / 4.0,
                initial_label: if up { 1 } else { -1 },
                minimum_segment: minimum,
                maximum_weight,
                lambda,
                ..CreditOptions::default()
            }
        },
    )
}

/// A gate that has observed one batch.
fn gate_after(batch: &[ScoredTrajectory], options: &CreditOptions) -> Gate {
    let mut gate = Gate::default();
    gate.observe(batch, options).unwrap();
    gate
}

fn read(trajectory: &Trajectory, options: &CreditOptions) -> Reading {
    Reading::new(trajectory, Scale::of([trajectory].into_iter(), options), options)
}

/// Labels at scale 1 for the given thresholds.
fn raw_labels(trajectory: &Trajectory, up: f64, down: f64, initial: i8) -> Vec<i8> {
    Trigger { up, down, initial }.labels(trajectory, &trajectory.scores)
}

fn on_policy(trajectory: &Trajectory) -> Vec<f64> {
    let messages = trajectory.policy_messages().count();
    spread(trajectory, &vec![1.0; messages])
}

fn bits(credit: &[Vec<f64>]) -> Vec<Vec<u64>> {
    credit.iter().map(|tokens| tokens.iter().map(|c| c.to_bits()).collect()).collect()
}

proptest! {
    // The environment's tokens have label 0 and credit 0; labels of policy tokens are ±1 and credit is finite.
    #[test]
    fn labels_and_credit_are_zero_on_tokens_the_policy_did_not_write(
        batch in batches(), options in options(),
    ) {
        let credit = token_advantages(&batch, &options, &gate_after(&batch, &options)).unwrap();
        for (scored, credit) in batch.iter().zip(&credit) {
            let labels = read(&scored.trajectory, &options).labels;
            let policy = on_policy(&scored.trajectory).into_iter().map(|policy| policy == 1.0);
            for ((policy, label), credit) in policy.zip(labels).zip(credit) {
                prop_assert_eq!(policy, label != 0);
                prop_assert!(policy || *credit == 0.0);
                prop_assert!(credit.is_finite());
            }
        }
    }

    // Segments cover every policy token once, never cross a message and have no equal neighbours. Runs below the
    // minimum length exist only at the start of a message.
    #[test]
    fn segments_partition_the_policys_tokens_in_order_inside_one_message(
        trajectory in trajectories(), options in options(),
    ) {
        let segments = read(&trajectory, &options).segments;
        let covered: Vec<usize> = segments.iter().flat_map(|s| s.start..s.end).collect();
        let policy = on_policy(&trajectory);
        let expected: Vec<usize> = (0..trajectory.tokens).filter(|&t| policy[t] == 1.0).collect();
        prop_assert_eq!(covered, expected);
        for segment in &segments {
            let message = trajectory.messages[segment.message];
            prop_assert!(message.policy);
            prop_assert!(message.start <= segment.start && segment.end <= message.end);
            let short = segment.end - segment.start < options.minimum_segment;
            prop_assert!(!short || segment.start == message.start, "{segment:?} is too short");
        }
        let apart = |a: &Segment, b: &Segment| a.message != b.message || a.label != b.label;
        let maximal = segments.windows(2).all(|pair| apart(&pair[0], &pair[1]));
        prop_assert!(maximal, "{segments:?}");
    }

    // Conserved and gated weights redistribute: Σw = n, w ≥ 0, and w ≤ maximum + 1 (conserved) or w ≤ n (gated).
    #[test]
    fn weights_sum_to_the_number_of_policy_tokens_and_stay_bounded(
        batch in batches(), options in options(),
    ) {
        let gate = gate_after(&batch, &options);
        for scored in &batch {
            let reading = read(&scored.trajectory, &options);
            let n = reading.policy_tokens() as f64;
            for mode in [Mode::Conserved, Mode::Gated] {
                let options = CreditOptions { mode, ..options.clone() };
                let (trajectory, advantage) = (&scored.trajectory, scored.advantage);
                let weights = token_weights(trajectory, &reading, advantage, &options, &gate);
                prop_assert!((weights.iter().sum::<f64>() - n).abs() <= 1e-9);
                let most = if mode == Mode::Conserved { options.maximum_weight + 1.0 } else { n };
                let bounded = weights.iter().all(|w| (0.0..=most + 1e-9).contains(w));
                prop_assert!(bounded, "{weights:?}");
            }
        }
    }

    // Dense rewards redistribute: Σr = A for every episode with a policy message.
    #[test]
    fn redistributed_rewards_sum_to_what_the_sample_earned(
        batch in batches(), options in options(),
    ) {
        let readings = Reading::of_batch(&batch, &options).unwrap();
        let gate = Gate::fixed(1.0, 0.7).unwrap();
        let rewards = dense::batch_rewards(&batch, &readings, &options, &gate);
        for (scored, rewards) in batch.iter().zip(rewards) {
            let sum: f64 = rewards.iter().sum();
            prop_assert!(rewards.is_empty() || (sum - scored.advantage).abs() <= 1e-9);
        }
    }

    // Labels depend on scores only through u = (score − center) / spread.
    #[test]
    fn labels_ignore_an_affine_change_of_score_center_and_spread(
        trajectory in trajectories(), power in -3i32..4, shift in -64i32..64, quarter in 0u8..4,
    ) {
        let scale = |center, spread| CreditOptions {
            normalization: Normalization::Fixed { center, spread },
            threshold: f64::from(quarter) / 4.0,
            ..CreditOptions::default()
        };
        let (k, o) = (2f64.powi(power), f64::from(shift));
        let mut moved = trajectory.clone();
        moved.scores.iter_mut().for_each(|score| *score = *score * k + o);
        let before = read(&trajectory, &scale(0.25, 0.5)).labels;
        prop_assert_eq!(before, read(&moved, &scale(0.25 * k + o, 0.5 * k)).labels);
    }

    // Symmetry: negating scores, thresholds and initial label negates the labels, and the mask is the same if the sign of
    // the advantage is negated too.
    #[test]
    fn opposite_scores_and_rewards_give_opposite_labels_and_the_same_mask(
        trajectory in trajectories(), up in 0u8..4, down in 0u8..4,
    ) {
        let (up, down) = (f64::from(up) / 4.0, f64::from(down) / 4.0);
        let mut opposite = trajectory.clone();
        opposite.scores.iter_mut().for_each(|score| *score = -*score);
        let labels = raw_labels(&trajectory, up, down, 1);
        let flipped = raw_labels(&opposite, down, up, -1);
        let negated: Vec<i8> = flipped.iter().map(|label| -label).collect();
        prop_assert_eq!(&labels, &negated);
        prop_assert_eq!(weights::mask(&labels, 0.5), weights::mask(&flipped, -0.5));
    }

    // Label changes are monotone: a wider dead band has at most as many.
    #[test]
    fn a_wider_dead_band_never_turns_the_label_more_often(
        trajectory in trajectories(), narrow in 0u8..32, wider in 0u8..16, up: bool,
    ) {
        let initial = if up { 1 } else { -1 };
        let pivots = |band: u8| {
            let options = CreditOptions {
                threshold: f64::from(band) / 16.0,
                initial_label: initial,
                ..CreditOptions::default()
            };
            read(&trajectory, &options).pivots(initial).len()
        };
        prop_assert!(pivots(narrow + wider) <= pivots(narrow));
    }

    // Scores without information give sample-wise credit: one segment per message, and every policy token gets A.
    #[test]
    fn a_score_that_never_leaves_the_dead_band_means_sample_wise_credit(
        batch in batches(), level in -0.29f64..0.29,
    ) {
        let mut batch = batch;
        for scored in &mut batch {
            scored.trajectory.scores.fill(level);
            let segments = read(&scored.trajectory, &CreditOptions::default()).segments;
            prop_assert_eq!(segments.len(), scored.trajectory.policy_messages().count());
        }
        for mode in [Mode::Conserved, Mode::Gated, Mode::Dense] {
            let options = CreditOptions { mode, ..CreditOptions::default() };
            let gate = Gate::fixed(1.0, 0.0).unwrap();
            let credit = token_advantages(&batch, &options, &gate).unwrap();
            for (scored, credit) in batch.iter().zip(credit) {
                for (policy, credit) in on_policy(&scored.trajectory).iter().zip(credit) {
                    prop_assert!((credit - policy * scored.advantage).abs() < 1e-12);
                }
            }
        }
    }

    // A = 0 gives credit 0 in every mode that weighs.
    #[test]
    fn a_sample_without_advantage_gives_no_credit(batch in batches(), options in options()) {
        let mut batch = batch;
        batch.iter_mut().for_each(|scored| scored.advantage = 0.0);
        let gate = gate_after(&batch, &options);
        for mode in WEIGHING {
            let options = CreditOptions { mode, ..options.clone() };
            let credit = token_advantages(&batch, &options, &gate).unwrap();
            prop_assert!(credit.iter().flatten().all(|credit| *credit == 0.0));
        }
    }

    // Causality: labels before a position do not depend on scores from that position on.
    #[test]
    fn scores_never_reach_back_to_labels_before_them(
        trajectory in trajectories(),
        cut in 0usize..60,
        noise in prop::collection::vec(-2f64..2.0, 60),
    ) {
        let cut = cut.min(trajectory.tokens);
        let mut changed = trajectory.clone();
        changed.scores[cut..].iter_mut().zip(noise).for_each(|(score, new)| *score = new);
        let labels = |trajectory| raw_labels(trajectory, 0.3, 0.3, 1);
        prop_assert_eq!(&labels(&trajectory)[..cut], &labels(&changed)[..cut]);
    }

    // Scores of the environment's tokens have no effect in the modes that weigh.
    #[test]
    fn scores_of_the_environments_tokens_change_neither_labels_nor_weights(
        batch in batches(), options in options(), noise in -9f64..9.0,
    ) {
        let mut changed = batch.clone();
        for scored in &mut changed {
            let policy = on_policy(&scored.trajectory);
            let scores = scored.trajectory.scores.iter_mut().zip(policy);
            scores.filter(|(_, policy)| *policy == 0.0).for_each(|(score, _)| *score += noise);
        }
        for mode in WEIGHING {
            let options = CreditOptions { mode, ..options.clone() };
            let credit = |batch: &[_]| {
                token_advantages(batch, &options, &gate_after(batch, &options)).unwrap()
            };
            prop_assert_eq!(bits(&credit(&batch)), bits(&credit(&changed)));
        }
    }

    // With λ = 1 the advantage of message k is A minus the rewards of the messages before it: a baseline of the past.
    #[test]
    fn undiscounted_advantages_are_what_is_left_after_earlier_rewards(
        steps in prop::collection::vec(-1f64..1.0, 1..8), total in -2f64..2.0, unit in 0f64..1.0,
    ) {
        let rewards = dense::rewards(&steps, unit, total);
        let advantages = dense::advantages(&rewards, 1.0);
        let mut left = total;
        for (advantage, reward) in advantages.iter().zip(&rewards) {
            prop_assert!((advantage - left).abs() < 1e-9);
            left -= reward;
        }
    }

    // The order of a batch has no effect: credit is permuted with it, and gate and credit keep every bit.
    #[test]
    fn a_shuffled_batch_gives_the_same_bits_in_the_new_order(
        batch in batches(), options in options(), seed: u64,
    ) {
        let mut order: Vec<usize> = (0..batch.len()).collect();
        crate::seed::Stream::new(seed, crate::seed::Purpose::Fault, &[]).shuffle(&mut order);
        let shuffled: Vec<_> = order.iter().map(|&i| batch[i].clone()).collect();

        let gate = gate_after(&batch, &options);
        prop_assert_eq!(&gate, &gate_after(&shuffled, &options));
        let credit = token_advantages(&batch, &options, &gate).unwrap();
        let expected: Vec<Vec<f64>> = order.iter().map(|&i| credit[i].clone()).collect();
        let got = token_advantages(&shuffled, &options, &gate).unwrap();
        prop_assert_eq!(bits(&got), bits(&expected));
    }

    // The gate interpolates: η = 0 is exactly the mode off, and η = 1 exactly the mode conserved.
    #[test]
    fn a_closed_gate_is_sample_wise_and_an_open_one_the_conserved_mask(
        batch in batches(), options in options(),
    ) {
        let credit = |mode, eta| {
            let options = CreditOptions { mode, ..options.clone() };
            bits(&token_advantages(&batch, &options, &Gate::fixed(eta, 0.0).unwrap()).unwrap())
        };
        prop_assert_eq!(credit(Mode::Gated, 0.0), credit(Mode::Off, 0.0));
        prop_assert_eq!(credit(Mode::Gated, 1.0), credit(Mode::Conserved, 0.0));
    }

    // Invalid input is refused with its position, by credit and gate alike, and the gate is unchanged.
    #[test]
    fn broken_batches_are_refused_and_the_trajectory_is_named(
        batch in batches(), at: prop::sample::Index, damage in 0usize..7,
    ) {
        let mut batch = batch;
        let index = at.index(batch.len());
        let ScoredTrajectory { trajectory, reward, advantage, .. } = &mut batch[index];
        match damage {
            0 => trajectory.scores[0] = f64::NAN,
            1 => trajectory.scores.push(0.0),
            2 => trajectory.tokens += 1,
            3 => trajectory.messages[0].start = 1,
            4 => drop(trajectory.messages.pop()),
            5 => *reward = f64::INFINITY,
            _ => *advantage = f64::NAN,
        }
        let (options, mut gate) = (CreditOptions::default(), Gate::default());
        let error = token_advantages(&batch, &options, &gate).unwrap_err();
        let named = matches!(error, CreditError::InBatch { index: i, .. } if i == index);
        prop_assert!(named, "{}", error);
        prop_assert_eq!(gate.observe(&batch, &options).unwrap_err().to_string(), error.to_string());
        prop_assert_eq!(gate, Gate::default());
    }
}

#[test]
fn a_label_changes_at_the_threshold_and_not_at_a_large_fall_above_it() {
    // A fall of 1.24 (1.4 to 0.16) that ends inside the band does not change the label.
    let message = Message { start: 0, end: 8, policy: true, kind: Kind::Search };
    let scores = vec![0.9, 1.4, 0.16, -0.29, -0.3, 0.29, -0.1, 0.3];
    let trajectory = Trajectory { tokens: 8, messages: vec![message], scores };
    assert_eq!(raw_labels(&trajectory, 0.3, 0.3, 1), [1, 1, 1, 1, -1, -1, -1, 1]);
    // The rule of the authors' released code, sign(v), changes the label four times.
    assert_eq!(raw_labels(&trajectory, 0.0, 0.0, 1), [1, 1, 1, -1, -1, 1, -1, 1]);
    let runs = |minimum| {
        let labels = raw_labels(&trajectory, 0.0, 0.0, 1);
        let all = segments(&trajectory, &labels, minimum);
        all.iter().map(|s| (s.start, s.end, s.label)).collect::<Vec<_>>()
    };
    assert_eq!(runs(1), [(0, 3, 1), (3, 5, -1), (5, 6, 1), (6, 7, -1), (7, 8, 1)]);
    assert_eq!(runs(2), [(0, 3, 1), (3, 8, -1)]);
    assert_eq!(runs(9), [(0, 8, 1)]);
}
