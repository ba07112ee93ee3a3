//! The phases of a load test: what is sent to the API server, and what its audit log shows.

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

/// Concurrent requests of the generator and of the bare creator.
const CONCURRENCY: usize = 16;
/// Time without a write after which a phase is complete.
const QUIET: Duration = Duration::from_secs(3);
/// Name prefix of the jobs that are submitted one by one.
const IDLE: &str = "idle-";
/// Timeout of a phase.
const TIMEOUT: Duration = Duration::from_secs(600);
const OTHER_BATCHES: &str = "the bare creator had other batches: use the same --jobs for both";

/// Numbers of jobs. The run without an operator uses the same numbers in the same order, because existing objects slow down
/// later requests.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Jobs submitted one by one on an idle control plane.
    pub idle: usize,
    /// Jobs at half the bare creator's rate, after each burst.
    pub steady: usize,
    /// Jobs of each burst. The jobs of the first burst run to their end.
    pub bursts: Vec<usize>,
}

/// Measurements of a creator without an operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bare {
    /// One batch per burst.
    pub bursts: Vec<Batch>,
    /// After each burst, jobs at half its rate.
    pub steady: Vec<Batch>,
}

/// Creates the objects of the plan's jobs with 16 concurrent requests and without a status. No operator may run.
///
/// # Errors
/// When the API server refuses a request, or the log cannot be read.
pub async fn bare(client: &Client, log: &mut Log, plan: &Plan) -> anyhow::Result<Bare> {
    bare_batch(client, log, IDLE, plan.idle, None).await?;
    let mut bare = Bare { bursts: Vec::new(), steady: Vec::new() };
    for (index, jobs) in plan.bursts.iter().copied().enumerate() {
        let batch = bare_batch(client, log, &burst_prefix(index), jobs, None).await?;
        let rate = half_rate(&batch);
        bare.bursts.push(batch);
        let prefix = steady_prefix(index);
        bare.steady.push(bare_batch(client, log, &prefix, plan.steady, Some(rate)).await?);
    }
    Ok(bare)
}

/// Half the rate of a batch, in jobs per second.
#[allow(clippy::cast_precision_loss, reason = "eight")]
fn half_rate(batch: &Batch) -> f64 {
    batch.pods_a_second() / PODS as f64 / 2.0
}

/// Creates all objects as one burst, or the jobs at `rate` per second with the objects of each as a burst.
async fn bare_batch(
    client: &Client,
    log: &mut Log,
    prefix: &str,
    jobs: usize,
    rate: Option<f64>,
) -> anyhow::Result<Batch> {
    match rate {
        Some(rate) => eprintln!("{jobs} jobs, {rate:.1} per second"),
        None => eprintln!("{jobs} jobs"),
    }
    // The garbage collector deletes objects whose owner does not exist, so the jobs are created first, untimed.
    open(client, &namespace(prefix)).await?;
    submit_all(client, prefix, jobs).await?;
    let api: Api<ShopRLJob> = Api::namespaced(client.clone(), &namespace(prefix));
    let mut objects = Vec::new();
    for index in 0..jobs {
        let owner = api.get(&name(prefix, index)).await.context("reading an owner")?;
        objects.push(children(&owner)?);
    }
    log.until_quiet(QUIET, TIMEOUT, "writing", is_not_lease).await?;
    let mark = log.read()?;
    match rate {
        Some(rate) => {
            let each = objects.into_iter().map(|objects| make(client.clone(), objects));
            at_rate(rate, each).await?;
        }
        None => make(client.clone(), objects.into_iter().flatten().collect()).await?,
    }
    all_run(log, mark, prefix, jobs, GENERATOR).await
}

async fn make(client: Client, objects: Vec<Child>) -> anyhow::Result<()> {
    let client = &client;
    stream::iter(objects)
        .map(Ok)
        .try_for_each_concurrent(CONCURRENCY, |object| async move { object.create(client).await })
        .await
}

/// Starts `rate` tasks per second, without waiting for earlier ones.
async fn at_rate<F>(rate: f64, all: impl Iterator<Item = F>) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let started = Instant::now();
    let mut tasks = Vec::new();
    for (index, task) in all.enumerate() {
        #[allow(clippy::cast_precision_loss, reason = "hundreds of jobs")]
        sleep_until(started + Duration::from_secs_f64(index as f64 / rate)).await;
        tasks.push(tokio::spawn(task));
    }
    for task in tasks {
        task.await.context("submitting")??;
    }
    Ok(())
}

