//! Invariants that hold after every write, computed from the objects and not from the operator's own counts.

mod budget;
mod pods;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::api::{Answer, Call, Change, Kind, Verb, is_leaving, owners, text, uid};
use super::process::{allows_no_pods, end_condition};

pub(super) use self::pods::is_live;

/// How the end of a pod may be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Application,
    Disruption,
    Permanent,
}

/// The end of one pod, as its object showed it.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    job: String,
    worker: String,
    incarnation: i64,
    fates: BTreeSet<Fate>,
    counted: bool,
}

/// The reconcile and the process behind a write.
pub(super) struct Author<'a> {
    /// The job as the reconcile read it.
    pub(super) job: &'a Value,
    /// UIDs of the pods in the process's cache, including those that it created.
    pub(super) cached: &'a BTreeSet<String>,
    /// Whether the process has listed the pods.
    pub(super) listed: bool,
}

/// The model's own records.
#[derive(Debug, Default)]
pub(super) struct Invariants {
    /// By the UID of the pod.
    evidence: BTreeMap<String, Evidence>,
    /// Times of counted application failures (ms), by job.
    counted: BTreeMap<String, Vec<i64>>,
    /// UIDs of the jobs whose trainer reached the target.
    pub(super) finished: BTreeSet<String>,
    /// Only one operator process exists at a time.
    alone: bool,
}

impl Invariants {
    /// No records. `alone` if only one operator process exists at a time.
    pub(super) fn new(alone: bool) -> Self {
        Self { alone, ..Self::default() }
    }

    /// Checks a call of the operator and its answer.
    ///
    /// # Errors
    /// The violated invariant.
    pub(super) fn operator(
        &mut self,
        call: &Call,
        answer: &Answer,
        author: &Author<'_>,
        now: i64,
        pods: &[&Value],
    ) -> Result<(), String> {
        let Some(change) = &answer.change else {
            let same = answer.code == 200 && call.verb == Verb::Update;
            return if same { Err(format!("{call} changed nothing")) } else { Ok(()) };
        };
        // Events are posted in the background, after a reconcile that may have been earlier.
        if is_leaving(author.job) && change.kind.plural != "events" {
            return Err(format!("{call} by a reconcile that read a job being deleted"));
        }
        if !author.listed {
            return Err(format!("{call} by a process that has not listed the pods"));
        }
        owned(call, change, author)?;
        match (change.kind.plural, &change.before, &change.after) {
            ("pods", None, Some(pod)) => self.created(pod, author, pods),
            ("pods", Some(pod), after) if after.as_deref().is_none_or(is_leaving) => {
                deleted(pod, author)
            }
            ("shoprljobs", Some(before), Some(after)) => self.written(before, after, now),
            (_, Some(before), Some(after)) if surrounds(change.kind) => forward(before, after),
            _ => Ok(()),
        }
    }

    /// Records a change of any object.
    pub(super) fn observe(&mut self, change: &Change) {
        if change.kind.plural != "pods" {
            return;
        }
        let Some(pod) = change.after.as_ref().or(change.before.as_ref()) else { return };
        let label = |name: &str| text(pod, &["metadata", "labels", name]);
        let evidence = self.evidence.entry(uid(pod).to_owned()).or_insert_with(|| Evidence {
            job: owners(pod).next().unwrap_or_default().to_owned(),
            worker: format!("{}-{}", label("shoprl.dev/role"), label("shoprl.dev/index")),
            incarnation: label("shoprl.dev/incarnation").parse().unwrap_or_default(),
            ..Evidence::default()
        });
        if is_leaving(pod) {
            evidence.fates.insert(Fate::Disruption);
        }
        evidence.fates.extend(pods::fate(pod));
    }

    fn written(&mut self, before: &Value, after: &Value, now: i64) -> Result<(), String> {
        if let Some(was) = end_condition(before)
            && before["status"] != after["status"]
        {
            return Err(format!(
                "{} is terminal, but the status became {}",
                was["type"], after["status"]
            ));
        }
        paced(before, after)?;
        self.budget(before, after, now)
    }
}

/// Whether a kind belongs to the surroundings of a job.
pub(super) fn surrounds(kind: &Kind) -> bool {
    matches!(kind.plural, "networkpolicies" | "poddisruptionbudgets")
}

/// Surroundings of a later generation of the spec are not replaced by those of an earlier one.
fn forward(before: &Value, after: &Value) -> Result<(), String> {
    let generation = |object: &Value| {
        text(object, &["metadata", "annotations", "shoprl.dev/generation"]).parse().unwrap_or(0_i64)
    };
    let (was, is) = (generation(before), generation(after));
    let name = text(after, &["metadata", "name"]);
    if is < was { Err(format!("{name} of generation {was} went back to {is}")) } else { Ok(()) }
}

/// A write of progress alone needs a new phase, a new success rate, or a minute since the last one.
fn paced(before: &Value, after: &Value) -> Result<(), String> {
    let without_progress = |job: &Value| {
        let mut status = job["status"].clone();
        let progress = status.get_mut("progress").map(Value::take).unwrap_or_default();
        (status, progress)
    };
    let ((rest, was), (same_rest, is)) = (without_progress(before), without_progress(after));
    let time = |progress: &Value| text(progress, &["time"]).parse::<Timestamp>().ok();
    let (Some(then), Some(now)) = (time(&was), time(&is)) else { return Ok(()) };
    let is_new =
        rest != same_rest || was["phase"] != is["phase"] || was["success"] != is["success"];
    let seconds = now.duration_since(then).as_secs();
    if is_new || seconds >= 60 {
        return Ok(());
    }
    Err(format!("progress was written {seconds} s ago, and again without a change"))
}

/// A reconcile writes only objects of its own job.
fn owned(call: &Call, change: &Change, author: &Author<'_>) -> Result<(), String> {
    let job = uid(author.job);
    // Only an apply may take over an object of an earlier job of the same name.
    let object = match change.kind.plural {
        "services" => change.after.as_ref().or(change.before.as_ref()),
        _ => change.before.as_ref().or(change.after.as_ref()),
    };
    let Some(object) = object else { return Ok(()) };
    let own = match change.kind.plural {
        "shoprljobs" => uid(object) == job,
        "pods"
        | "configmaps"
        | "secrets"
        | "services"
        | "networkpolicies"
        | "poddisruptionbudgets" => owners(object).any(|owner| owner == job),
        // The claim outlives the job. Other kinds have no rule.
        _ => true,
    };
    let name = text(object, &["metadata", "name"]);
    if own { Ok(()) } else { Err(format!("{call} {name}, which does not belong to the job")) }
}

fn deleted(pod: &Value, author: &Author<'_>) -> Result<(), String> {
    let name = text(pod, &["metadata", "name"]);
    if !author.cached.contains(uid(pod)) {
        return Err(format!("deleted {name}, a pod that was not in its cache"));
    }
    if !allows_no_pods(author.job) && pods::is_intended(pod, author.job) {
        return Err(format!("deleted {name}, which the intent holds"));
    }
    Ok(())
}
