//! Bugs planted between the real operator and the model: each must be found.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::api::{Call, Verb, text};
use super::ledger::surrounds;

/// A mistake that an operator could make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Passes go on although the job is being deleted.
    StatusAfterDelete,
    /// Pods carry no label of their attempt.
    MissingAttemptLabel,
    /// Pods are applied, so one that is there is taken over.
    ApplyInPlaceOfCreate,
    /// What is not in the cache is taken for gone, and its pods are deleted.
    CachedDestructiveRead,
    /// A status write whose reply was lost is done again on top of itself.
    DoubleCountAfterLostReply,
    /// Failures are counted in memory.
    BudgetResetOnRestart,
    /// An end is forgotten by the next report.
    TerminalNotSticky,
    /// Pods are made before the intent is persisted.
    EffectBeforeIntent,
    /// Deletions name no unique id.
    WrongUidDelete,
    /// A trainer that was replaced writes checkpoints.
    UnfencedLineage,
    /// Children have no owner.
    Orphans,
    /// The status is written at every pass.
    NeedlessWrite,
    /// What cannot be read is taken for what it was.
    UnreadableTakenForRead,
    /// Progress is told again after a quarter of a minute.
    RestlessProgress,
    /// What surrounds the pods is changed whatever became of it since it was read.
    LateSurroundings,
}

impl Bug {
    /// All of them.
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

    /// What a pass reads instead of `job`; `first`: the first pass of its process.
    pub(super) fn misread(self, job: &mut Value, first: bool) {
        match self {
            Self::StatusAfterDelete => remove(&mut job["metadata"], "deletionTimestamp"),
            Self::BudgetResetOnRestart if first && job.get("status").is_some() => {
                remove(&mut job["status"], "failures");
            }
            Self::TerminalNotSticky => {
                let conditions = job.pointer_mut("/status/conditions");
                if let Some(conditions) = conditions.and_then(Value::as_array_mut) {
                    conditions.retain(|it| it["type"] != "Complete" && it["type"] != "Failed");
                }
            }
            Self::RestlessProgress => {
                let told = text(job, &["status", "progress", "time"]).parse::<Timestamp>();
                if let Ok(told) = told.map(|told| told - SignedDuration::from_secs(45)) {
                    job["status"]["progress"]["time"] = json!(told.to_string());
                }
            }
            Self::UnreadableTakenForRead if job["spec"]["seed"].is_string() => {
                remove(&mut job["spec"], "seed");
            }
            _ => {}
        }
    }

    /// What is sent instead of `call`.
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
