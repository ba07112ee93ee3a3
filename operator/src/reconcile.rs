//! One pass over one job: observe, plan, persist a changed wish, act on what is persisted, report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::runtime::controller::Action;
use kube::{Api, Resource, ResourceExt};
use serde::Deserialize;
use serde_json::json;
use shoprl_crds::{Progress, ShopRLJob, ShopRLJobStatus};
use shoprl_plan::cluster::{self, Change, Effect, JobFacts, Observed, ObservedPod, PodState};
use shoprl_plan::local::ProcessId;
use shoprl_plan::placement::Node;
use shoprl_plan::{Validated, validate};
use tracing::Instrument;

use crate::apply::apply;
use crate::context::Context;
use crate::events;
use crate::job::{Job, Unreadable};
use crate::metrics::{Outcome, Why};

/// What was seen is written no sooner after the last status.
const SOON: Duration = Duration::from_secs(1);
/// Requests for a job that are on their way at once: one of hundreds of workers leaves the API server time for others.
const AT_ONCE: usize = 16;
/// Numbers that move no condition are written no sooner after the last status; for so long a status waits while pods of
/// other jobs are to be made.
pub(crate) const LATE: Duration = Duration::from_secs(10);

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

async fn observed_pass(job: &Job, context: &Arc<Context>) -> Result<Action, Error> {
    // Before its pods are listed once, a job that runs looks like one that has none.
    context.pods.wait_until_listed().await;
    // Its children go with it; until they are gone nothing may be made.
    if job.meta().deletion_timestamp.is_some() || context.written.is_newer_than(job.meta()) {
        return Ok(Action::await_change());
    }
    match &job.0 {
        Ok(job) => pass(job, context).await,
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
            context.written.note(&written.metadata, (context.clock)());
            context.metrics.wrote_status(Why::Rejected);
            Ok(())
        }
        Err(source) => passed_by(source),
    }
}

/// Each part is on the heap by itself: of a thousand jobs that wait for their turn nothing is held but what they are.
async fn pass(job: &ShopRLJob, context: &Arc<Context>) -> Result<Action, Error> {
    if let Some(action) = Box::pin(look(job, context)).await? {
        return Ok(action);
    }
    let _turn = context.turns.job().await;
    // Until it was our turn somebody else of this process may have written.
    if context.written.is_newer_than(&job.metadata) {
        return Ok(Action::await_change());
    }
    Box::pin(act(job, context)).await
}

/// What needs no turn: refuses a mistake, or says what was seen of a job that nothing is to be done about. `None` when
/// something is.
async fn look(job: &ShopRLJob, context: &Arc<Context>) -> Result<Option<Action>, Error> {
    let validated = match validate(&job.spec, &job.name_any()) {
        Ok(validated) => validated,
        Err(mistakes) => {
            let (before, now) = (job.status.clone().unwrap_or_default(), (context.clock)());
            let status = cluster::rejected(&before, job.metadata.generation, &mistakes, now);
            write_status(job, status, Why::Rejected, context).await?;
            return Ok(Some(Action::await_change()));
        }
    };
    let subject = Subject::of(job, &validated, context)?;
    let plan = subject.plan(context, None);
    if plan.intent.is_some() || !plan.effects.is_empty() {
        return Ok(None);
    }
    tell(&subject, plan, context).await.map(Some)
}

/// Persists a changed wish, and does what is persisted.
async fn act(job: &ShopRLJob, context: &Arc<Context>) -> Result<Action, Error> {
    // It was valid when it was looked at.
    let Ok(validated) = validate(&job.spec, &job.name_any()) else {
        return Ok(Action::await_change());
    };
    let subject = Subject::of(job, &validated, context)?;
    let plan = subject.plan(context, None);
    let Some(wish) = plan.intent else { return carry_out(&subject, plan, context).await };
    let Some(written) = write_status(job, wish, Why::Intent, context).await? else {
        return Ok(Action::await_change());
    };
    // It is persisted: what follows from it is done at once, by a plan of its own.
    let subject = Subject::of(&written, &validated, context)?;
    let plan = subject.plan(context, None);
    if plan.intent.is_some() {
        // More was seen meanwhile; that is another pass.
        return Ok(Action::requeue(Duration::ZERO));
    }
    carry_out(&subject, plan, context).await
}

