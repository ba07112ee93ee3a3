//! Reasons of events.

use crate::closed::closed;

closed! {
    /// Reason of an event.
    Reason {
        /// The manifest is valid, and no attempt starts yet.
        Accepted = "Accepted",
        /// The manifest is invalid.
        Rejected = "Rejected",
        /// A trainer starts, the first time or from the newest checkpoint.
        AttemptStarted = "AttemptStarted",
        /// A worker failed and is replaced.
        WorkerFailed = "WorkerFailed",
        /// A worker was disrupted and is replaced.
        WorkerReplaced = "WorkerReplaced",
        /// No node fits a role.
        Unplaceable = "Unplaceable",
        /// The API server refused an object that the job needs.
        Refused = "Refused",
        /// The job is suspended and has no pods.
        Suspended = "Suspended",
        /// The job is resumed.
        Resumed = "Resumed",
        /// The target step is reached.
        Complete = "Complete",
        /// The job failed for good.
        Failed = "Failed",
    }
}

impl Reason {
    pub(super) const fn is_warning(self) -> bool {
        matches!(
            self,
            Self::Rejected | Self::WorkerFailed | Self::Unplaceable | Self::Refused | Self::Failed
        )
    }
}
