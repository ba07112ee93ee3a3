//! [`run`]: one worker from its options to its termination message.

use std::path::Path;

use shoprl_contract::{Exit, ExitReason, RUN_CONFIG_VERSION, Role, RunConfig};

use crate::auth::Token;
use crate::options::WorkerOptions;
use crate::shutdown::Shutdown;
use crate::{reward, rollout, simulator, trainer};

/// Runs one worker until its work is done or it is asked to stop. Builds its own tokio runtime and writes the [`Exit`] to
/// the termination file.
pub fn run(options: &WorkerOptions) -> Exit {
    let exit = start(options).unwrap_or_else(|exit| exit);
    if let Some(path) = &options.termination_file {
        // If the termination message cannot be written, the log is the only place left.
        let line = serde_json::to_string(&exit).unwrap_or_default();
        if let Err(error) = std::fs::write(path, line + "\n") {
            tracing::error!(path = %path.display(), %error, "cannot write the termination message");
        }
    }
    match exit.reason {
        ExitReason::Done => tracing::info!("worker done"),
        reason => tracing::warn!(?reason, message = exit.message, "worker exits"),
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
    // Signal handlers and connections need the runtime's context, also on the computing thread.
    let context = runtime.enter();
    shutdown
        .listen(options.exit_with_stdin)
        .map_err(|error| Exit::temporary(format!("signal handlers: {error}")))?;
    let exit = match options.role {
        Role::Simulator => runtime.block_on(simulator::serve(options, &config, &token, &shutdown)),
        Role::Rollout => rollout::play(options, &config, &token, &shutdown, &runtime),
        Role::Reward => runtime.block_on(reward::score(options, &config, &token, &shutdown)),
        Role::Trainer => trainer::train(options, &config, &token, &shutdown, &runtime),
    };
    drop(context);
    // Do not wait for the task that reads standard input: it would keep the process alive.
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
            "configuration {}: {error}; use the run.json that `shoprl run` writes",
            path.display()
        ))
    })?;
    if config.version != RUN_CONFIG_VERSION {
        return Err(Exit::bad_configuration(format!(
            "configuration {}: version {}, but this program reads version {RUN_CONFIG_VERSION}; use the program that wrote the file",
            path.display(),
            config.version
        )));
    }
    Ok(config)
}
