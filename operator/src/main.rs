//! `shoprl-operator`: turns every ShopRLJob into pods and keeps it alive.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use kube::Config;
use shoprl_contract::ExitReason;
use shoprl_crds::{IMAGE_REMEDY, is_digested};
use shoprl_operator::{Dial, Metrics, Operator, OperatorKey, client, lease};
use shoprl_plan::cluster::OperatorPods;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Gives back what a rush of jobs took; the system's keeps it in an arena per thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs ShopRLJobs on this Kubernetes.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Image of the workers of jobs that are accepted from now on, by digest: NAME@sha256:...
    #[arg(long, value_name = "IMAGE")]
    worker_image: String,
    /// File with the operator's key, at least 32 bytes; jobs' tokens derive from it.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Only jobs of this namespace; default: of all.
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Say of jobs that cannot be placed which nodes there are; needs to list and watch nodes.
    #[arg(long)]
    watch_nodes: bool,
    /// Namespace of the operator's own pods, which network policies let reach the trainers; without it everybody may.
    #[arg(long, value_name = "NAMESPACE", requires = "own_labels")]
    own_namespace: Option<String>,
    /// Labels of the operator's own pods.
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = label, requires = "own_namespace")]
    own_labels: Vec<(String, String)>,
    /// Where to answer /healthz, /readyz and /metrics.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    listen: String,
    /// Lease by which one of several operators is chosen.
    #[arg(long, value_name = "NAME", default_value = "shoprl-operator")]
    lease: String,
    /// Its namespace; default: the pod's, or the kubeconfig's.
    #[arg(long, value_name = "NAMESPACE")]
    lease_namespace: Option<String>,
    /// Who this one is among them; default: POD_NAME of the environment, else one that lasts as long as the process.
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// How long the others wait for a holder that is silent, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    lease_duration: u64,
    /// After so many seconds without a renewal the holder ends.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    lease_give_up: u64,
    /// Seconds between two attempts to renew or to acquire it.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    lease_retry: u64,
    /// How to write the log, to the standard error; RUST_LOG filters it.
    #[arg(long, value_enum, default_value_t = LogFormat::Json, value_name = "FORMAT")]
    log: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => {
            let _ = told.print();
            return if told.use_stderr() { bad_configuration() } else { ExitCode::SUCCESS };
        }
    };
    // The library's own span of every pass says less than ours.
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,kube_runtime::controller=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match arguments.log {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    let operator = match operator(arguments).await {
        Ok(operator) => operator,
        Err(error) => {
            tracing::error!("{error:#}");
            return bad_configuration();
        }
    };
    match operator.run(asked_to_leave()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A command line or a file that can never work.
fn bad_configuration() -> ExitCode {
    ExitCode::from(ExitReason::BadConfiguration.code())
}

async fn operator(arguments: Arguments) -> anyhow::Result<Operator> {
    let image = &arguments.worker_image;
    ensure!(is_digested(image), "--worker-image {image:?} is not possible: {IMAGE_REMEDY}");
    let key = OperatorKey::read(&arguments.key_file)?;
    let config = Config::infer().await?;
    let election = election(&arguments, &config);
    election.check()?;
    let metrics = Metrics::default();
    let listener = TcpListener::bind(&arguments.listen).await.with_context(|| {
        format!("--listen {}: give a free address, for example 0.0.0.0:8080", arguments.listen)
    })?;
    let labels = arguments.own_labels.into_iter().collect();
    let own = arguments.own_namespace.map(|namespace| OperatorPods { namespace, labels });
    Ok(Operator {
        client: client(&config, metrics.clone())?,
        namespace: arguments.namespace,
        worker_image: arguments.worker_image,
        key,
        own,
        watch_nodes: arguments.watch_nodes,
        election,
        listener,
        metrics,
        trainers: Box::new(Dial),
    })
}

/// Until SIGTERM or Ctrl-C.
async fn asked_to_leave() {
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
        // Without a handler the signal itself ends the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn election(arguments: &Arguments, config: &Config) -> lease::Options {
    let namespace = arguments.lease_namespace.as_ref().unwrap_or(&config.default_namespace);
    #[expect(
        clippy::disallowed_methods,
        reason = "documented in --help: the default of --identity"
    )]
    let identity = arguments.identity.clone().or_else(|| std::env::var("POD_NAME").ok());
    let identity = identity.unwrap_or_else(|| format!("shoprl-operator-{}", std::process::id()));
    lease::Options {
        namespace: namespace.clone(),
        name: arguments.lease.clone(),
        identity,
        duration: Duration::from_secs(arguments.lease_duration),
        give_up: Duration::from_secs(arguments.lease_give_up),
        retry: Duration::from_secs(arguments.lease_retry),
    }
}
