//! The trainer role, the job's only controller. It owns the queue of episodes, the weights, the credit and the checkpoints;
//! all other workers pull from it.

mod batches;
mod coordinator;
mod evaluation;
mod job;
mod journal;
mod learner;
mod metrics;
mod resume;
mod sample;
mod service;
mod shared;
mod state;
mod training;
mod warmup;

use std::sync::Arc;
use std::time::Duration;

use shoprl_contract::run_folder::file;
use shoprl_contract::v1::controller_server::ControllerServer;
use shoprl_contract::{Exit, RunConfig};
use shoprl_model::device::{ComputeDevice, DeviceChoice, NoCuda};
use tokio::runtime::Runtime;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;

use crate::auth::{Gatekeeper, Token};
use crate::checkpoint::Store;
use crate::client::MESSAGE_LIMIT;
use crate::options::WorkerOptions;
use crate::shutdown::Shutdown;
use crate::{listener, report, telemetry};
use job::Job;
use service::ControllerService;
use shared::Shared;

/// How long a finished trainer keeps serving, so that workers in flight learn that the job is over.
const LINGER: Duration = Duration::from_millis(500);

/// Trains until the target step is reached. Computes on the calling thread; requests run on `runtime`.
pub(crate) fn train(
    options: &WorkerOptions,
    config: &RunConfig,
    token: &Token,
    shutdown: &Shutdown,
    runtime: &Runtime,
) -> Result<Exit, Exit> {
    let device = open_device(options.device)?;
    tracing::info!("gradients are computed on {device}");
    let listener =
        runtime.block_on(listener::bind(&options.listen, options.address_file.as_deref()))?;
    let metrics_address = options.metrics_listen.as_deref();
    let metrics_listener =
        metrics_address.map(|at| runtime.block_on(telemetry::bind(at))).transpose()?;
    let store =
        Store::open(&options.directory, config.checkpoint.keep).map_err(|error| error.exit())?;
    let attempt = store
        .begin_attempt(&config.job_uid, &config.manifest_digest)
        .map_err(|error| error.exit())?;
    keep_configuration(options)?;
    let shared = Arc::new(Shared::default());
    let service = ControllerService {
        shared: Arc::clone(&shared),
        job_uid: config.job_uid.clone(),
        attempt: attempt.number,
        token: token.clone(),
    };
    let mut job = Job::begin(
        config,
        &options.directory,
        &device,
        options.threads,
        (store, attempt),
        Arc::clone(&shared),
        shutdown.clone(),
    )?;
    // Serve only now, so that a registration gets an attempt whose state is restored.
    let service = ControllerServer::new(service)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    runtime.spawn(
        Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(10)))
            .add_service(InterceptedService::new(service, Gatekeeper(token.clone())))
            .serve_with_incoming(listener),
    );
    if let Some(listener) = metrics_listener {
        let shared = Arc::clone(&shared);
        runtime.spawn(telemetry::serve(listener, move || metrics::text(&shared)));
    }
    let exit = job.run()?;
    report::render(&options.directory).map_err(|error| error.exit())?;
    shared.lock().finished = true;
    shared.work.notify_waiters();
    std::thread::sleep(LINGER);
    Ok(exit)
}

/// A program or image without CUDA cannot work after a restart either; a missing device may come back.
fn open_device(choice: DeviceChoice) -> Result<ComputeDevice, Exit> {
    ComputeDevice::open(choice).map_err(|why| {
        let exit: fn(String) -> Exit = match why {
            NoCuda::NotBuilt | NoCuda::Library(_) => Exit::bad_configuration,
            NoCuda::Device(_) => Exit::temporary,
        };
        exit(format!("device cuda: {why}; choose auto or cpu to train without it"))
    })
}

/// Copies the configuration into the run folder, unless it is there: reports need it.
fn keep_configuration(options: &WorkerOptions) -> Result<(), Exit> {
    let kept = options.directory.join(file::RUN_CONFIG);
    if kept.exists() {
        return Ok(());
    }
    std::fs::copy(&options.config, &kept)
        .map(drop)
        .map_err(|error| Exit::temporary(format!("{}: {error}", kept.display())))
}
