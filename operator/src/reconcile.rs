//! One pass over one job: observe, plan, then either persist a changed wish or act on the persisted one and report.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use kube::api::{ApiResource, DynamicObject, ObjectMeta, PostParams};
use kube::runtime::controller::Action;
use kube::{Api, Resource, ResourceExt};
use serde::Deserialize;
use serde_json::json;
use shoprl_crds::{ShopRLJob, ShopRLJobStatus};
use shoprl_plan::cluster::{self, Effect, JOB_LABEL, JobFacts, Observed, ObservedPod, PodState};
use shoprl_plan::local::ProcessId;
use shoprl_plan::placement::Node;
use shoprl_plan::validate;
use tracing::Instrument;

use crate::apply::{self, apply};
use crate::context::Context;
use crate::events;
use crate::job::{Job, Unreadable};
use crate::metrics::{Outcome, Why};

/// Why a pass ended early; the job is looked at again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused, or was not reached.
    #[error("{what}: {source}")]
    Api {
        /// What was tried.
        what: &'static str,
        /// What was answered.
        source: kube::Error,
    },
    /// An object of the name is there and belongs to somebody else.
    #[error("{kind} {name} belongs to somebody else; delete or rename it")]
    NotOurs {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Another operator knows of a newer attempt.
    #[error("another operator is ahead of this pass")]
    Overtaken,
    /// An object that the API server sent lacks what every object has.
    #[error("the job has no {0}")]
    Incomplete(&'static str),
}

impl Error {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Api { .. } => Outcome::ApiError,
            Self::NotOurs { .. } => Outcome::NotOurs,
            Self::Overtaken => Outcome::Overtaken,
            Self::Incomplete(_) => Outcome::Incomplete,
        }
    }

    /// The API server's words when it does not take an object for what it is, now or ever: 400, 403, 422. Everything else
    /// passes by itself.
    fn refusal(&self) -> Option<String> {
        match self {
            Self::Api { what, source: kube::Error::Api(status) }
                if matches!(status.code, 400 | 403 | 422) =>
            {
                Some(format!("{what}: {}", status.message))
            }
            Self::NotOurs { .. } => Some(self.to_string()),
            Self::Api { .. } | Self::Overtaken | Self::Incomplete(_) => None,
        }
    }
}

/// One pass.
///
/// # Errors
/// When the API server refused a write or was not reached, and when an object of a needed name is somebody else's.
pub async fn reconcile(job: Arc<Job>, context: Arc<Context>) -> Result<Action, Error> {
    let metadata = job.meta();
    let span = tracing::info_span!(
        "reconcile",
        namespace = metadata.namespace,
        job = metadata.name,
        generation = metadata.generation
    );
    let begun = Instant::now();
    let result = observed_pass(&job, &context).instrument(span).await;
    let outcome = result.as_ref().map_or_else(Error::outcome, |_| Outcome::Done);
    context.metrics.passed(outcome, begun.elapsed());
    result
}

async fn observed_pass(job: &Job, context: &Context) -> Result<Action, Error> {
    // Before its pods are listed once, a job that runs looks like one that has none. No writer any more: the process ends.
    if context.pods.wait_until_ready().await.is_err() {
        return Ok(Action::await_change());
    }
    // Its children go with it; until they are gone nothing may be made.
    if job.meta().deletion_timestamp.is_some() || context.written.is_newer_than(job.meta()) {
        return Ok(Action::await_change());
    }
    match &job.0 {
        // On the heap: it is held over every await of the ones above.
        Ok(job) => Box::pin(pass(job, context)).await,
        Err(unreadable) => {
            tell_unreadable(unreadable, context).await?;
            Ok(Action::await_change())
        }
    }
}

/// Says in the status of an object that it cannot be read. The rest of it is written back as it was read, whatever it is.
async fn tell_unreadable(unreadable: &Unreadable, context: &Context) -> Result<(), Error> {
    let Unreadable { object, error } = unreadable;
    let (metadata, known) = (&object.metadata, &object.data["status"]["conditions"]);
    // Conditions that cannot be read either are made anew: they are what is said here.
    let known = Vec::deserialize(known).unwrap_or_default();
    let told = cluster::unreadable(&known, metadata.generation, error, (context.clock)());
    let Some(conditions) = told else { return Ok(()) };
    tracing::warn!(error, "a job cannot be read");
    let mut next = object.clone();
    if !next.data["status"].is_object() {
        next.data["status"] = json!({});
    }
    next.data["status"]["conditions"] = json!(conditions);
    let namespace = metadata.namespace.as_deref().ok_or(Error::Incomplete("namespace"))?;
    let kind = ApiResource::erase::<ShopRLJob>(&());
    let jobs: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), namespace, &kind);
    match jobs.replace_status(&object.name_any(), &PostParams::default(), &next).await {
        Ok(written) => {
            context.written.note(&written.metadata);
            context.metrics.wrote_status(Why::Rejected);
            Ok(())
        }
        Err(source) => passed_by(source),
    }
}

