//! The groups that one training step opens and consumes.
//!
//! A step consumes the first `wanted` accepted groups in the order of their indices, regardless of
//! the order in which they complete. A group without variance of reward is filtered; only that
//! opens a further index. So the opened indices are `first .. first + wanted + filtered`, a
//! function of the rewards, and no accepted group is discarded.

use std::ops::Range;

/// The groups of one training step, as a pure state machine.
///
/// ```
/// use shoprl_rl::groups::StepGroups;
/// let mut groups = StepGroups::new(40, 2, 10);
/// assert_eq!(groups.open(), [40, 41]);
/// groups.complete(41, true)?;
/// groups.complete(40, false)?; // filtered: one more is opened
/// assert_eq!(groups.open(), [42]);
/// groups.complete(42, true)?;
/// assert_eq!(groups.finished(), Some(vec![41, 42]));
/// assert_eq!(groups.next_index(), 43);
/// # Ok::<(), shoprl_rl::groups::CompleteError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepGroups {
    first: u64,
    wanted: usize,
    limit: usize,
    /// One entry per opened index, starting at `first`.
    groups: Vec<Progress>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Playing,
    Accepted,
    Filtered,
}

/// Why a completion was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompleteError {
    /// The index does not belong to this step.
    #[error(
        "group {index} is not open: this step works on groups {} to {}; drop the result",
        opened.0, opened.1
    )]
    NotOpened {
        /// The index that was completed.
        index: u64,
        /// First and last index of the step.
        opened: (u64, u64),
    },
    /// The same group was completed before with the other result. In an exact run that is
    /// impossible.
    #[error(
        "group {index} was completed before with variance {before}, now with variance {now}: \
         the same samples gave different rewards"
    )]
    Contradiction {
        /// The index that was completed twice.
        index: u64,
        /// The recorded result.
        before: bool,
        /// The refused result.
        now: bool,
    },
}

impl StepGroups {
    /// A step that needs `wanted` groups, counted from index `first`. It opens at most `limit`
    /// indices (at least `wanted`), so that a policy that always or never succeeds cannot keep a
    /// step open forever.
    pub fn new(first: u64, wanted: usize, limit: usize) -> Self {
        let limit = limit.max(wanted);
        Self { first, wanted, limit, groups: vec![Progress::Playing; wanted] }
    }

    /// The opened indices that are not complete, ascending.
    pub fn open(&self) -> Vec<u64> {
        self.indices_that_are(Progress::Playing)
    }

    /// Records that all members of a group are scored, and whether their rewards differ. A repeated
    /// completion changes nothing.
    ///
    /// # Errors
    /// The step did not open the index, or the earlier result was the opposite.
    pub fn complete(&mut self, index: u64, has_variance: bool) -> Result<(), CompleteError> {
        let Range { start, end } = self.opened();
        let not_opened = CompleteError::NotOpened { index, opened: (start, end.saturating_sub(1)) };
        let position = index.checked_sub(start).ok_or(not_opened)? as usize;
        let group = self.groups.get_mut(position).ok_or(not_opened)?;

        let result = if has_variance { Progress::Accepted } else { Progress::Filtered };
        if *group == result {
            return Ok(());
        }
        if *group != Progress::Playing {
            let now = has_variance;
            return Err(CompleteError::Contradiction { index, before: !now, now });
        }
        *group = result;
        if result == Progress::Filtered && self.groups.len() < self.limit {
            self.groups.push(Progress::Playing);
        }
        Ok(())
    }

    /// The accepted indices in order, once every opened group is complete. There are fewer than
    /// wanted, or none, only if the limit was reached: see [`exhausted`](Self::exhausted).
    pub fn finished(&self) -> Option<Vec<u64>> {
        let playing = self.groups.contains(&Progress::Playing);
        (!playing).then(|| self.indices_that_are(Progress::Accepted))
    }