/// A job as it was read or written, to be planned for.
struct Subject<'a> {
    job: &'a ShopRLJob,
    namespace: &'a str,
    uid: &'a str,
    owner: OwnerReference,
    validated: &'a Validated,
    token: String,
    status: ShopRLJobStatus,
}

impl<'a> Subject<'a> {
    fn of(job: &'a ShopRLJob, validated: &'a Validated, context: &Context) -> Result<Self, Error> {
        let uid = job.metadata.uid.as_deref().ok_or(Error::Incomplete("uid"))?;
        Ok(Self {
            job,
            namespace: job.metadata.namespace.as_deref().ok_or(Error::Incomplete("namespace"))?,
            uid,
            owner: job.controller_owner_ref(&()).ok_or(Error::Incomplete("uid"))?,
            validated,
            token: context.key.token(uid),
            status: job.status.clone().unwrap_or_default(),
        })
    }

    fn pods(&self, context: &Context) -> Vec<ObservedPod> {
        context.pods.of(self.namespace, &self.job.name_any(), self.uid)
    }

    fn plan(&self, context: &Context, progress: Option<Progress>) -> cluster::Plan {
        let pods = self.pods(context);
        // Asked only for a job with a pod that the scheduler has no node for: nodes are many.
        let unplaced = pods.iter().any(ObservedPod::is_unplaced);
        let nodes = context.nodes.as_ref().filter(|_| unplaced);
        let nodes: Option<Vec<Node>> =
            nodes.map(|nodes| nodes.state().iter().filter_map(|it| Node::of(it)).collect());
        // None is what is known before the first list is there.
        let nodes = nodes.filter(|nodes| !nodes.is_empty());
        let facts = JobFacts {
            namespace: self.namespace,
            uid: self.uid,
            generation: self.job.metadata.generation,
            version: self.job.metadata.resource_version.as_deref(),
            owner: self.owner.clone(),
            image: &context.worker_image,
            operator: context.operator.as_ref(),
            token: &self.token,
            validated: self.validated,
            status: &self.status,
        };
        cluster::plan(&facts, &Observed { pods, progress, nodes }, (context.clock)())
    }

    /// What the trainer of the attempt says, if it is ready and answers.
    async fn ask(&self, context: &Context) -> Option<Progress> {
        let trainer = self.pods(context).into_iter().find(|pod| {
            pod.worker == ProcessId::TRAINER
                && Some(pod.incarnation) == self.status.attempt
                && pod.state == PodState::Ready
        });
        context.trainers.ask(&trainer?.address?, self.uid, &self.token).await
    }
}

/// Does what the persisted wish asks for, then says so. What surrounds the pods and what they need comes before them; the
/// rest side by side: nothing of it depends on another's answer.
async fn carry_out(
    subject: &Subject<'_>,
    plan: cluster::Plan,
    context: &Arc<Context>,
) -> Result<Action, Error> {
    let is_first = |effect: &Effect| matches!(effect, Effect::Surround(_) | Effect::Prepare(_));
    let (first, then): (Vec<Effect>, Vec<Effect>) = plan.effects.into_iter().partition(is_first);
    let mut surrounded = true;
    for effects in [first, then] {
        // All are waited for, also when one fails: none is on its way when the next pass begins.
        let done = stream::iter(effects.into_iter().map(async |effect| {
            let surrounds = matches!(effect, Effect::Surround(_));
            (surrounds, apply(effect, subject.namespace, subject.uid, context).await)
        }));
        let done: Vec<_> = Box::pin(done.buffer_unordered(AT_ONCE).collect()).await;
        surrounded &= done.iter().all(|(surrounds, result)| !surrounds || result.is_ok());
        if let Some(error) = done.into_iter().find_map(|(_, result)| result.err()) {
            // Whoever looks at the job shall see why nothing happens.
            if let Some(words) = error.refusal() {
                let now = (context.clock)();
                let status = cluster::refused(&plan.report, surrounded, &words, now);
                write_status(subject.job, status, Why::Report, context).await?;
            }
            return Err(error);
        }
    }
    let waits = match due(subject.job, &plan.report, context) {
        Ok(why) => {
            write_status(subject.job, plan.report, why, context).await?;
            None
        }
        Err(waits) => waits,
    };
    // What was done is looked at: the watch tells only what this process does not know.
    Ok(look_again(Some(waits.map_or(SOON, |waits| waits.min(SOON))), plan.requeue_after))
}

