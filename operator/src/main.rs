//! `shoprl-operator`: turns every ShopRLJob into pods and keeps it alive.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use kube::Client;
use shoprl_operator::{OperatorKey, controller};
use tracing_subscriber::EnvFilter;

/// Runs ShopRLJobs on this Kubernetes.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Image of the workers of jobs that are accepted from now on; best by digest.
    #[arg(long, value_name = "IMAGE")]
    worker_image: String,
    /// File with the operator's key, at least 32 bytes; jobs' tokens derive from it.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Only jobs of this namespace; default: of all.
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// How to write the log, to the standard error; RUST_LOG filters it.
    #[arg(long, value_enum, default_value_t = LogFormat::Json, value_name = "FORMAT")]
    log: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match arguments.log {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    let key = OperatorKey::read(&arguments.key_file)?;
    let client = Client::try_default().await?;
    controller::run(client, arguments.namespace.as_deref(), arguments.worker_image, key).await
}
