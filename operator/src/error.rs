//! Why a reconcile failed.

use crate::metrics::Outcome;

/// Why a reconcile failed. The job is reconciled again after a pause.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused a request, or did not answer.
    #[error("cannot {action}")]
    Api {
        /// What was requested, as a verb with its object.
        action: &'static str,
        /// The answer, or why there is none.
        source: kube::Error,
    },
    /// An object with a needed name exists and belongs to something else.
    #[error("{kind} {name} exists and does not belong to this job; delete or rename it")]
    NotOurs {
        /// Kind of the object.
        kind: &'static str,
        /// Name of the object.
        name: String,
    },
    /// Another operator has applied a newer attempt or generation.
    #[error("another operator has applied a newer state of this job")]
    Overtaken,
    /// The API server sent an object without a field that every object has.
    #[error("the job has no {0}")]
    Incomplete(&'static str),
}

impl Error {
    /// The label of the metric.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Api { .. } => Outcome::ApiError,
            Self::NotOurs { .. } => Outcome::NotOurs,
            Self::Overtaken => Outcome::Overtaken,
            Self::Incomplete(_) => Outcome::Incomplete,
        }
    }

    /// The text for the job's status if the request was refused because of what it asks for (400, 403, 422) or because a
    /// name is taken. `None` for errors that a retry may resolve.
    pub(crate) fn refusal(&self) -> Option<String> {
        match self {
            Self::Api { action, source: kube::Error::Api(status) }
                if matches!(status.code, 400 | 403 | 422) =>
            {
                Some(format!("cannot {action}: {}", status.message))
            }
            Self::NotOurs { .. } => Some(self.to_string()),
            Self::Api { .. } | Self::Overtaken | Self::Incomplete(_) => None,
        }
    }
}