/// The sooner of two reasons to look at a job again.
fn look_again(waits: Option<Duration>, planned: Option<Duration>) -> Action {
    let again = waits.into_iter().chain(planned).min();
    again.map_or_else(Action::await_change, Action::requeue)
}

/// Says what was seen of a job that nothing is to be done about. Only now its trainer is asked: one that does not answer
/// holds up nobody's replacement.
async fn tell(
    subject: &Subject<'_>,
    plan: cluster::Plan,
    context: &Arc<Context>,
) -> Result<Action, Error> {
    let progress = subject.ask(context).await;
    let plan = match &progress {
        Some(_) => subject.plan(context, progress.clone()),
        None => plan,
    };
    if plan.intent.is_some() || !plan.effects.is_empty() {
        return Ok(Action::requeue(Duration::ZERO));
    }
    let why = match due(subject.job, &plan.report, context) {
        Ok(why) => why,
        Err(waits) => return Ok(look_again(waits, plan.requeue_after)),
    };
    // As long as pods are to be made, they go first for some seconds.
    let (_turn, plan) = match context.turns.job_if_free() {
        Some(turn) => (turn, plan),
        None if context.written.since(&subject.job.metadata, (context.clock)()) < LATE => {
            return Ok(look_again(Some(SOON), plan.requeue_after));
        }
        // What was seen until it was our turn is told as well, or it would be a write of its own.
        None => (context.turns.job().await, subject.plan(context, progress)),
    };
    if plan.intent.is_some() || !plan.effects.is_empty() {
        return Ok(Action::requeue(Duration::ZERO));
    }
    write_status(subject.job, plan.report, why, context).await?;
    Ok(look_again(None, plan.requeue_after))
}

/// Why what was seen is to be written now, or else when it is to be looked at again: the next pass sees the difference then,
/// and what was added to it. A status that only tells of progress waits for its turn; no other follows one within a second,
/// so that pods that are made, placed and ready at once are told of once, and within ten when no condition moved: hundreds of
/// rollouts that become ready one by one are a few writes.
fn due(
    job: &ShopRLJob,
    status: &ShopRLJobStatus,
    context: &Context,
) -> Result<Why, Option<Duration>> {
    let before = job.status.clone().unwrap_or_default();
    let change = Change::between(&before, status);
    let rest = match change {
        Change::None => return Err(None),
        Change::Progress | Change::State => SOON,
        Change::Numbers => LATE,
    };
    let now = (context.clock)();
    let rested = context.written.since(&job.metadata, now);
    if rested < rest {
        return Err(Some(rest.saturating_sub(rested)));
    }
    match change {
        Change::Progress if context.progress_pace.may(now) => Ok(Why::Progress),
        Change::Progress => Err(None),
        _ => Ok(Why::Report),
    }
}

/// Writes a status that differs, against the version that was read: whoever was faster wins, and this pass is void.
/// Returns the job as it was written.
async fn write_status(
    job: &ShopRLJob,
    status: ShopRLJobStatus,
    why: Why,
    context: &Arc<Context>,
) -> Result<Option<ShopRLJob>, Error> {
    if job.status.as_ref() == Some(&status) {
        return Ok(None);
    }
    let namespace = job.metadata.namespace.as_deref().ok_or(Error::Incomplete("namespace"))?;
    let jobs: Api<ShopRLJob> = Api::namespaced(context.client.clone(), namespace);
    let next = ShopRLJob { status: Some(status), ..job.clone() };
    match jobs.replace_status(&job.name_any(), &PostParams::default(), &next).await {
        Ok(written) => {
            context.written.note(&written.metadata, (context.clock)());
            context.metrics.wrote_status(why);
            events::post(job, &written, context);
            Ok(Some(written))
        }
        Err(source) => passed_by(source).map(|()| None),
    }
}

/// A status that was not written because somebody else wrote, or because the job is gone: the watch tells, and a new pass begins.
fn passed_by(source: kube::Error) -> Result<(), Error> {
    match source {
        kube::Error::Api(status) if matches!(status.code, 404 | 409) => Ok(()),
        source => Err(Error::Api { what: "status", source }),
    }
}
