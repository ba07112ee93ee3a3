//! `shoprl-operator`: runs ShopRLJobs on Kubernetes.

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

/// Returns memory to the system after many jobs were submitted; glibc's allocator keeps it in an arena per thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the ShopRLJobs of a Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Worker image for newly accepted jobs, by digest: NAME@sha256:...
    #[arg(long, value_name = "IMAGE")]
    worker_image: String,
    /// File with the operator's key (at least 32 bytes). The tokens of jobs derive from it.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Namespace whose jobs to run. Default: all namespaces.
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Watch nodes, to explain why a job cannot be placed. Needs the rights to list and watch nodes.
    #[arg(long)]
    watch_nodes: bool,
    /// Namespace of the operator's own pods. Network policies allow them to reach the trainers. Default: all pods may.
    #[arg(long, value_name = "NAMESPACE", requires = "own_labels")]
    own_namespace: Option<String>,
    /// Labels of the operator's own pods, for the network policies.
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = label, requires = "own_namespace")]
    own_labels: Vec<(String, String)>,
    /// Address for the HTTP endpoints /healthz, /readyz and /metrics.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    listen: String,
    /// Name of the Lease for leader election.
    #[arg(long, value_name = "NAME", default_value = "shoprl-operator")]
    lease: String,
    /// Namespace of the Lease. Default: the namespace of the pod, else of the kubeconfig.
    #[arg(long, value_name = "NAMESPACE")]
    lease_namespace: Option<String>,
    /// Identity of this replica in leader election. Default: $POD_NAME, else a name derived from the process id.
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// Seconds without a renewal after which another replica may take the lease.
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    lease_duration: u64,
    /// Seconds without a renewal after which the holder exits.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    lease_give_up: u64,
    /// Seconds between two attempts to acquire or to renew the lease.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    lease_retry: u64,
    /// Format of the log on standard error. RUST_LOG filters it.
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
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { bad_configuration() } else { ExitCode::SUCCESS };
        }
    };
    // kube logs a span of its own for every reconcile, with less information than ours.
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
    match operator.run(stop_signal()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Exit code for a command line or a file that can never work.
fn bad_configuration() -> ExitCode {
    ExitCode::from(ExitReason::BadConfiguration.code())
}

async fn operator(arguments: Arguments) -> anyhow::Result<Operator> {
    let image = &arguments.worker_image;
    ensure!(is_digested(image), "invalid --worker-image {image:?}: {IMAGE_REMEDY}");
    let key = OperatorKey::read(&arguments.key_file)?;
    let config = Config::infer().await?;
    let election = election(&arguments, &config);
    election.check()?;
    let metrics = Metrics::default();
    let listener = TcpListener::bind(&arguments.listen).await.with_context(|| {
        format!(
            "cannot listen on --listen {}: give a free address, for example 0.0.0.0:8080",
            arguments.listen
        )
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

/// Resolves on SIGTERM or Ctrl-C.
async fn stop_signal() {
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
        // Without a handler, the signal terminates the process.
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
