//! Serves the HTTP endpoints of the operator and of the workers. They are open to everyone on the network, so connections are
//! limited in number and in time.

mod bounded;

use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use self::bounded::Bounded;

/// Content type of metrics in the format that Prometheus reads.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Open connections; more wait in the backlog.
const MAX_CONNECTIONS: usize = 64;
/// A connection is closed after this time, so that silent clients cannot use up the connections.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(10);

/// Serves `router` until the future is dropped.
///
/// # Errors
/// Never in practice: failed connections are dropped, and accepting is retried.
pub async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    axum::serve(Bounded::new(listener, MAX_CONNECTIONS, CONNECTION_LIFETIME), router).await
}
