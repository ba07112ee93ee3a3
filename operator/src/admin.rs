//! The HTTP endpoints for the kubelet and for Prometheus: `/healthz`, `/readyz` and `/metrics`.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, header};
use shoprl_http::OPENMETRICS;
use tokio::net::TcpListener;

/// What the endpoints report.
pub(crate) trait Pages: Send + Sync + 'static {
    /// What is not ready yet; `None` if the process is ready.
    fn missing(&self) -> Option<&'static str>;
    /// The metrics as text.
    fn metrics(&self) -> String;
}

/// Serves until the future is dropped.
pub(crate) async fn serve(listener: TcpListener, pages: Arc<dyn Pages>) -> io::Result<()> {
    shoprl_http::serve(listener, router(pages)).await
}

fn router(pages: Arc<dyn Pages>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(pages)
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(pages): State<Arc<dyn Pages>>) -> (StatusCode, String) {
    match pages.missing() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")),
    }
}

async fn metrics(State(pages): State<Arc<dyn Pages>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPENMETRICS)], pages.metrics())
}

async fn unknown() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::body::Body;
    use http::{Method, Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    #[derive(Default)]
    struct Example {
        ready: AtomicBool,
    }

    impl Pages for Example {
        fn missing(&self) -> Option<&'static str> {
            (!self.ready.load(Ordering::Relaxed)).then_some("the cache is not filled yet")
        }

        fn metrics(&self) -> String {
            "leader 1\n".to_owned()
        }
    }

    #[tokio::test]
    async fn the_endpoints_answer_and_other_requests_get_their_names() {
        let pages = Arc::new(Example::default());
        let router = router(pages.clone());
        let check = async |method: Method, path: &str, status: u16, kind: &str, text: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], kind, "{path}");
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), text, "{path}");
        };
        let plain = "text/plain; charset=utf-8";
        let names = "there are /healthz, /readyz and /metrics\n";
        check(Method::GET, "/healthz", 200, plain, "ok\n").await;
        check(Method::GET, "/readyz", 503, plain, "the cache is not filled yet\n").await;
        pages.ready.store(true, Ordering::Relaxed);
        check(Method::GET, "/readyz", 200, plain, "ok\n").await;
        check(Method::GET, "/metrics", 200, OPENMETRICS, "leader 1\n").await;
        check(Method::GET, "/", 404, plain, names).await;
        check(Method::POST, "/metrics", 404, plain, names).await;
    }
}
