//! What metrics may be labelled with: closed enums, so that no job makes a new series.

/// An enum whose values have names; a label of a metric.
macro_rules! closed {
    ($(#[$documentation:meta])* $name:ident { $($(#[$meaning:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$meaning])* $value,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }

        impl prometheus_client::encoding::EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
                prometheus_client::encoding::EncodeLabelValue::encode(&self.name(), encoder)
            }
        }
    };
}
pub(crate) use closed;

closed! {
    /// How a pass over a job ended.
    Outcome {
        /// As planned.
        Done = "done",
        /// The API server refused, or was not reached.
        ApiError = "api_error",
        /// An object of a needed name is somebody else's.
        NotOurs = "not_ours",
        /// Another operator knows of a newer attempt.
        Overtaken = "overtaken",
        /// The API server sent an object without what every object has.
        Incomplete = "incomplete",
    }
}

closed! {
    /// What the API server answered.
    Answer {
        /// Done.
        Ok = "ok",
        /// 404.
        NotFound = "not_found",
        /// 409: somebody was faster, or the object is there.
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
    /// Of an HTTP status.
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
    Why {
        /// What shall be changed: persisted before anything is done about it.
        Intent = "intent",
        /// What was seen changed.
        Report = "report",
        /// Only the trainer's progress.
        Progress = "progress",
        /// The manifest cannot be.
        Rejected = "rejected",
    }
}

closed! {
    /// What was done about a job.
    EffectKind {
        /// Applied what surrounds the pods.
        Surround = "surround",
        /// Made what the pods of an attempt need.
        Prepare = "prepare",
        /// Created a pod.
        CreatePod = "create_pod",
        /// Deleted a pod.
        DeletePod = "delete_pod",
        /// Deleted a job whose time has passed.
        DeleteJob = "delete_job",
    }
}

closed! {
    /// The phase in a job's status.
    Phase {
        /// No status yet.
        New = "new",
        /// No pod yet.
        Pending = "Pending",
        /// Pods start.
        Starting = "Starting",
        /// Everybody is ready.
        Running = "Running",
        /// No pod is wanted.
        Suspended = "Suspended",
        /// The target step is reached.
        Complete = "Complete",
        /// It cannot go on.
        Failed = "Failed",
        /// The manifest cannot be.
        Rejected = "Rejected",
        /// Written by another version of the operator.
        Other = "other",
    }
}

impl Phase {
    /// Of a status.
    pub(crate) fn of(phase: Option<&str>) -> Self {
        let Some(phase) = phase else { return Self::New };
        Self::ALL.iter().copied().find(|known| known.name() == phase).unwrap_or(Self::Other)
    }
}
