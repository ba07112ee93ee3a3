//! What is done to the API server, and what is read from its log about it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shoprl_crds::ShopRLJob;
use tokio::time::{Instant, sleep, sleep_until};

use super::batch::{DIGITS, job_of};
use super::objects::{Child, children, create, job, open};
use super::process::Process;
use super::{Batch, GENERATOR, Log, NODES, OPERATOR, PODS, Spread, Write};

/// Requests of the generator and of the bare creator that are on their way at once.
const AT_ONCE: usize = 16;
/// When nobody writes for so long, everything is done.
const QUIET: Duration = Duration::from_secs(3);
/// How the jobs are called that come one after the other.
const IDLE: &str = "idle-";
/// What is not done after so long will not be.
const LIMIT: Duration = Duration::from_secs(600);
const NOT_THE_SAME: &str = "the bare creator made other batches: give both the same --jobs";
/// What is done with an operator, and, the same numbers of jobs in the same order, without one: what is there already makes
/// what comes later slower.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Jobs one after the other on an idle control plane.
    pub idle: usize,
    /// Jobs at half the bare creator's rate, after each of those at once.
    pub steady: usize,
    /// Jobs at once, one batch after the other; the first of them live to their end.
    pub at_once: Vec<usize>,
}

/// What a creator without an operator reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bare {
    /// Jobs at once.
    pub at_once: Vec<Batch>,
    /// After each of them, jobs at half the rate that was reached.
    pub steady: Vec<Batch>,
}

/// Makes the objects of the plan's jobs, 16 requests at once and no status; nobody may answer the jobs themselves.
///
/// # Errors
/// When the API server refuses something, or the log cannot be read.
pub async fn bare(client: &Client, log: &mut Log, plan: &Plan) -> anyhow::Result<Bare> {
    bare_batch(client, log, IDLE, plan.idle, None).await?;
    let mut bare = Bare { at_once: Vec::new(), steady: Vec::new() };
    for (index, jobs) in plan.at_once.iter().copied().enumerate() {
        let batch = bare_batch(client, log, &at_once_prefix(index), jobs, None).await?;
        let rate = half_the_rate(&batch);
        bare.at_once.push(batch);
        let prefix = steady_prefix(index);
        bare.steady.push(bare_batch(client, log, &prefix, plan.steady, Some(rate)).await?);
    }
    Ok(bare)
}

/// Jobs a second at half the rate at which these were made.
#[allow(clippy::cast_precision_loss, reason = "eight")]
fn half_the_rate(batch: &Batch) -> f64 {
    batch.pods_a_second() / PODS as f64 / 2.0
}

/// All at once, or so many a second, each job's objects at once.
async fn bare_batch(
    client: &Client,
    log: &mut Log,
    prefix: &str,
    jobs: usize,
    rate: Option<f64>,
) -> anyhow::Result<Batch> {
    match rate {
        Some(rate) => eprintln!("{jobs} jobs, {rate:.1} a second"),
        None => eprintln!("{jobs} jobs"),
    }
    // Owners that exist, or the garbage collector takes the objects for orphans. Their making is not timed.
    open(client, &namespace(prefix)).await?;
    submit_all(client, prefix, jobs).await?;
    let api: Api<ShopRLJob> = Api::namespaced(client.clone(), &namespace(prefix));
    let mut objects = Vec::new();
    for index in 0..jobs {
        let owner = api.get(&name(prefix, index)).await.context("reading an owner")?;
        objects.push(children(&owner)?);
    }
    log.until_quiet(QUIET, LIMIT, "writing", of_anybody).await?;
    let mark = log.read()?;
    match rate {
        Some(rate) => {
            let each = objects.into_iter().map(|objects| make(client.clone(), objects));
            at_a_rate(rate, each).await?;
        }
        None => make(client.clone(), objects.into_iter().flatten().collect()).await?,
    }
    all_run(log, mark, prefix, jobs, GENERATOR).await
}

async fn make(client: Client, objects: Vec<Child>) -> anyhow::Result<()> {
    let client = &client;
    stream::iter(objects)
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |object| async move { object.create(client).await })
        .await
}

/// Begins so many a second, whatever became of those before.
async fn at_a_rate<F>(rate: f64, all: impl Iterator<Item = F>) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for (index, one) in all.enumerate() {
        #[allow(clippy::cast_precision_loss, reason = "hundreds of jobs")]
        sleep_until(begun + Duration::from_secs_f64(index as f64 / rate)).await;
        tasks.push(tokio::spawn(one));
    }
    for task in tasks {
        task.await.context("submitting")??;
    }
    Ok(())
}