async fn pass(job: &ShopRLJob, context: &Context) -> Result<Action, Error> {
    let namespace = job.metadata.namespace.as_deref().ok_or(Error::Incomplete("namespace"))?;
    let uid = job.metadata.uid.as_deref().ok_or(Error::Incomplete("uid"))?;
    let owner = job.controller_owner_ref(&()).ok_or(Error::Incomplete("uid"))?;
    let (name, now) = (job.name_any(), (context.clock)());
    let before = job.status.clone().unwrap_or_default();
    let validated = match validate(&job.spec, &name) {
        Ok(validated) => validated,
        Err(mistakes) => {
            let status = cluster::rejected(&before, job.metadata.generation, &mistakes, now);
            write_status(job, status, Why::Rejected, context).await?;
            return Ok(Action::await_change());
        }
    };
    let token = context.key.token(uid);
    let facts = JobFacts {
        namespace,
        uid,
        generation: job.metadata.generation,
        version: job.metadata.resource_version.as_deref(),
        owner,
        image: &context.worker_image,
        operator: context.operator.as_ref(),
        token: &token,
        validated: &validated,
        status: &before,
    };
    let observed = observe(&facts, &name, context).await;
    let plan = cluster::plan(&facts, &observed, now);
    if let Some(wish) = plan.intent {
        write_status(job, wish, Why::Intent, context).await?;
        return Ok(Action::await_change());
    }
    let surrounds = |effect: &Effect| matches!(effect, Effect::Surround(_));
    let mut surrounded = !plan.effects.iter().any(surrounds);
    for effect in plan.effects {
        let done = surrounded || surrounds(&effect);
        if let Err(error) = apply(effect, namespace, uid, &context.client, &context.metrics).await {
            // Whoever looks at the job shall see why nothing happens.
            if let Some(words) = error.refusal() {
                let status = cluster::refused(&plan.report, surrounded, &words, now);
                write_status(job, status, Why::Report, context).await?;
            }
            return Err(error);
        }
        surrounded = done;
    }
    report(job, plan.report, context).await?;
    Ok(plan.look_again.map_or_else(Action::await_change, Action::requeue))
}

async fn observe(facts: &JobFacts<'_>, name: &str, context: &Context) -> Observed {
    let ours = |pod: &k8s_openapi::api::core::v1::Pod| {
        pod.metadata.namespace.as_deref() == Some(facts.namespace)
            && pod.labels().get(JOB_LABEL).is_some_and(|job| job == name)
            && apply::is_owned(&pod.metadata, facts.uid)
    };
    let pods = context.pods.state().into_iter().filter(|pod| ours(pod));
    let mut pods: Vec<ObservedPod> = pods.filter_map(|pod| ObservedPod::of(&pod)).collect();
    // The cache has no order, and a plan has one.
    pods.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let attempt = facts.status.attempt;
    let trainer = pods.iter().find(|pod| {
        pod.worker == ProcessId::TRAINER
            && Some(pod.incarnation) == attempt
            && pod.state == PodState::Ready
    });
    let progress = match trainer.and_then(|pod| pod.address.as_deref()) {
        Some(address) => context.trainers.ask(address, facts.uid, facts.token).await,
        None => None,
    };
    // Asked only for a job that waits for one: nodes are many.
    let waits = pods.iter().any(|pod| pod.node.is_none() && pod.ending().is_none());
    let nodes = context.nodes.as_ref().filter(|_| waits);
    let nodes: Option<Vec<Node>> =
        nodes.map(|nodes| nodes.state().iter().filter_map(|it| Node::of(it)).collect());
    // None is what is known before the first list is there.
    let nodes = nodes.filter(|nodes| !nodes.is_empty());
    Observed { pods, progress, nodes }
}

/// Writes what was seen. A status that only tells of progress waits for its turn: the next pass sees the difference again.
async fn report(job: &ShopRLJob, status: ShopRLJobStatus, context: &Context) -> Result<(), Error> {
    let before = job.status.clone().unwrap_or_default();
    let only_progress = before.progress != status.progress
        && before == ShopRLJobStatus { progress: before.progress.clone(), ..status.clone() };
    if only_progress && !context.progress_pace.may((context.clock)()) {
        return Ok(());
    }
    let why = if only_progress { Why::Progress } else { Why::Report };
    write_status(job, status, why, context).await
}

/// Writes a status that differs, against the version that was read: whoever was faster wins, and this pass is void.
async fn write_status(
    job: &ShopRLJob,
    status: ShopRLJobStatus,
    why: Why,
    context: &Context,
) -> Result<(), Error> {
    if job.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let namespace = job.metadata.namespace.as_deref().ok_or(Error::Incomplete("namespace"))?;
    let jobs: Api<ShopRLJob> = Api::namespaced(context.client.clone(), namespace);
    let next = ShopRLJob { status: Some(status), ..job.clone() };
    match jobs.replace_status(&job.name_any(), &PostParams::default(), &next).await {
        Ok(written) => {
            context.written.note(&written.metadata);
            context.metrics.wrote_status(why);
            events::post(job, &written, context).await;
            Ok(())
        }
        Err(source) => passed_by(source),
    }
}

/// A status that was not written because somebody else wrote, or because the job is gone: the watch tells, and a new pass begins.
fn passed_by(source: kube::Error) -> Result<(), Error> {
    match source {
        kube::Error::Api(status) if matches!(status.code, 404 | 409) => Ok(()),
        source => Err(Error::Api { what: "status", source }),
    }
}

/// The newest version of each job that this process wrote and the watch has not brought yet. A pass on an older one would act
/// on a wish that was replaced already.
#[derive(Debug, Default)]
pub struct Written(Mutex<HashMap<String, u64>>);

impl Written {
    fn note(&self, job: &ObjectMeta) {
        if let Some((uid, version)) = version(job) {
            self.lock().insert(uid, version);
        }
    }

    /// Whether what was written is newer than what the watch brought; what it caught up with is forgotten.
    fn is_newer_than(&self, job: &ObjectMeta) -> bool {
        let Some((uid, seen)) = version(job) else { return false };
        let mut written = self.lock();
        let newer = written.get(&uid).is_some_and(|written| *written > seen);
        if !newer {
            written.remove(&uid);
        }
        newer
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        // A map of numbers is whole at every moment, also after a panic beside it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resource versions of one kind are comparable numbers (KEP-5504).
fn version(job: &ObjectMeta) -> Option<(String, u64)> {
    Some((job.uid.clone()?, job.resource_version.as_ref()?.parse().ok()?))
}
