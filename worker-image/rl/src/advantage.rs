//! Advantages of whole samples.

/// The group-relative advantage of GRPO (Shao et al. 2024, arXiv 2402.03300, section 4.1):
/// (r - mean) / std over the members of one group, with the population standard deviation.
///
/// `None` if the standard deviation is not above `floor`, if a reward is not finite, or if the
/// group is empty. Such a group has no signal and is filtered; the alternative would be a division
/// by almost zero.
///
/// ```
/// use shoprl_rl::advantage::group_relative;
/// assert_eq!(group_relative(&[1.0, 0.0, 1.0, 0.0], 1e-6), Some(vec![1.0, -1.0, 1.0, -1.0]));
/// assert_eq!(group_relative(&[1.0, 1.0, 1.0, 1.0], 1e-6), None);
/// ```
pub fn group_relative(rewards: &[f64], floor: f64) -> Option<Vec<f64>> {
    let n = rewards.len() as f64;
    let mean = rewards.iter().sum::<f64>() / n;
    let variance = rewards.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / n;
    let deviation = variance.sqrt();
    // NaN and infinity fail this comparison, like small deviations.
    let usable = deviation.is_finite() && deviation > floor;
    usable.then(|| rewards.iter().map(|r| (r - mean) / deviation).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::group_relative;

    #[test]
    fn groups_without_signal_are_filtered() {
        let check =
            |rewards: &[f64]| assert_eq!(group_relative(rewards, 1e-6), None, "{rewards:?}");
        check(&[]);
        check(&[0.3]);
        check(&[0.1; 8]);
        check(&[0.5, 0.5 + 1e-7]);
        check(&[0.0, f64::NAN]);
        check(&[0.0, f64::INFINITY]);
    }

    proptest! {
        #[test]
        fn advantages_have_mean_zero_and_variance_one(
            rewards in prop::collection::vec(-10f64..10.0, 2..32),
        ) {
            let Some(advantages) = group_relative(&rewards, 1e-3) else { return Ok(()) };
            let n = advantages.len() as f64;
            let mean = advantages.iter().sum::<f64>() / n;
            let square = advantages.iter().map(|a| a * a).sum::<f64>() / n;
            prop_assert!(mean.abs() < 1e-9 && (square - 1.0).abs() < 1e-9, "{mean} {square}");
        }

        #[test]
        fn advantages_ignore_shift_and_scale_of_the_reward(
            rewards in prop::collection::vec(-1f64..1.0, 2..16),
            shift in -5f64..5.0,
            scale in 0.5f64..4.0,
        ) {
            let moved: Vec<f64> = rewards.iter().map(|r| r * scale + shift).collect();
            let both = group_relative(&rewards, 1e-2).zip(group_relative(&moved, 0.0));
            if let Some((a, b)) = both {
                for (x, y) in a.iter().zip(&b) {
                    prop_assert!((x - y).abs() < 1e-9, "{x} against {y}");
                }
            }
        }
    }
}