/// What was seen of an operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// Jobs at once, and the operator's seconds of a processor for them.
    pub at_once: Vec<(Batch, f64)>,
    /// Jobs one after the other.
    pub idle: Batch,
    /// From the moment that the API server knows of a dead rollout until its replacement is there, in seconds.
    pub replaced: Spread,
    /// Jobs at half the rate at which the bare creator made those at once, and that rate in jobs a second.
    pub steady: Vec<(Batch, f64)>,
    /// The operator's writes per job over its life, by verb and resource.
    pub writes: BTreeMap<String, f64>,
    /// Pods that live after the last jobs at once, and the operator's memory then and at most until then, in MiB.
    pub memory: (usize, (f64, f64)),
    /// Pods that live in the end.
    pub pods: usize,
    /// Its writes about jobs, its renewals of the lease, its seconds of a processor while nothing happens, and how long.
    pub still: (usize, usize, f64, Duration),
}

/// Measures an operator that is running as the process `pid` and leads, at half the rates of `bare`. `watch`: how long is
/// looked whether anything is written when nothing happens.
///
/// # Errors
/// When the API server refuses something, the operator does not do what it shall, or the log cannot be read.
pub async fn operator(
    client: &Client,
    log: &mut Log,
    plan: &Plan,
    (bare, pid, watch): (&Bare, u32, Duration),
) -> anyhow::Result<Measured> {
    let process = Process(pid);
    eprintln!("{} jobs one after the other", plan.idle);
    let idle = one_by_one(client, log, plan.idle).await?;
    let replaced = replacements(client, log, plan.idle).await?;
    let (mut at_once, mut writes, mut pods) = (Vec::new(), BTreeMap::new(), plan.idle * PODS);
    let (mut steady, mut memory) = (Vec::new(), (pods, process.memory()?));
    for (index, jobs) in plan.at_once.iter().copied().enumerate() {
        let rate = half_the_rate(bare.at_once.get(index).context(NOT_THE_SAME)?);
        eprintln!("{jobs} jobs at once");
        let before = process.seconds()?;
        let mark = log.read()?;
        let prefix = at_once_prefix(index);
        let made = batch(client, log, &prefix, jobs, None).await?;
        at_once.push((made, process.seconds()? - before));
        if index == 0 {
            eprintln!("they end");
            end(client, log, &prefix, jobs).await?;
            writes = written(log.since(mark), &prefix, jobs);
        } else {
            pods += jobs * PODS;
        }
        memory = (pods, process.memory()?);
        eprintln!("{} jobs, {rate:.1} a second", plan.steady);
        let prefix = steady_prefix(index);
        steady.push((batch(client, log, &prefix, plan.steady, Some(rate)).await?, rate));
        pods += plan.steady * PODS;
    }
    eprintln!("nothing, for {} s", watch.as_secs());
    let (mark, before) = (log.read()?, process.seconds()?);
    sleep(watch).await;
    log.read()?;
    let own = log.since(mark).iter().filter(|it| it.user == OPERATOR);
    let (leases, others): (Vec<&Write>, Vec<&Write>) = own.partition(|it| it.resource == "leases");
    let still = (others.len(), leases.len(), process.seconds()? - before, watch);
    Ok(Measured { at_once, idle, replaced, steady, writes, pods, memory, still })
}

async fn one_by_one(client: &Client, log: &mut Log, jobs: usize) -> anyhow::Result<Batch> {
    open(client, &namespace(IDLE)).await?;
    let mark = log.read()?;
    for index in 0..jobs {
        let before = log.read()?;
        submit(client.clone(), IDLE, index).await?;
        log.until(before, PODS, LIMIT, "pods that run", |it| runs(it, IDLE)).await?;
        log.until_quiet(Duration::from_secs(1), LIMIT, "writing", of_anybody).await?;
    }
    Batch::of(log.since(mark), IDLE, OPERATOR)
}

/// A rollout of each of the idle jobs dies; one failure of a job's own is answered at once.
async fn replacements(client: &Client, log: &mut Log, jobs: usize) -> anyhow::Result<Spread> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace(IDLE));
    let mut took = Vec::new();
    for index in 0..jobs {
        let worker = format!("{}-rollout-1", name(IDLE, index));
        let (dead, next) = (format!("{worker}-1"), format!("{worker}-2"));
        let mark = log.read()?;
        let died = Patch::Merge(ended(1, "Failed"));
        pods.patch_status(&dead, &PatchParams::default(), &died).await.context("ending a pod")?;
        let replaces = |it: &Write| it.name == next && it.is(OPERATOR, "create", "pods");
        log.until(mark, 1, LIMIT, "replacements", replaces).await?;
        log.until_quiet(Duration::from_secs(1), LIMIT, "writing", of_anybody).await?;
        let done = |which: &dyn Fn(&Write) -> bool| {
            log.since(mark).iter().find(|it| which(it)).map(|it| it.done)
        };
        let known = done(&|it| it.name == dead && it.is(GENERATOR, "patch", "pods/status"));
        let there = done(&replaces);
        took.push(there.zip(known).map(|(there, known)| there - known).context("it was seen")?);
    }
    Spread::of(took).context("give --idle at least 1")
}

