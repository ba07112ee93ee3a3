//! What must hold after every write, kept apart from what the operator says of itself.

mod budget;
mod pods;

pub(super) use pods::is_live;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::api::{Answer, Call, Change, Kind, Verb, is_leaving, owners, text, uid};
use super::process::over;

/// What the end of a pod may be counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Application,
    Disruption,
    Permanent,
}

/// What befell one pod, as its object told.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    job: String,
    worker: String,
    incarnation: i64,
    fates: BTreeSet<Fate>,
    counted: bool,
}

/// Who made a change.
pub(super) struct Author<'a> {
    /// The job as the pass read it.
    pub(super) job: &'a Value,
    /// Unique ids of the pods that its process knows of: in its cache, or made by itself.
    pub(super) cached: &'a BTreeSet<String>,
    /// Whether its process listed the pods yet.
    pub(super) listed: bool,
}

/// The model's own books.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By the unique id of the pod.
    evidence: BTreeMap<String, Evidence>,
    /// When failures of the workers' own were counted, by job (ms).
    counted: BTreeMap<String, Vec<i64>>,
    /// Jobs whose trainer reached the target.
    pub(super) finished: BTreeSet<String>,
    /// Only one operator lives at a time.
    alone: bool,
}

impl Ledger {
    /// Empty books; `alone`: only one operator lives at a time.
    pub(super) fn new(alone: bool) -> Self {
        Self { alone, ..Self::default() }
    }

    /// An operator's call was answered.
    ///
    /// # Errors
    /// What does not hold.
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
        // An event is posted beside, of what an earlier pass wrote.
        if is_leaving(author.job) && change.kind.plural != "events" {
            return Err(format!("{call} by a pass that saw the job being deleted"));
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

    /// Anything changed.
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
        if let Some(was) = over(before)
            && before["status"] != after["status"]
        {
            return Err(format!(
                "{} was final, now the status is {}",
                was["type"], after["status"]
            ));
        }
        paced(before, after)?;
        self.budget(before, after, now)
    }
}

/// Whether objects of a kind surround a job's pods.
pub(super) fn surrounds(kind: &Kind) -> bool {
    matches!(kind.plural, "networkpolicies" | "poddisruptionbudgets")
}

/// What a later generation of the spec asked for is not replaced by what an earlier one did.
fn forward(before: &Value, after: &Value) -> Result<(), String> {
    let generation = |object: &Value| {
        text(object, &["metadata", "annotations", "shoprl.dev/generation"]).parse().unwrap_or(0_i64)
    };
    let (was, is) = (generation(before), generation(after));
    let name = text(after, &["metadata", "name"]);
    if is < was { Err(format!("{name} of generation {was} went back to {is}")) } else { Ok(()) }
}

/// Progress alone is written when its phase or its success rate is another one, or after a minute.
fn paced(before: &Value, after: &Value) -> Result<(), String> {
    let without_progress = |job: &Value| {
        let mut status = job["status"].clone();
        let progress = status.get_mut("progress").map(Value::take).unwrap_or_default();
        (status, progress)
    };
    let ((rest, was), (same_rest, is)) = (without_progress(before), without_progress(after));
    let told = |progress: &Value| text(progress, &["time"]).parse::<Timestamp>().ok();
    let (Some(then), Some(now)) = (told(&was), told(&is)) else { return Ok(()) };
    let news = rest != same_rest || was["phase"] != is["phase"] || was["success"] != is["success"];
    let seconds = now.duration_since(then).as_secs();
    if news || seconds >= 60 {
        return Ok(());
    }
    Err(format!("progress was told {seconds} s ago, and again without news"))
}

/// Everything an operator touches belongs to the job that it looks at.
fn owned(call: &Call, change: &Change, author: &Author<'_>) -> Result<(), String> {
    let job = uid(author.job);
    // An apply takes over what an earlier job of the name left; nothing else does.
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
        // The claim outlives the job. Kinds without a rule of their own are free.
        _ => true,
    };
    let name = text(object, &["metadata", "name"]);
    if own { Ok(()) } else { Err(format!("{call} {name}, which is not the job's")) }
}

fn deleted(pod: &Value, author: &Author<'_>) -> Result<(), String> {
    let name = text(pod, &["metadata", "name"]);
    if !author.cached.contains(uid(pod)) {
        return Err(format!("deleted {name}, a pod that it never saw"));
    }
    if !super::process::wants_no_pods(author.job) && pods::is_intended(pod, author.job) {
        return Err(format!("deleted {name}, which is wanted"));
    }
    Ok(())
}
