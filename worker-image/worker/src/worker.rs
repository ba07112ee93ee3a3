//! [`run`]: one worker from its options to its last words.

use std::path::Path;

use shoprl_contract::{Exit, ExitReason, RUN_CONFIG_VERSION, Role, RunConfig};
use tonic::transport::server::TcpIncoming;

use crate::auth::Token;
use crate::options::WorkerOptions;
use crate::shutdown::Shutdown;
use crate::{reward, rollout, simulator, trainer};

/// Runs one worker until its work is done or it is asked to leave. Builds its own tokio runtime, and
/// leaves the [`Exit`] in the termination file.
pub fn run(options: &WorkerOptions) -> Exit {
    let exit = start(options).unwrap_or_else(|exit| exit);
    if let Some(path) = &options.termination_file {
        // Last words: if they cannot be written there is nobody left to tell but the log.
        let line = serde_json::to_string(&exit).unwrap_or_default();
        if let Err(error) = std::fs::write(path, line + "\n") {
            tracing::error!(path = %path.display(), %error, "termination message not written");
        }
    }
    match exit.reason {
        ExitReason::Done => tracing::info!("done"),
        reason => tracing::warn!(?reason, message = exit.message, "leaving"),
    }
    exit
}

fn start(options: &WorkerOptions) -> Result<Exit, Exit> {
    let config = read_config(&options.config)?;
    let token = Token::read(&options.token_file)?;
    if options.threads == 0 {
        return Err(Exit::bad_configuration("--threads 0: give at least 1"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Exit::temporary(format!("tokio runtime: {error}")))?;
    let shutdown = Shutdown::new();
    // Signals and connections find the runtime, also from the computing thread.
    let inside = runtime.enter();
    shutdown
        .listen(options.exit_with_stdin)
        .map_err(|error| Exit::temporary(format!("signal handlers: {error}")))?;
    let exit = match options.role {
        Role::Simulator => runtime.block_on(simulator::serve(options, &config, &token, &shutdown)),
        Role::Rollout => rollout::play(options, &config, &token, &shutdown, &runtime),
        Role::Reward => runtime.block_on(reward::score(options, &config, &token, &shutdown)),
        Role::Trainer => trainer::train(options, &config, &token, &shutdown, &runtime),
    };
    drop(inside);
    // Tasks that still wait on standard input must not keep the process.
    runtime.shutdown_background();
    exit
}

fn read_config(path: &Path) -> Result<RunConfig, Exit> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Exit::bad_configuration(format!(
            "configuration {}: {error}; give --config a readable run.json",
            path.display()
        ))
    })?;
    let config: RunConfig = serde_json::from_str(&text).map_err(|error| {
        Exit::bad_configuration(format!(
            "configuration {}: {error}; let `shoprl run` write it",
            path.display()
        ))
    })?;
    if config.version != RUN_CONFIG_VERSION {
        return Err(Exit::bad_configuration(format!(
            "configuration {}: version {} but this program reads {RUN_CONFIG_VERSION}; use the program that wrote it",
            path.display(),
            config.version
        )));
    }
    Ok(config)
}

/// The trainer's address, which every role but the trainer needs.
pub(crate) fn trainer_address(options: &WorkerOptions) -> Result<&str, Exit> {
    options.trainer.as_deref().ok_or_else(|| {
        Exit::bad_configuration(format!(
            "--trainer is missing; a {} needs the trainer's host:port",
            options.role.name()
        ))
    })
}

/// Binds a listener and tells where, through the address file.
///
/// Its connections send at once: a reply is several small writes, and held back until the peer acknowledges the first
/// of them it comes 40 ms late. The server's own setting does not reach connections that it did not open itself.
pub(crate) async fn listen(
    address: &str,
    address_file: Option<&Path>,
) -> Result<TcpIncoming, Exit> {
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => "the port is busy; stop what uses it or choose another (port 0 lets the system choose)",
            std::io::ErrorKind::PermissionDenied => "choose a port above 1023",
            _ => "give --listen as host:port of this machine",
        };
        Exit::temporary(format!("listen on {address}: {error}; {remedy}"))
    })?;
    if let Some(path) = address_file {
        let address = listener
            .local_addr()
            .map_err(|error| Exit::temporary(format!("own address: {error}")))?;
        // Written whole under another name first: whoever waits for the file must not read half of it.
        let partial = path.with_extension("partial");
        std::fs::write(&partial, format!("{address}\n"))
            .and_then(|()| std::fs::rename(&partial, path))
            .map_err(|error| {
                Exit::temporary(format!(
                    "address file {}: {error}; make room for it, and run again",
                    path.display()
                ))
            })?;
    }
    Ok(TcpIncoming::from(listener).with_nodelay(Some(true)))
}
