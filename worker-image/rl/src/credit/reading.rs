//! The labels and segments that follow from a trajectory's scores, independent of its reward.

use super::labels::{Scale, Trigger};
use super::segments::{Segment, relabel, segments};
use super::{CreditError, CreditOptions, Kind, Message, ScoredTrajectory, Trajectory};

/// Labels and segments of one trajectory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// Normalised scores, one per token.
    pub(super) levels: Vec<f64>,
    /// +1 or −1 on the policy's tokens, 0 on the others.
    pub(super) labels: Vec<i8>,
    pub(super) segments: Vec<Segment>,
}

impl Reading {
    /// Labels one trajectory that has been checked.
    pub(super) fn new(trajectory: &Trajectory, scale: Scale, options: &CreditOptions) -> Self {
        let levels = scale.levels(trajectory, options.score_kind);
        let labels = Trigger::of(options).labels(trajectory, &levels);
        let segments = segments(trajectory, &labels, options.minimum_segment);
        Self { levels, labels: relabel(trajectory.tokens, &segments), segments }
    }

    /// Checks a batch and labels it on its common scale.
    pub(super) fn of_batch(
        batch: &[ScoredTrajectory],
        options: &CreditOptions,
    ) -> Result<Vec<Self>, CreditError> {
        options.check()?;
        for (index, scored) in batch.iter().enumerate() {
            scored.check().map_err(|error| {
                let (group, error) = (scored.group, Box::new(error));
                CreditError::InBatch { index, group, error }
            })?;
        }
        let scale = Scale::of(batch.iter().map(|scored| &scored.trajectory), options);
        Ok(batch.iter().map(|scored| Self::new(&scored.trajectory, scale, options)).collect())
    }

    /// The label at the end of each policy message, which judges the message as a whole.
    pub(super) fn closing_labels<'a>(
        &'a self,
        trajectory: &'a Trajectory,
    ) -> impl Iterator<Item = (Kind, f64)> + 'a {
        let closing = |message: &Message| f64::from(self.labels[message.end - 1]);
        trajectory.policy_messages().map(move |(_, message)| (message.kind, closing(message)))
    }

    /// Number of policy tokens, n.
    pub(super) fn policy_tokens(&self) -> usize {
        self.labels.iter().filter(|label| **label != 0).count()
    }

    /// The tokens at which the label changes: from `initial`, inside a message, or between
    /// messages.
    pub(super) fn pivots(&self, initial: i8) -> Vec<usize> {
        let mut state = initial;
        let mut turns = |segment: &&Segment| std::mem::replace(&mut state, segment.label) != state;
        self.segments.iter().filter(|segment| turns(segment)).map(|segment| segment.start).collect()
    }
}
