//! The `/metrics` port for Prometheus. It needs no token, because the metrics are not secret.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use shoprl_contract::Exit;
use shoprl_http::OPENMETRICS;
use tokio::net::TcpListener;

/// Binds the port.
pub(crate) async fn bind(address: &str) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).await.map_err(|error| {
        Exit::temporary(format!(
            "listen on {address} for metrics: {error}; give --metrics-listen as a free host:port of this machine"
        ))
    })
}

/// Answers each request for `/metrics` with a new `text`, until the future is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    text: impl Fn() -> String + Send + Sync + 'static,
) {
    let text = Arc::new(text);
    let metrics = get(move || std::future::ready(([(CONTENT_TYPE, OPENMETRICS)], text())));
    let router = Router::new()
        .route("/metrics", metrics)
        .method_not_allowed_fallback(not_found)
        .fallback(not_found);
    if let Err(error) = shoprl_http::serve(listener, router).await {
        tracing::error!(%error, "metrics port failed");
    }
}

async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "there is /metrics\n")
}
