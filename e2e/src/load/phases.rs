//! What is done to the API server, and what is read from its log about it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shoprl_crds::ShopRLJob;
use tokio::time::{Instant, sleep, sleep_until};

use super::batch::{DIGITS, job_of};
use super::objects::{children, create, job};
use super::process::Process;
use super::{Batch, GENERATOR, Log, NAMESPACE, NODES, OPERATOR, PODS, Spread, Write};

/// Requests of the generator and of the bare creator that are on their way at once.
const AT_ONCE: usize = 16;
/// When nobody writes for so long, everything is done.
const QUIET: Duration = Duration::from_secs(3);
/// What is not done after so long will not be.
const LIMIT: Duration = Duration::from_secs(600);
/// How the jobs are called that come steadily.
const STEADY: &str = "rate-";
const NO_BATCH: &str = "give --jobs at least once";

/// What is done with an operator, and, the same numbers of jobs in the same order, without one: what is there already makes
/// what comes later slower.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Jobs one after the other on an idle control plane.
    pub idle: usize,
    /// Jobs at half the bare creator's rate, after the first of those at once.
    pub steady: usize,
    /// Jobs at once, one batch after the other; the first of them live to their end.
    pub at_once: Vec<usize>,
}

/// Makes the objects of the plan's jobs, 16 requests at once and no status; nobody may answer the jobs themselves. What the
/// operator is to reach: those of `at_once`, and, last, of `steady`, all of them at once.
///
/// # Errors
/// When the API server refuses something, or the log cannot be read.
pub async fn bare(client: &Client, log: &mut Log, plan: &Plan) -> anyhow::Result<Bare> {
    bare_batch(client, log, "idle-", plan.idle).await?;
    let (mut at_once, mut steady) = (Vec::new(), None);
    for (index, jobs) in plan.at_once.iter().copied().enumerate() {
        at_once.push(bare_batch(client, log, &at_once_prefix(index), jobs).await?);
        if index == 0 {
            steady = Some(bare_batch(client, log, STEADY, plan.steady).await?);
        }
    }
    Ok(Bare { at_once, steady: steady.context(NO_BATCH)? })
}

/// What a creator without an operator reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bare {
    /// Jobs at once.
    pub at_once: Vec<Batch>,
    /// As many jobs at once as come at half this rate with an operator.
    pub steady: Batch,
}

/// Jobs a second at half the rate at which the bare creator made all that come steadily.
#[allow(clippy::cast_precision_loss, reason = "eight")]
pub fn half_the_rate(bare: &Bare) -> f64 {
    bare.steady.pods_a_second() / PODS as f64 / 2.0
}

async fn bare_batch(
    client: &Client,
    log: &mut Log,
    prefix: &str,
    jobs: usize,
) -> anyhow::Result<Batch> {
    eprintln!("{jobs} jobs");
    // Owners that exist, or the garbage collector takes the objects for orphans. Their making is not timed.
    submit(client, prefix, jobs).await?;
    let api: Api<ShopRLJob> = Api::namespaced(client.clone(), NAMESPACE);
    let mut objects = Vec::new();
    for index in 0..jobs {
        let owner = api.get(&name(prefix, index)).await.context("reading an owner")?;
        objects.extend(children(&owner)?);
    }
    let mark = log.read()?;
    stream::iter(objects)
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |object| async move { object.create(client).await })
        .await?;
    log.until(mark, jobs * PODS, LIMIT, "pods that run", |it| runs(it, prefix)).await?;
    log.until_quiet(QUIET, LIMIT, "writing", of_anybody).await?;
    Batch::of(log.since(mark), prefix, GENERATOR)
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
    /// Jobs at half the rate, and that rate in jobs a second.
    pub steady: (Batch, f64),
    /// The operator's writes per job over its life, by verb and resource.
    pub writes: BTreeMap<String, f64>,
    /// Pods that live when the memory is read.
    pub pods: usize,
    /// The operator's memory then and at most, in MiB.
    pub memory: (f64, f64),
    /// Its writes about jobs, its renewals of the lease, its seconds of a processor while nothing happens, and how long.
    pub still: (usize, usize, f64, Duration),
}

