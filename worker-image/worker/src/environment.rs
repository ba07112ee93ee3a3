//! The shop as an environment for external clients: `shoprl environment` serves `shoprl.v1.Environment`.
//!
//! A session holds no goal and no reward; the reward comes from a replay. When a server dies, clients open their sessions again
//! with the actions they took, on any server of the same catalog. Nothing is lost.

mod service;
mod sessions;
mod world;

pub use world::World;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shoprl_contract::v1::environment_server::EnvironmentServer;
use shoprl_contract::{Exit, error_chain};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Status};

use crate::auth::Token;
use crate::listener;
use crate::shutdown::Shutdown;
use crate::voice::{self, Voice};
use service::EnvironmentService;
use sessions::{Bounds, Sessions};

/// Largest request in bytes: 40 actions of the greatest length, with framing.
const MESSAGE_LIMIT: usize = 1 << 20;
/// Interval of keepalive pings: a vanished peer is detected within twice this time.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// How long a stopping server waits for open connections. Requests take milliseconds.
const GRACE: Duration = Duration::from_secs(2);

/// Options of a server.
#[derive(Debug)]
pub struct EnvironmentOptions {
    /// The shop to play in.
    pub world: World,
    /// Address to listen on; port 0 lets the system choose.
    pub listen: String,
    /// Most open sessions.
    pub sessions: usize,
    /// A session unused for this long is removed.
    pub lease: Duration,
    /// File with the token that clients must present; required unless the address is loopback.
    pub token_file: Option<PathBuf>,
    /// File that gets the bound `host:port` and a line feed.
    pub address_file: Option<PathBuf>,
    /// Number of threads that answer requests.
    pub threads: usize,
    /// Model that speaks for the shoppers of a large shop; `None` uses the rules.
    pub shopper: Option<voice::Options>,
}

/// Serves until SIGTERM or SIGINT. Then it finishes requests in flight and accepts no new ones.
/// Calls `listening` once, with the bound address and the digest of the catalog.
///
/// # Errors
/// [`Exit::bad_configuration`] for a bad token or key file, a shopper model for `mini`, or a non-loopback address without a
/// token; [`Exit::temporary`] if the address cannot be bound.
pub fn serve(
    options: &EnvironmentOptions,
    listening: impl FnOnce(SocketAddr, &str),
) -> Result<(), Exit> {
    let token = options.token_file.as_deref().map(Token::read).transpose()?;
    let voice = options.shopper.clone().map(Voice::new).transpose();
    let voice = voice.map_err(|error| {
        Exit::bad_configuration(format!("--shopper-url: {}", error_chain(&error)))
    })?;
    if voice.is_some() && matches!(options.world, World::Mini(_)) {
        return Err(Exit::bad_configuration(
            "--shopper-url: mini has no shopper model; omit the option, or choose --catalog fine",
        ));
    }
    if token.is_none() {
        require_loopback(&options.listen)?;
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
    let listener = listener::bind(&options.listen, options.address_file.as_deref()).await?;
    let address = listener
        .local_addr()
        .map_err(|error| Exit::temporary(format!("read the bound address: {error}")))?;
    let bounds = Bounds { sessions: options.sessions, lease: options.lease };
    let sessions = Arc::new(Sessions::new(options.world.clone(), bounds, voice.is_some()));
    tokio::spawn(remove_expired(Arc::clone(&sessions), options.lease));
    listening(address, sessions.world().digest());
    let service = EnvironmentServer::new(EnvironmentService::new(sessions, voice))
        .max_decoding_message_size(MESSAGE_LIMIT);
    let stop = shutdown.clone();
    let serving = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .add_service(InterceptedService::new(service, OptionalToken(token)))
        .serve_with_incoming_shutdown(listener, async move {
            stop.requested().await;
        });
    let grace_over = async {
        shutdown.requested().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving => {
            ended.map_err(|error| Exit::temporary(format!("serving on {address}: {error}")))
        }
        () = grace_over => Ok(()),
    }
}

/// Frees the memory of expired sessions when no new ones need their room. Answers do not depend on it.
async fn remove_expired(sessions: Arc<Sessions>, lease: Duration) {
    let mut ticks = tokio::time::interval(lease.max(Duration::from_secs(1)));
    loop {
        ticks.tick().await;
        let open = sessions.sweep(Instant::now());
        tracing::debug!(open, "expired sessions removed");
    }
}

/// Refuses addresses that other machines can reach: without a token only this machine may connect.
fn require_loopback(listen: &str) -> Result<(), Exit> {
    // A name that does not resolve is reported, with its remedy, by the bind.
    let mut addresses = listen.to_socket_addrs().into_iter().flatten();
    match addresses.find(|address| !address.ip().is_loopback()) {
        None => Ok(()),
        Some(_) => Err(Exit::bad_configuration(format!(
            "--listen {listen}: other machines can reach this address; give --token-file, or listen on 127.0.0.1"
        ))),
    }
}

/// Admits callers with the token, or every caller if the server has none.
#[derive(Clone, Debug)]
struct OptionalToken(Option<Token>);

impl Interceptor for OptionalToken {
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