/// Measurements of an operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// One batch per burst, with the operator's CPU seconds for it.
    pub bursts: Vec<(Batch, f64)>,
    /// Jobs submitted one by one.
    pub idle: Batch,
    /// Seconds from the reported failure of a rollout pod to the creation of its replacement.
    pub replaced: Spread,
    /// Jobs at half the rate of the bare creator's burst, with that rate in jobs per second.
    pub steady: Vec<(Batch, f64)>,
    /// The operator's writes per job from submission to end, by verb and resource.
    pub writes: BTreeMap<String, f64>,
    /// Live pods after the last burst, and the operator's memory then and its peak until then, in MiB.
    pub memory: (usize, (f64, f64)),
    /// Live pods at the end.
    pub pods: usize,
    /// While nothing happens: writes about jobs, lease renewals, CPU seconds, and the length of the measurement.
    pub still: (usize, usize, f64, Duration),
}

/// Measures the operator that runs as process `pid` and is the leader, at half the rates of `bare`. `watch` is the length of
/// the measurement in which nothing happens.
///
/// # Errors
/// When the API server refuses a request, the operator does not act in time, or the log cannot be read.
pub async fn operator(
    client: &Client,
    log: &mut Log,
    plan: &Plan,
    (bare, pid, watch): (&Bare, u32, Duration),
) -> anyhow::Result<Measured> {
    let process = Process(pid);
    eprintln!("{} jobs one by one", plan.idle);
    let idle = one_by_one(client, log, plan.idle).await?;
    let replaced = replacements(client, log, plan.idle).await?;
    let (mut bursts, mut writes, mut pods) = (Vec::new(), BTreeMap::new(), plan.idle * PODS);
    let (mut steady, mut memory) = (Vec::new(), (pods, process.memory()?));
    for (index, jobs) in plan.bursts.iter().copied().enumerate() {
        let rate = half_rate(bare.bursts.get(index).context(OTHER_BATCHES)?);
        eprintln!("{jobs} jobs in a burst");
        let before = process.seconds()?;
        let mark = log.read()?;
        let prefix = burst_prefix(index);
        let made = batch(client, log, &prefix, jobs, None).await?;
        bursts.push((made, process.seconds()? - before));
        if index == 0 {
            eprintln!("the jobs of the burst end");
            end(client, log, &prefix, jobs).await?;
            writes = written(log.since(mark), &prefix, jobs);
        } else {
            pods += jobs * PODS;
        }
        memory = (pods, process.memory()?);
        eprintln!("{} jobs, {rate:.1} per second", plan.steady);
        let prefix = steady_prefix(index);
        steady.push((batch(client, log, &prefix, plan.steady, Some(rate)).await?, rate));
        pods += plan.steady * PODS;
    }
    eprintln!("idle for {} s", watch.as_secs());
    let (mark, before) = (log.read()?, process.seconds()?);
    sleep(watch).await;
    log.read()?;
    let own = log.since(mark).iter().filter(|write| write.user == OPERATOR);
    let (leases, others): (Vec<&Write>, Vec<&Write>) =
        own.partition(|write| write.resource == "leases");
    let still = (others.len(), leases.len(), process.seconds()? - before, watch);
    Ok(Measured { bursts, idle, replaced, steady, writes, pods, memory, still })
}

async fn one_by_one(client: &Client, log: &mut Log, jobs: usize) -> anyhow::Result<Batch> {
    open(client, &namespace(IDLE)).await?;
    let mark = log.read()?;
    for index in 0..jobs {
        let before = log.read()?;
        submit(client.clone(), IDLE, index).await?;
        log.until(before, PODS, TIMEOUT, "pods that run", |write| runs(write, IDLE)).await?;
        log.until_quiet(Duration::from_secs(1), TIMEOUT, "writing", is_not_lease).await?;
    }
    Batch::of(log.since(mark), IDLE, OPERATOR)
}

