//! Checks every request to the API server against the table of rights, and counts it.

use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use kube::client::Body;
use kube::{Client, Config};
use tower::{BoxError, Layer, Service};

use crate::connection::connection;
use crate::metrics::{Answer, Metrics};
use crate::rights::needed;

/// A request without an entry in `rights.rs`. It was not sent.
#[derive(Debug, thiserror::Error)]
#[error(
    "{method} {path} is not in operator/src/rights.rs; add it there, or the chart will not allow it"
)]
pub struct NoRight {
    method: String,
    path: String,
}

/// A client whose requests are checked and counted.
///
/// # Errors
/// When the configuration names keys or certificates that cannot be read, or a proxy.
pub fn client(config: &Config, metrics: Metrics) -> Result<Client, kube::Error> {
    Ok(connection(config)?.with_layer(&Checked(metrics)).build())
}

/// The layer that checks and counts.
#[derive(Debug, Clone)]
pub struct Checked(pub Metrics);

impl<S> Layer<S> for Checked {
    type Service = CheckedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CheckedService { inner, metrics: self.0.clone() }
    }
}

/// A service with the layer [`Checked`].
#[derive(Debug, Clone)]
pub struct CheckedService<S> {
    inner: S,
    metrics: Metrics,
}

impl<S, B> Service<Request<Body>> for CheckedService<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (method, uri) = (request.method().as_str(), request.uri());
        let Some(right) = needed(method, uri.path(), uri.query()) else {
            let refused = NoRight { method: method.to_owned(), path: uri.path().to_owned() };
            return futures::future::err(refused.into()).boxed();
        };
        let metrics = self.metrics.clone();
        let answer = self.inner.call(request);
        async move {
            let answer = answer.await.map_err(Into::into);
            let counted = answer
                .as_ref()
                .map_or(Answer::Unreachable, |answer| Answer::of(answer.status().as_u16()));
            metrics.requested(right.verb, right.kind, counted);
            answer
        }
        .boxed()
    }
}