/// Measures an operator that is running as the process `pid` and leads. `rate`: jobs a second where they come steadily;
/// `watch`: how long is looked whether anything is written when nothing happens.
///
/// # Errors
/// When the API server refuses something, the operator does not do what it shall, or the log cannot be read.
pub async fn operator(
    client: &Client,
    log: &mut Log,
    plan: &Plan,
    (pid, rate, watch): (u32, f64, Duration),
) -> anyhow::Result<Measured> {
    let process = Process(pid);
    eprintln!("{} jobs one after the other", plan.idle);
    let idle = one_by_one(client, log, plan.idle).await?;
    let replaced = replacements(client, log, plan.idle).await?;
    let (mut at_once, mut writes, mut pods) = (Vec::new(), BTreeMap::new(), plan.idle * PODS);
    let mut steady = None;
    for (index, jobs) in plan.at_once.iter().copied().enumerate() {
        eprintln!("{jobs} jobs at once");
        let before = process.seconds()?;
        let mark = log.read()?;
        let prefix = at_once_prefix(index);
        let batch = together(client, log, &prefix, jobs).await?;
        at_once.push((batch, process.seconds()? - before));
        if index == 0 {
            eprintln!("they end");
            end(client, log, &prefix, jobs).await?;
            writes = written(log.since(mark), &prefix, jobs);
            eprintln!("{} jobs, {rate:.1} a second", plan.steady);
            steady = Some((steadily(client, log, plan.steady, rate).await?, rate));
            pods += plan.steady * PODS;
        } else {
            pods += jobs * PODS;
        }
    }
    eprintln!("nothing, for {} s", watch.as_secs());
    let memory = process.memory()?;
    let (mark, before) = (log.read()?, process.seconds()?);
    sleep(watch).await;
    log.read()?;
    let own = log.since(mark).iter().filter(|it| it.user == OPERATOR);
    let (leases, others): (Vec<&Write>, Vec<&Write>) = own.partition(|it| it.resource == "leases");
    let still = (others.len(), leases.len(), process.seconds()? - before, watch);
    let steady = steady.context(NO_BATCH)?;
    Ok(Measured { at_once, idle, replaced, steady, writes, pods, memory, still })
}

async fn one_by_one(client: &Client, log: &mut Log, jobs: usize) -> anyhow::Result<Batch> {
    let mark = log.read()?;
    for index in 0..jobs {
        let before = log.read()?;
        create(client, &job(&name("idle-", index))?).await?;
        log.until(before, PODS, LIMIT, "pods that run", |it| runs(it, "idle-")).await?;
        log.until_quiet(Duration::from_secs(1), LIMIT, "writing", of_anybody).await?;
    }
    Batch::of(log.since(mark), "idle-", OPERATOR)
}

/// A rollout of each of the idle jobs dies; one failure of a job's own is answered at once.
async fn replacements(client: &Client, log: &mut Log, jobs: usize) -> anyhow::Result<Spread> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let mut took = Vec::new();
    for index in 0..jobs {
        let worker = format!("{}-rollout-1", name("idle-", index));
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

async fn together(
    client: &Client,
    log: &mut Log,
    prefix: &str,
    jobs: usize,
) -> anyhow::Result<Batch> {
    let mark = log.read()?;
    submit(client, prefix, jobs).await?;
    log.until(mark, jobs * PODS, LIMIT, "pods that run", |it| runs(it, prefix)).await?;
    log.until_quiet(QUIET, LIMIT, "writing", of_anybody).await?;
    Batch::of(log.since(mark), prefix, OPERATOR)
}

/// The trainers of a batch reach their target step; the operator says so and lets the other pods go.
async fn end(client: &Client, log: &mut Log, prefix: &str, jobs: usize) -> anyhow::Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
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

async fn steadily(client: &Client, log: &mut Log, jobs: usize, rate: f64) -> anyhow::Result<Batch> {
    let (begun, mark) = (Instant::now(), log.read()?);
    let mut submitted = Vec::new();
    for index in 0..jobs {
        #[allow(clippy::cast_precision_loss, reason = "hundreds of jobs")]
        sleep_until(begun + Duration::from_secs_f64(index as f64 / rate)).await;
        let (client, job) = (client.clone(), job(&name(STEADY, index))?);
        submitted.push(tokio::spawn(async move { create(&client, &job).await }));
    }
    for one in submitted {
        one.await.context("submitting")??;
    }
    let count = jobs * PODS;
    log.until(mark, count, LIMIT, "pods that run", |it| runs(it, STEADY)).await?;
    log.until_quiet(QUIET, LIMIT, "writing", of_anybody).await?;
    Batch::of(log.since(mark), STEADY, OPERATOR)
}

/// Submits jobs, as fast as 16 requests at once allow.
async fn submit(client: &Client, prefix: &str, jobs: usize) -> anyhow::Result<()> {
    stream::iter(0..jobs)
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |index| async move {
            create(client, &job(&name(prefix, index))?).await
        })
        .await
}

fn at_once_prefix(batch: usize) -> String {
    format!("b{batch}-")
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