    /// Whether filtered groups and the limit keep this step below `wanted` groups.
    pub fn exhausted(&self) -> bool {
        self.limit - self.filtered() < self.wanted
    }

    /// Number of groups that completed without variance.
    pub fn filtered(&self) -> usize {
        self.groups.iter().filter(|&&group| group == Progress::Filtered).count()
    }

    /// The first unused index: the next step starts there once this step is finished.
    pub fn next_index(&self) -> u64 {
        self.opened().end
    }

    fn opened(&self) -> Range<u64> {
        self.first..self.first.saturating_add(self.groups.len() as u64)
    }

    fn indices_that_are(&self, progress: Progress) -> Vec<u64> {
        let states = self.opened().zip(&self.groups);
        states.filter(|(_, group)| **group == progress).map(|(index, _)| index).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seed::{Purpose, Stream};

    #[test]
    fn a_completion_may_be_repeated_but_not_contradicted() {
        let mut groups = StepGroups::new(5, 1, 4);
        groups.complete(5, false).unwrap();
        groups.complete(5, false).unwrap();
        assert_eq!(groups.open(), [6], "a repeated completion opened another group");
        assert_eq!(
            groups.complete(5, true),
            Err(CompleteError::Contradiction { index: 5, before: false, now: true })
        );
        groups.complete(6, true).unwrap();
        assert_eq!(groups.finished(), Some(vec![6]));
    }

    #[test]
    fn an_index_that_was_not_opened_is_refused() {
        let mut groups = StepGroups::new(5, 2, 4);
        for index in [4, 7, u64::MAX] {
            let error = CompleteError::NotOpened { index, opened: (5, 6) };
            assert_eq!(groups.complete(index, true), Err(error));
        }
        assert_eq!(groups.open(), [5, 6]);
    }

    #[test]
    fn a_step_that_only_filters_ends_at_its_limit() {
        let mut groups = StepGroups::new(0, 2, 3);
        for index in 0..3 {
            assert_eq!(groups.finished(), None);
            groups.complete(index, false).unwrap();
        }
        assert_eq!(groups.finished(), Some(vec![]));
        assert!(groups.exhausted());
        assert_eq!(groups.next_index(), 3);
    }

    #[test]
    fn a_step_that_wants_nothing_is_finished() {
        assert_eq!(StepGroups::new(9, 0, 0).finished(), Some(vec![]));
    }

    /// Completes groups from index 100 on, always the open one that `pick` names.
    fn play(wanted: usize, results: &[bool], mut pick: impl FnMut(&[u64]) -> u64) -> StepGroups {
        let mut groups = StepGroups::new(100, wanted, results.len());
        while groups.finished().is_none() {
            let index = pick(&groups.open());
            groups.complete(index, results[(index - 100) as usize]).unwrap();
        }
        groups
    }

    proptest! {
        #[test]
        fn what_a_step_consumes_does_not_depend_on_the_order_of_completion(
            results in prop::collection::vec(any::<bool>(), 40),
            wanted in 1usize..6,
            seed: u64,
        ) {
            let in_order = play(wanted, &results, |open| open[0]);
            let mut draws = Stream::new(seed, Purpose::Fault, &[]);
            let shuffled = play(wanted, &results, |open| *draws.choose(open).unwrap());
            prop_assert_eq!(&in_order, &shuffled);

            let accepted = (100..).zip(&results).filter(|(_, v)| **v).map(|(i, _)| i);
            let first: Vec<u64> = accepted.take(wanted).collect();
            prop_assert_eq!(in_order.finished(), Some(first.clone()));
            prop_assert_eq!(in_order.exhausted(), first.len() < wanted);
            // Not one index beyond the last that was consumed.
            if let (false, Some(last)) = (in_order.exhausted(), first.last()) {
                let filtered = results[..(last - 99) as usize].iter().filter(|v| !**v).count();
                prop_assert_eq!(in_order.next_index(), 100 + (wanted + filtered) as u64);
            }
        }
    }
}
