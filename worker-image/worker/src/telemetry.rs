//! A port that answers `/metrics` to Prometheus. It asks nobody for the job's token: there is nothing to take from it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use shoprl_contract::Exit;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once; more wait.
const CONNECTIONS: usize = 16;
/// Whoever does not say what it wants by then is cut off.
const DEADLINE: Duration = Duration::from_secs(10);

/// Binds the port.
pub(crate) async fn listen(address: &str) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).await.map_err(|error| {
        Exit::temporary(format!(
            "listen on {address} for metrics: {error}; give --metrics-listen as a free host:port of this machine"
        ))
    })
}

/// Answers with what `text` says, until it is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    text: impl Fn() -> String + Send + Sync + 'static,
) {
    let (text, free) = (Arc::new(text), Arc::new(Semaphore::new(CONNECTIONS)));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&free).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let text = Arc::clone(&text);
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(|request: Request<Incoming>| {
                let asked = request.method() == Method::GET && request.uri().path() == "/metrics";
                let answer = if asked { told(text()) } else { unknown() };
                std::future::ready(Ok::<_, Infallible>(answer))
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(DEADLINE)
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection for metrics ended");
            }
        });
    }
}

fn told(text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn unknown() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"there is /metrics\n")));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
