//! Labels to segments: runs of one label inside one message of the policy.

use super::Trajectory;

/// Tokens `start..end` of one message that share a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// First token.
    pub(super) start: usize,
    /// One past the last token.
    pub(super) end: usize,
    /// Position of its message in the trajectory.
    pub(super) message: usize,
    /// +1 or −1.
    pub(super) label: i8,
}

/// Cuts the policy's tokens where the label changes and at the end of each message. A run shorter
/// than `minimum` joins the previous run of its message and takes that label; the first run of a
/// message remains, however short.
pub(super) fn segments(trajectory: &Trajectory, labels: &[i8], minimum: usize) -> Vec<Segment> {
    let mut segments = Vec::new();
    for (message, span) in trajectory.policy_messages() {
        let mut open: Option<Segment> = None;
        let mut start = span.start;
        for run in labels[span.range()].chunk_by(|a, b| a == b) {
            let (label, end) = (run[0], start + run.len());
            match &mut open {
                Some(last) if run.len() < minimum || last.label == label => last.end = end,
                _ => segments.extend(open.replace(Segment { start, end, message, label })),
            }
            start = end;
        }
        segments.extend(open);
    }
    segments
}

/// Gives every token the label of its segment, and 0 outside of segments.
pub(super) fn relabel(tokens: usize, segments: &[Segment]) -> Vec<i8> {
    let mut labels = vec![0; tokens];
    for segment in segments {
        labels[segment.start..segment.end].fill(segment.label);
    }
    labels
}
