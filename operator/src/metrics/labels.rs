//! Values of the labels.

use crate::closed::closed;

closed! {
    /// How a reconcile ended.
    Outcome {
        /// As planned.
        Done = "done",
        /// The API server refused a request, or did not answer.
        ApiError = "api_error",
        /// An object with a needed name belongs to something else.
        NotOurs = "not_ours",
        /// Another operator has applied a newer state.
        Overtaken = "overtaken",
        /// The API server sent an object without a field that every object has.
        Incomplete = "incomplete",
    }
}

closed! {
    /// Answer of the API server.
    Answer {
        /// A status below 400.
        Ok = "ok",
        /// 404.
        NotFound = "not_found",
        /// 409: the object changed meanwhile, or it exists.
        Conflict = "conflict",
        /// 401 or 403: the operator lacks a right.
        Forbidden = "forbidden",
        /// Another 4xx.
        Refused = "refused",
        /// 5xx.
        ServerError = "server_error",
        /// No answer.
        Unreachable = "unreachable",
    }
}

impl Answer {
    /// The answer with this HTTP status.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            ..400 => Self::Ok,
            404 => Self::NotFound,
            409 => Self::Conflict,
            401 | 403 => Self::Forbidden,
            400..500 => Self::Refused,
            500.. => Self::ServerError,
        }
    }
}

closed! {
    /// Why a status was written.
    WriteReason {
        /// A changed intent, persisted before any effect.
        Intent = "intent",
        /// An observed change.
        Report = "report",
        /// A change of only the trainer's progress.
        Progress = "progress",
        /// An invalid manifest.
        Rejected = "rejected",
    }
}

closed! {
    /// Kind of an effect.
    EffectKind {
        /// Applied the surroundings of the pods.
        Surround = "surround",
        /// Created the objects that the pods of an attempt need.
        Prepare = "prepare",
        /// Created a pod.
        CreatePod = "create_pod",
        /// Deleted a pod.
        DeletePod = "delete_pod",
        /// Deleted a finished job.
        DeleteJob = "delete_job",
    }
}

closed! {
    /// Phase in a job's status.
    Phase {
        /// No status yet.
        New = "new",
        /// Accepted, without a pod yet.
        Pending = "Pending",
        /// Not all workers are ready.
        Starting = "Starting",
        /// All workers are ready.
        Running = "Running",
        /// Suspended by its spec.
        Suspended = "Suspended",
        /// The target step is reached.
        Complete = "Complete",
        /// It failed for good.
        Failed = "Failed",
        /// An invalid manifest.
        Rejected = "Rejected",
        /// A phase of another version of the operator.
        Other = "other",
    }
}

impl Phase {
    /// The label for the phase in a status.
    pub(crate) fn of(phase: Option<&str>) -> Self {
        let Some(phase) = phase else { return Self::New };
        Self::ALL.iter().copied().find(|known| known.name() == phase).unwrap_or(Self::Other)
    }
}