/// A rollout pod of each idle job fails. The first failure of a job is replaced without back-off.
async fn replacements(client: &Client, log: &mut Log, jobs: usize) -> anyhow::Result<Spread> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace(IDLE));
    let mut took = Vec::new();
    for index in 0..jobs {
        let worker = format!("{}-rollout-1", name(IDLE, index));
        let (dead, next) = (format!("{worker}-1"), format!("{worker}-2"));
        let mark = log.read()?;
        let failed = Patch::Merge(ended(1, "Failed"));
        pods.patch_status(&dead, &PatchParams::default(), &failed).await.context("ending a pod")?;
        let replaces = |write: &Write| write.name == next && write.is(OPERATOR, "create", "pods");
        log.until(mark, 1, TIMEOUT, "replacements", replaces).await?;
        log.until_quiet(Duration::from_secs(1), TIMEOUT, "writing", is_not_lease).await?;
        let done = |which: &dyn Fn(&Write) -> bool| {
            log.since(mark).iter().find(|write| which(write)).map(|write| write.answered)
        };
        let known =
            done(&|write| write.name == dead && write.is(GENERATOR, "patch", "pods/status"));
        let there = done(&replaces);
        took.push(
            there
                .zip(known)
                .map(|(there, known)| there - known)
                .context("both writes are in the log")?,
        );
    }
    Spread::of(took).context("use --idle with at least 1")
}

/// The trainers of a batch reach their target step; the operator reports it and deletes the other pods.
async fn end(client: &Client, log: &mut Log, prefix: &str, jobs: usize) -> anyhow::Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace(prefix));
    let mark = log.read()?;
    let done = Patch::Merge(ended(0, "Succeeded"));
    stream::iter((0..jobs).map(|index| format!("{}-trainer-0-1", name(prefix, index))))
        .map(Ok)
        .try_for_each_concurrent(CONCURRENCY, |trainer| {
            let (pods, done) = (&pods, &done);
            async move {
                let ended = pods.patch_status(&trainer, &PatchParams::default(), done).await;
                ended.map(drop).with_context(|| format!("ending {trainer}"))
            }
        })
        .await?;
    let leaves =
        |write: &Write| write.is(OPERATOR, "delete", "pods") && write.name.starts_with(prefix);
    log.until(mark, jobs * (PODS - 1), TIMEOUT, "pods that leave", leaves).await?;
    log.until_quiet(QUIET, TIMEOUT, "writing", is_not_lease).await
}

/// Submits jobs to the operator as one burst, or at `rate` per second, and measures them.
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
            at_rate(rate, each).await?;
        }
        None => submit_all(client, prefix, jobs).await?,
    }
    all_run(log, mark, prefix, jobs, OPERATOR).await
}

/// Waits until all pods run and writes have ceased, and measures the writes since `mark`.
async fn all_run(
    log: &mut Log,
    mark: usize,
    prefix: &str,
    jobs: usize,
    creator: &str,
) -> anyhow::Result<Batch> {
    log.until(mark, jobs * PODS, TIMEOUT, "pods that run", |write| runs(write, prefix)).await?;
    log.until_quiet(QUIET, TIMEOUT, "writing", is_not_lease).await?;
    Batch::of(log.since(mark), prefix, creator)
}

/// Submits jobs as a burst of 16 concurrent requests.
async fn submit_all(client: &Client, prefix: &str, jobs: usize) -> anyhow::Result<()> {
    stream::iter((0..jobs).map(|index| submit(client.clone(), prefix, index)))
        .map(Ok)
        .try_for_each_concurrent(CONCURRENCY, |submitted| submitted)
        .await
}

/// Submits one job. The future is boxed because the job is large.
fn submit(client: Client, prefix: &str, index: usize) -> BoxFuture<'static, anyhow::Result<()>> {
    let job = job(&namespace(prefix), &name(prefix, index));
    async move { create(&client, &job?).await }.boxed()
}

/// Each prefix has its own namespace, because controllers match each pod with all budgets and services of its namespace.
fn namespace(prefix: &str) -> String {
    format!("load-{}", prefix.trim_end_matches('-'))
}

fn burst_prefix(batch: usize) -> String {
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

fn is_not_lease(write: &Write) -> bool {
    write.resource != "leases"
}

fn is_of_operator(write: &Write) -> bool {
    write.user == OPERATOR && is_not_lease(write)
}

/// The operator's writes per job of a batch, refused writes included.
fn written(writes: &[Write], prefix: &str, jobs: usize) -> BTreeMap<String, f64> {
    let own = writes
        .iter()
        .filter(|write| is_of_operator(write) && job_of(&write.name, prefix).is_some());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for write in own {
        *counts.entry(format!("{} {}", write.verb, write.resource)).or_default() += 1;
    }
    #[allow(clippy::cast_precision_loss, reason = "thousands of writes")]
    let per_job = |count: usize| count as f64 / jobs as f64;
    counts.into_iter().map(|(what, count)| (what, per_job(count))).collect()
}

/// The status of a terminated pod.
fn ended(exit_code: i32, phase: &str) -> Value {
    json!({"status": {"phase": phase, "containerStatuses": [{
        "name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": exit_code, "reason": phase}},
    }]}})
}
