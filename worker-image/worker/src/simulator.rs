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
use crate::listener;
use crate::options::WorkerOptions;
use crate::shop;
use crate::shutdown::Shutdown;
use crate::task;
use service::{Newest, SimulatorService};
use sessions::Sessions;

/// Interval of a simulator's registrations. The trainer stops using a simulator after three missed ones.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(2);

/// Serves until asked to stop.
pub(crate) async fn serve(
    options: &WorkerOptions,
    config: &RunConfig,
    token: &Token,
    shutdown: &Shutdown,
) -> Result<Exit, Exit> {
    let shop: Arc<Shop> = shop::open(config)?;
    let listener = listener::bind(&options.listen, options.address_file.as_deref()).await?;
    let address = listener
        .local_addr()
        .map_err(|error| Exit::temporary(format!("read the bound address: {error}")))?;
    let link = Link::new(
        options.trainer_address()?,
        Role::Simulator,
        options.index,
        address.to_string(),
        config,
        token,
        shutdown,
    )?;
    let attempt = Newest::default();
    tokio::spawn(keep_registered(link, attempt.clone(), shutdown.clone()));
    let sessions = Sessions::new(shop, task::limits(config));
    let service = SimulatorService::new(sessions, config.job_uid.clone(), attempt);
    let service = SimulatorServer::new(service)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    tracing::info!(%address, "simulator serving");
    let stop = shutdown.clone();
    Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(10)))
        .add_service(InterceptedService::new(service, Gatekeeper(token.clone())))
        .serve_with_incoming_shutdown(listener, async move {
            stop.requested().await;
        })
        .await
        .map_err(|error| Exit::temporary(format!("serving on {address}: {error}")))?;
    Ok(Exit::stopped("asked to stop"))
}

/// Registers now and at every heartbeat, so that a restarted trainer learns this simulator's address.
async fn keep_registered(mut link: Link, attempt: Newest, shutdown: Shutdown) {
    loop {
        match link.register().await {
            Ok(()) => {
                attempt.observe(link.caller().attempt);
            }
            Err(error) => {
                tracing::warn!(%error, "registration ended");
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
