//! What the operator tells of itself, on a port of its own: `/healthz`, `/readyz`, `/metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once; more wait.
const CONNECTIONS: usize = 64;
/// Whoever does not say what it wants by then is cut off.
const DEADLINE: Duration = Duration::from_secs(10);

/// What is asked for.
pub(crate) trait Pages: Send + Sync + 'static {
    /// What is not ready yet, in words; `None` when all is.
    fn missing(&self) -> Option<&'static str>;
    /// The metrics as text.
    fn metrics(&self) -> String;
}

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, pages: Arc<dyn Pages>) -> Infallible {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&free).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of descriptors, or the peer went: the next one may come through.
            Err(error) => {
                tracing::warn!(%error, "a connection failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let pages = Arc::clone(&pages);
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer(request.method(), request.uri().path(), pages.as_ref());
                std::future::ready(Ok::<_, Infallible>(answer))
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(DEADLINE)
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
}

fn answer(method: &Method, path: &str, pages: &dyn Pages) -> Response<Full<Bytes>> {
    let plain = "text/plain; charset=utf-8";
    let (status, kind, text) = match (method, path) {
        (&Method::GET, "/healthz") => (StatusCode::OK, plain, "ok\n".to_owned()),
        (&Method::GET, "/readyz") => match pages.missing() {
            None => (StatusCode::OK, plain, "ok\n".to_owned()),
            Some(missing) => (StatusCode::SERVICE_UNAVAILABLE, plain, format!("{missing}\n")),
        },
        (&Method::GET, "/metrics") => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            (StatusCode::OK, kind, pages.metrics())
        }
        _ => {
            let text = "there are /healthz, /readyz and /metrics\n".to_owned();
            (StatusCode::NOT_FOUND, plain, text)
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
