//! The trainer role: rank 0 is the single controller. It owns the queue of episodes, the weights and
//! their version, the credit and the checkpoint; all others pull from it.

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
use crate::{report, telemetry, worker};
use job::Job;
use service::ControllerService;
use shared::Shared;

/// How long the finished trainer stays so that waiting workers hear that the job is over.
const FAREWELL: Duration = Duration::from_millis(500);

/// Trains until the target step is reached. Computes on the calling thread; `runtime` carries the requests.
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
        runtime.block_on(worker::listen(&options.listen, options.address_file.as_deref()))?;
    let asked = options.metrics_listen.as_deref();
    let metrics_listener = asked.map(|at| runtime.block_on(telemetry::listen(at))).transpose()?;
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
    // Serve only now: whoever registers finds the attempt and the state that it will work for.
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
    std::thread::sleep(FAREWELL);
    Ok(exit)
}

/// What is not in the program or its image will not be there next time either; a device may.
fn open_device(choice: DeviceChoice) -> Result<ComputeDevice, Exit> {
    ComputeDevice::open(choice).map_err(|why| {
        let exit: fn(String) -> Exit = match why {
            NoCuda::NotBuilt | NoCuda::Library(_) => Exit::bad_configuration,
            NoCuda::Device(_) => Exit::temporary,
        };
        exit(format!("device cuda: {why}; with auto or cpu the trainer works without"))
    })
}

/// The run folder says what the run is, also where nobody but the trainer writes to it: reports begin there.
fn keep_configuration(options: &WorkerOptions) -> Result<(), Exit> {
    let kept = options.directory.join(file::RUN_CONFIG);
    if kept.exists() {
        return Ok(());
    }
    std::fs::copy(&options.config, &kept)
        .map(drop)
        .map_err(|error| Exit::temporary(format!("{}: {error}", kept.display())))
}
