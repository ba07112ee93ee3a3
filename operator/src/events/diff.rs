//! Derives the events from two statuses of a job. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use shoprl_crds::ShopRLJobStatus;

use super::reason::Reason;

/// One change of a status, as an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Reason of the event.
    pub reason: Reason,
    /// Text of the event.
    pub note: String,
}

/// The changes from one status of a job to the next.
pub fn differences(old: &ShopRLJobStatus, new: &ShopRLJobStatus) -> Vec<Difference> {
    let turned = |kind: &str, value: &str| turned(old, new, kind, value);
    let mut found = Vec::new();
    let mut add = |reason, note: String| found.push(Difference { reason, note });
    // While a job is suspended, its status holds the number of the next attempt.
    let attempt = |status: &ShopRLJobStatus| {
        status.intent.as_ref().filter(|intent| !intent.suspended).and(status.attempt)
    };
    let attempt = attempt(new).filter(|number| Some(*number) != attempt(old));
    // AttemptStarted implies Accepted.
    if let Some(accepted) = turned("Accepted", "True").filter(|_| attempt.is_none()) {
        add(Reason::Accepted, accepted.message.clone());
    }
    // Another mistake after one was corrected is a change too.
    if let Some(rejected) = condition(new, "Accepted").filter(|it| it.status == "False")
        && condition(old, "Accepted").is_none_or(|before| before.message != rejected.message)
    {
        add(Reason::Rejected, rejected.message.clone());
    }
    if let Some((reason, note)) = replaced(old, new) {
        add(reason, note);
    }
    if let Some(attempt) = attempt {
        let note = match attempt {
            1 => "attempt 1 starts".to_owned(),
            _ => format!("attempt {attempt} starts from the newest checkpoint"),
        };
        add(Reason::AttemptStarted, note);
    }
    for (kind, reason) in [("Placed", Reason::Unplaceable), ("RolesReady", Reason::Refused)] {
        let is = |condition: &&Condition| condition.reason == reason.name();
        if let Some(found) = condition(new, kind).filter(is)
            && condition(old, kind).filter(is).is_none()
        {
            add(reason, found.message.clone());
        }
    }
    if let Some(suspended) = turned("Suspended", "True") {
        add(Reason::Suspended, suspended.message.clone());
    }
    if let Some(resumed) = condition(new, "Suspended").filter(|it| it.reason == "Resumed")
        && condition(old, "Suspended").is_some_and(|before| before.reason != "Resumed")
    {
        add(Reason::Resumed, resumed.message.clone());
    }
    for (kind, reason) in [("Complete", Reason::Complete), ("Failed", Reason::Failed)] {
        if let Some(end) = turned(kind, "True") {
            add(reason, end.message.clone());
        }
    }
    found
}

/// Workers whose end was counted, with the termination message of the newest.
fn replaced(old: &ShopRLJobStatus, new: &ShopRLJobStatus) -> Option<(Reason, String)> {
    let failed = new.failures.application.saturating_sub(old.failures.application);
    let disrupted = new.failures.disruption.saturating_sub(old.failures.disruption);
    let last = new.failures.last.as_ref().filter(|_| failed + disrupted > 0)?;
    let reason = if failed > 0 { Reason::WorkerFailed } else { Reason::WorkerReplaced };
    let mut note = format!("{}: {}", last.worker, last.reason);
    if !last.message.is_empty() {
        note.push_str(": ");
        note.push_str(&last.message);
    }
    if failed + disrupted > 1 {
        note.push_str(&format!("; {} more at the same time", failed + disrupted - 1));
    }
    // The number of restarts distinguishes this event from a later one with the same text.
    note.push_str(&format!(" (restart {})", new.restarts));
    Some((reason, note))
}

/// The condition, if it turned to `value`.
fn turned<'a>(
    old: &ShopRLJobStatus,
    new: &'a ShopRLJobStatus,
    kind: &str,
    value: &str,
) -> Option<&'a Condition> {
    let now = condition(new, kind).filter(|condition| condition.status == value)?;
    condition(old, kind).is_none_or(|before| before.status != value).then_some(now)
}

fn condition<'a>(status: &'a ShopRLJobStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.type_ == kind)
}