/// The trainers of a batch reach their target step; the operator says so and lets the other pods go.
async fn end(client: &Client, log: &mut Log, prefix: &str, jobs: usize) -> anyhow::Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace(prefix));
    let mark = log.read()?;
    let done = Patch::Merge(ended(0, "Succeeded"));
    stream::iter((0..jobs).map(|index| format!("{}-trainer-0-1", name(prefix, index))))
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |trainer| {
            let (pods, done) = (&pods, &done);
            async move {
                let ended = pods.patch_status(&trainer, &PatchParams::default(), done).await;
                ended.map(drop).with_context(|| format!("ending {trainer}"))
            }
        })
        .await?;
    let leaves = |it: &Write| it.is(OPERATOR, "delete", "pods") && it.name.starts_with(prefix);
    log.until(mark, jobs * (PODS - 1), LIMIT, "pods that leave", leaves).await?;
    log.until_quiet(QUIET, LIMIT, "writing", of_anybody).await
}

/// Jobs for the operator: all at once, or so many a second.
async fn batch(
    client: &Client,
    log: &mut Log,
    prefix: &str,
    jobs: usize,
    rate: Option<f64>,
) -> anyhow::Result<Batch> {
    open(client, &namespace(prefix)).await?;
    let mark = log.read()?;
    match rate {
        Some(rate) => {
            let each = (0..jobs).map(|index| submit(client.clone(), prefix, index));
            at_a_rate(rate, each).await?;
        }
        None => submit_all(client, prefix, jobs).await?,
    }
    all_run(log, mark, prefix, jobs, OPERATOR).await
}

/// Waits until all pods of the jobs run and everything is done, and reads what became of them since `mark`.
async fn all_run(
    log: &mut Log,
    mark: usize,
    prefix: &str,
    jobs: usize,
    creator: &str,
) -> anyhow::Result<Batch> {
    log.until(mark, jobs * PODS, LIMIT, "pods that run", |it| runs(it, prefix)).await?;
    log.until_quiet(QUIET, LIMIT, "writing", of_anybody).await?;
    Batch::of(log.since(mark), prefix, creator)
}

/// Submits jobs, as fast as 16 requests at once allow.
async fn submit_all(client: &Client, prefix: &str, jobs: usize) -> anyhow::Result<()> {
    stream::iter((0..jobs).map(|index| submit(client.clone(), prefix, index)))
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |submitted| submitted)
        .await
}

/// Submits one job. The job is large, so what is returned holds it on the heap.
fn submit(client: Client, prefix: &str, index: usize) -> BoxFuture<'static, anyhow::Result<()>> {
    let job = job(&namespace(prefix), &name(prefix, index));
    async move { create(&client, &job?).await }.boxed()
}

/// Jobs whose names begin alike have a namespace of their own, as the first jobs at once have: controllers match each pod with
/// all budgets and services of its namespace.
fn namespace(prefix: &str) -> String {
    format!("load-{}", prefix.trim_end_matches('-'))
}

fn at_once_prefix(batch: usize) -> String {
    format!("b{batch}-")
}

fn steady_prefix(batch: usize) -> String {
    format!("rate{batch}-")
}

fn name(prefix: &str, index: usize) -> String {
    format!("{prefix}{index:0DIGITS$}")
}

fn runs(write: &Write, prefix: &str) -> bool {
    write.is(NODES, "patch", "pods/status") && job_of(&write.name, prefix).is_some()
}

fn of_anybody(write: &Write) -> bool {
    write.resource != "leases"
}

fn of_the_operator(write: &Write) -> bool {
    write.user == OPERATOR && of_anybody(write)
}

/// The operator's writes about a batch, per job; those that were refused count too.
fn written(writes: &[Write], prefix: &str, jobs: usize) -> BTreeMap<String, f64> {
    let own = writes.iter().filter(|it| of_the_operator(it) && job_of(&it.name, prefix).is_some());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for write in own {
        *counts.entry(format!("{} {}", write.verb, write.resource)).or_default() += 1;
    }
    #[allow(clippy::cast_precision_loss, reason = "thousands of writes")]
    let per_job = |count: usize| count as f64 / jobs as f64;
    counts.into_iter().map(|(what, count)| (what, per_job(count))).collect()
}

/// The status of a pod that ended.
fn ended(exit_code: i32, phase: &str) -> Value {
    json!({"status": {"phase": phase, "containerStatuses": [{
        "name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": exit_code, "reason": phase}},
    }]}})
}
