//! Planted bugs between the real operator and the model. The invariants must find each of them.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::api::{Call, Verb, text};
use super::invariants::surrounds;

/// A mistake that an operator can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// The job is reconciled although it is being deleted.
    StatusAfterDelete,
    /// Pods have no incarnation label.
    MissingAttemptLabel,
    /// Pods are applied instead of created, so a foreign pod of the same name is taken over.
    ApplyInPlaceOfCreate,
    /// A job that is not in the cache counts as deleted, and its pods are deleted.
    CachedDestructiveRead,
    /// A status write whose reply was lost is repeated on top of its own result.
    DoubleCountAfterLostReply,
    /// Failures are counted in memory only.
    BudgetResetOnRestart,
    /// The next report removes a terminal condition.
    TerminalNotSticky,
    /// Pods are created before the intent is persisted.
    EffectBeforeIntent,
    /// Deletions have no UID precondition.
    WrongUidDelete,
    /// A replaced trainer writes checkpoints.
    UnfencedLineage,
    /// Pods have no owner reference.
    Orphans,
    /// Each reconcile writes the status.
    NeedlessWrite,
    /// An unreadable spec is read without its unreadable field.
    UnreadableTakenForRead,
    /// Progress is written every 15 s.
    RestlessProgress,
    /// Surroundings are written without a resource version.
    LateSurroundings,
}

impl Bug {
    /// All bugs.
    pub const ALL: [Self; 15] = [
        Self::StatusAfterDelete,
        Self::MissingAttemptLabel,
        Self::ApplyInPlaceOfCreate,
        Self::CachedDestructiveRead,
        Self::DoubleCountAfterLostReply,
        Self::BudgetResetOnRestart,
        Self::TerminalNotSticky,
        Self::EffectBeforeIntent,
        Self::WrongUidDelete,
        Self::UnfencedLineage,
        Self::Orphans,
        Self::NeedlessWrite,
        Self::UnreadableTakenForRead,
        Self::RestlessProgress,
        Self::LateSurroundings,
    ];

    /// Changes the `job` that a reconcile reads; `first` for the first reconcile of a process.
    pub(super) fn misread(self, job: &mut Value, first: bool) {
        match self {
            Self::StatusAfterDelete => remove(&mut job["metadata"], "deletionTimestamp"),
            Self::BudgetResetOnRestart if first && job.get("status").is_some() => {
                remove(&mut job["status"], "failures");
            }
            Self::TerminalNotSticky => {
                let conditions = job.pointer_mut("/status/conditions");
                if let Some(conditions) = conditions.and_then(Value::as_array_mut) {
                    conditions.retain(|condition| {
                        !matches!(text(condition, &["type"]), "Complete" | "Failed")
                    });
                }
            }
            Self::RestlessProgress => {
                let written = text(job, &["status", "progress", "time"]).parse::<Timestamp>();
                if let Ok(earlier) = written.map(|time| time - SignedDuration::from_secs(45)) {
                    job["status"]["progress"]["time"] = json!(earlier.to_string());
                }
            }
            Self::UnreadableTakenForRead if job["spec"]["seed"].is_string() => {
                remove(&mut job["spec"], "seed");
            }
            _ => {}
        }
    }

    /// Changes a `call` before it is sent.
    pub(super) fn missend(self, call: &mut Call) {
        let creates_pod = call.verb == Verb::Create && call.kind.plural == "pods";
        match self {
            Self::MissingAttemptLabel if creates_pod => {
                remove(&mut call.body["metadata"]["labels"], "shoprl.dev/incarnation");
            }
            Self::ApplyInPlaceOfCreate if creates_pod => {
                call.verb = Verb::Apply;
                call.name = text(&call.body, &["metadata", "name"]).to_owned();
                call.manager = "shoprl-operator".to_owned();
            }
            Self::LateSurroundings if call.verb == Verb::Update && surrounds(call.kind) => {
                call.verb = Verb::Merge;
                remove(&mut call.body["metadata"], "resourceVersion");
            }
            Self::WrongUidDelete if call.verb == Verb::Delete => call.body = json!({}),
            Self::Orphans if creates_pod => remove(&mut call.body["metadata"], "ownerReferences"),
            _ => {}
        }
    }
}

fn remove(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}
