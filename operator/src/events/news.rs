//! From two statuses to what happened between them. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use shoprl_crds::ShopRLJobStatus;

use crate::metrics::closed;

closed! {
    /// What an event is about.
    Reason {
        /// The manifest is valid, and no trainer begins yet.
        Accepted = "Accepted",
        /// It is not.
        Rejected = "Rejected",
        /// A trainer begins, the first time or with the newest checkpoint.
        AttemptStarted = "AttemptStarted",
        /// A worker failed by itself and is replaced.
        WorkerFailed = "WorkerFailed",
        /// A worker was taken away and is replaced.
        WorkerReplaced = "WorkerReplaced",
        /// No node is what a role asks for.
        Unplaceable = "Unplaceable",
        /// The API server refused to make what the job needs.
        Refused = "Refused",
        /// No pod lives.
        Suspended = "Suspended",
        /// It goes on.
        Resumed = "Resumed",
        /// The target step is reached.
        Complete = "Complete",
        /// The job cannot go on.
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

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What it is about.
    pub reason: Reason,
    /// For people.
    pub note: String,
}

/// What happened between two statuses of a job.
pub fn news(old: &ShopRLJobStatus, new: &ShopRLJobStatus) -> Vec<News> {
    let turned = |kind: &str, value: &str| turned(old, new, kind, value);
    let mut news = Vec::new();
    let mut tell = |reason, note: String| news.push(News { reason, note });
    // While it is suspended, the number is that of the attempt to come.
    let attempt = |status: &ShopRLJobStatus| {
        status.intent.as_ref().filter(|intent| !intent.suspended).and(status.attempt)
    };
    let attempt = attempt(new).filter(|number| Some(*number) != attempt(old));
    // A trainer that begins says as much.
    if let Some(accepted) = turned("Accepted", "True").filter(|_| attempt.is_none()) {
        tell(Reason::Accepted, accepted.message.clone());
    }
    // Another mistake after one that was corrected is news too.
    if let Some(rejected) = condition(new, "Accepted").filter(|it| it.status == "False")
        && condition(old, "Accepted").is_none_or(|known| known.message != rejected.message)
    {
        tell(Reason::Rejected, rejected.message.clone());
    }
    if let Some((reason, note)) = replaced(old, new) {
        tell(reason, note);
    }
    if let Some(attempt) = attempt {
        let note = match attempt {
            1 => "attempt 1 begins".to_owned(),
            _ => format!("attempt {attempt} begins with the newest checkpoint"),
        };
        tell(Reason::AttemptStarted, note);
    }
    for (kind, reason) in [("Placed", Reason::Unplaceable), ("RolesReady", Reason::Refused)] {
        let is = |condition: &&Condition| condition.reason == reason.name();
        if let Some(found) = condition(new, kind).filter(is)
            && condition(old, kind).filter(is).is_none()
        {
            tell(reason, found.message.clone());
        }
    }
    if let Some(suspended) = turned("Suspended", "True") {
        tell(Reason::Suspended, suspended.message.clone());
    }
    if let Some(resumed) = condition(new, "Suspended").filter(|it| it.reason == "Resumed")
        && condition(old, "Suspended").is_some_and(|known| known.reason != "Resumed")
    {
        tell(Reason::Resumed, resumed.message.clone());
    }
    for (kind, reason) in [("Complete", Reason::Complete), ("Failed", Reason::Failed)] {
        if let Some(over) = turned(kind, "True") {
            tell(reason, over.message.clone());
        }
    }
    news
}

/// Workers whose end was counted, with the last words of the newest.
fn replaced(old: &ShopRLJobStatus, new: &ShopRLJobStatus) -> Option<(Reason, String)> {
    let failed = new.failures.application.saturating_sub(old.failures.application);
    let taken = new.failures.disruption.saturating_sub(old.failures.disruption);
    let last = new.failures.last.as_ref().filter(|_| failed + taken > 0)?;
    let reason = if failed > 0 { Reason::WorkerFailed } else { Reason::WorkerReplaced };
    let mut note = format!("{}: {}", last.worker, last.reason);
    if !last.message.is_empty() {
        note.push_str(": ");
        note.push_str(&last.message);
    }
    if failed + taken > 1 {
        note.push_str(&format!("; {} others at the same time", failed + taken - 1));
    }
    // The number of replacements tells this one from the next of the same words.
    note.push_str(&format!(" (restart {})", new.restarts));
    Some((reason, note))
}

fn turned<'a>(
    old: &ShopRLJobStatus,
    new: &'a ShopRLJobStatus,
    kind: &str,
    value: &str,
) -> Option<&'a Condition> {
    let now = condition(new, kind).filter(|condition| condition.status == value)?;
    condition(old, kind).is_none_or(|known| known.status != value).then_some(now)
}

fn condition<'a>(status: &'a ShopRLJobStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.type_ == kind)
}
