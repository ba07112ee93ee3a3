//! The shop as an environment for others: `shoprl environment` serves `shoprl.v1.Environment`.
//!
//! A session holds no goal and no reward; a reward is a replay. So a server that dies loses nothing that its clients
//! cannot bring back: they open their sessions again, at any server of the same catalog, with the actions they took.

mod service;
mod sessions;
mod world;

pub use world::World;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shoprl_contract::Exit;
use shoprl_contract::v1::environment_server::EnvironmentServer;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Status};

use crate::auth::Token;
use crate::shutdown::Shutdown;
use crate::voice::{self, Voice};
use crate::worker::listen;
use service::EnvironmentService;
use sessions::{Bounds, Sessions};

/// Largest request in bytes: 40 actions of the greatest length, and their frame.
const MESSAGE_LIMIT: usize = 1 << 20;
/// A peer that vanished is noticed within twice this time.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Requests take milliseconds: who has not hung up by then, after the server was asked to leave, is hung up on.
const GRACE: Duration = Duration::from_secs(2);

/// What a server is started with.
#[derive(Debug)]
pub struct EnvironmentOptions {
    /// The shop to play in.
    pub world: World,
    /// Address to listen on; port 0 lets the system choose.
    pub listen: String,
    /// Most sessions at a time.
    pub sessions: usize,
    /// A session that is not used for this long is forgotten.
    pub lease: Duration,
    /// File with the token that clients must present; needed where others than this machine can dial.
    pub token_file: Option<PathBuf>,
    /// Written as `host:port\n` once listening.
    pub address_file: Option<PathBuf>,
    /// Threads that answer.
    pub threads: usize,
    /// The model that speaks for the shoppers of a large shop; without it the rules do.
    pub shopper: Option<voice::Options>,
}

/// Serves until asked to leave (SIGTERM, SIGINT): requests that have begun are answered, new ones are not taken.
/// `listening` is called once, with the address and the digest of the catalog.
///
/// # Errors
/// [`Exit::bad_configuration`] for a bad token or key file, a voice for `mini`, or for a foreign address without one; [`Exit::temporary`] when the
/// address cannot be listened on.
pub fn serve(
    options: &EnvironmentOptions,
    listening: impl FnOnce(SocketAddr, &str),
) -> Result<(), Exit> {
    let token = options.token_file.as_deref().map(Token::read).transpose()?;
    let voice = options.shopper.clone().map(Voice::new).transpose();
    let voice =
        voice.map_err(|error| Exit::bad_configuration(format!("--shopper-url: {error}")))?;
    if voice.is_some() && matches!(options.world, World::Mini(_)) {
        return Err(Exit::bad_configuration(
            "--shopper-url: in mini the rules speak for the shopper; leave it out, or name --catalog fine",
        ));
    }
    if token.is_none() {
        only_this_machine(&options.listen)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads.max(1))
        .enable_all()
        .build()
        .map_err(|error| Exit::temporary(format!("tokio runtime: {error}")))?;
    runtime.block_on(async {
        let shutdown = Shutdown::new();
        shutdown
            .listen(false)
            .map_err(|error| Exit::temporary(format!("signal handlers: {error}")))?;
        answer(options, token, voice, &shutdown, listening).await
    })
}

async fn answer(
    options: &EnvironmentOptions,
    token: Option<Token>,
    voice: Option<Voice>,
    shutdown: &Shutdown,
    listening: impl FnOnce(SocketAddr, &str),
) -> Result<(), Exit> {
    let listener = listen(&options.listen, options.address_file.as_deref()).await?;
    let address =
        listener.local_addr().map_err(|error| Exit::temporary(format!("own address: {error}")))?;
    let bounds = Bounds { sessions: options.sessions, lease: options.lease };
    let sessions = Arc::new(Sessions::new(options.world.clone(), bounds, voice.is_some()));
    tokio::spawn(forget_unused(Arc::clone(&sessions), options.lease));
    listening(address, sessions.world().digest());
    let service = EnvironmentServer::new(EnvironmentService::new(sessions, voice))
        .max_decoding_message_size(MESSAGE_LIMIT);
    let asked = shutdown.clone();
    let serving = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .add_service(InterceptedService::new(service, Door(token)))
        .serve_with_incoming_shutdown(listener, async move {
            asked.requested().await;
        });
    let out_of_patience = async {
        shutdown.requested().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving => {
            ended.map_err(|error| Exit::temporary(format!("serving on {address}: {error}")))
        }
        () = out_of_patience => Ok(()),
    }
}

/// Gives memory back when nobody asks for room; what an expired session answers does not depend on it.
async fn forget_unused(sessions: Arc<Sessions>, lease: Duration) {
    let mut ticks = tokio::time::interval(lease.max(Duration::from_secs(1)));
    loop {
        ticks.tick().await;
        let open = sessions.sweep(Instant::now());
        tracing::debug!(open, "sessions");
    }
}

/// Without a token only this machine may dial.
fn only_this_machine(listen: &str) -> Result<(), Exit> {
    // What cannot be resolved is told, with its remedy, when it is bound.
    let mut addresses = listen.to_socket_addrs().into_iter().flatten();
    match addresses.find(|address| !address.ip().is_loopback()) {
        None => Ok(()),
        Some(_) => Err(Exit::bad_configuration(format!(
            "--listen {listen}: other machines could play here; give --token-file, or listen on 127.0.0.1"
        ))),
    }
}

/// Admits those with the token, or all where there is none.
#[derive(Clone, Debug)]
struct Door(Option<Token>);

impl Interceptor for Door {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(token) = &self.0 else { return Ok(request) };
        match request.metadata().get("authorization") {
            Some(presented) if token.admits(presented.as_bytes()) => Ok(request),
            Some(_) => Err(Status::unauthenticated(
                "the token is not this server's; give the one in its --token-file",
            )),
            None => Err(Status::unauthenticated(
                "no token; send metadata `authorization: Bearer TOKEN`",
            )),
        }
    }
}
