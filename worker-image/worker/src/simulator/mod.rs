//! The simulator role: serves sessions of one shop to rollouts.

mod service;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use shoprl_contract::v1::simulator_server::SimulatorServer;
use shoprl_contract::{Exit, Role, RunConfig};
use shoprl_simulator::Shop;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;

use crate::auth::{Gatekeeper, Token};
use crate::client::MESSAGE_LIMIT;
use crate::link::Link;
use crate::options::WorkerOptions;
use crate::shop;
use crate::shutdown::Shutdown;
use crate::task;
use crate::worker::{listen, trainer_address};
use service::{Newest, SimulatorService};
use sessions::Sessions;

/// How often a simulator makes itself known again; the trainer forgets one it has not heard of for three times this.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(2);

/// Serves until asked to leave.
pub(crate) async fn serve(
    options: &WorkerOptions,
    config: &RunConfig,
    token: &Token,
    shutdown: &Shutdown,
) -> Result<Exit, Exit> {
    let shop: Arc<Shop> = shop::open(config)?;
    let listener = listen(&options.listen, options.address_file.as_deref()).await?;
    let address =
        listener.local_addr().map_err(|error| Exit::temporary(format!("own address: {error}")))?;
    let link = Link::new(
        trainer_address(options)?,
        Role::Simulator,
        options.index,
        address.to_string(),
        config,
        token,
        shutdown,
    )?;
    let attempt = Newest::default();
    tokio::spawn(keep_known(link, attempt.clone(), shutdown.clone()));
    let sessions = Sessions::new(shop, task::limits(config));
    let service = SimulatorService::new(sessions, config.job_uid.clone(), attempt);
    let service = SimulatorServer::new(service)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    tracing::info!(%address, "serving");
    let asked = shutdown.clone();
    Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(10)))
        .add_service(InterceptedService::new(service, Gatekeeper(token.clone())))
        .serve_with_incoming_shutdown(listener, async move {
            asked.requested().await;
        })
        .await
        .map_err(|error| Exit::temporary(format!("serving on {address}: {error}")))?;
    Ok(Exit::stopped("asked to leave"))
}

/// Registers now and at every heartbeat, so that a restarted trainer knows this simulator too.
async fn keep_known(mut link: Link, attempt: Newest, shutdown: Shutdown) {
    loop {
        match link.register().await {
            Ok(()) => {
                attempt.hear(link.caller().attempt);
            }
            Err(exit) => {
                tracing::warn!(message = exit.message, "not registered");
                shutdown.request();
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(HEARTBEAT) => {}
            () = shutdown.requested() => return,
        }
    }
}
