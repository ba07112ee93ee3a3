//! `shoprl-operator`: turns every ShopRLJob into pods and keeps it alive.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use kube::Client;
use shoprl_contract::ExitReason;
use shoprl_crds::{IMAGE_REMEDY, is_digested};
use shoprl_operator::{OperatorKey, Settings, controller};
use shoprl_plan::cluster::OperatorPods;
use tracing_subscriber::EnvFilter;

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
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if !is_digested(&arguments.worker_image) {
        let image = &arguments.worker_image;
        eprintln!("error: --worker-image {image:?} is not possible: {IMAGE_REMEDY}");
        return Ok(ExitCode::from(ExitReason::BadConfiguration.code()));
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match arguments.log {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    let key = OperatorKey::read(&arguments.key_file)?;
    let client = Client::try_default().await?;
    let labels = arguments.own_labels.into_iter().collect();
    let own = arguments.own_namespace.map(|namespace| OperatorPods { namespace, labels });
    let settings = Settings {
        worker_image: arguments.worker_image,
        operator: own,
        watch_nodes: arguments.watch_nodes,
    };
    controller::run(client, arguments.namespace.as_deref(), settings, key).await?;
    Ok(ExitCode::SUCCESS)
}
