//! The HTTP connection to the API server.

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::retry::RetryPolicy;
use kube::client::{Body, ClientBuilder, ConfigExt};
use tower::retry::RetryLayer;
use tower::timeout::TimeoutLayer;
use tower::{BoxError, Service, ServiceBuilder};

/// Does what `ClientBuilder::try_from` does, with TCP_NODELAY set. kube's own connections hold back the end of a request
/// until the API server acknowledges its beginning, which it does after 40 ms. Remove this module when kube-rs/kube#2056 is
/// fixed; it costs the support of proxies.
///
/// # Errors
/// When the configuration names keys or certificates that cannot be read, or a proxy.
pub fn connection(
    config: &Config,
) -> Result<
    ClientBuilder<
        impl Service<
            Request<Body>,
            Response = Response<Incoming>,
            Error = BoxError,
            Future: Send + 'static,
        > + Send
        + 'static,
    >,
    kube::Error,
> {
    if let Some(proxy_url) = config.proxy_url.clone().map(Box::new) {
        return Err(kube::Error::ProxyProtocolUnsupported { proxy_url });
    }
    let connector = ServiceBuilder::new()
        .map_future(Box::pin)
        .option_layer(config.connect_timeout.map(TimeoutLayer::new))
        .service(config.rustls_https_connector_with_connector(connector())?);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.default_retry.then(|| RetryLayer::new(RetryPolicy::server_retry())))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(Client::builder(TokioExecutor::new()).build(connector));
    Ok(ClientBuilder::new(service, &config.default_namespace))
}

/// Plain TCP; TLS is a layer above it.
fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}

#[cfg(test)]
mod tests {
    use http::Uri;
    use kube::Config;
    use tokio::net::TcpListener;
    use tower::ServiceExt;

    use super::{connection, connector};

    #[tokio::test]
    async fn connections_send_without_delay() {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = server.local_addr().expect("it is bound");
        let to: Uri = format!("https://{address}").parse().expect("an address");
        let connection = connector().oneshot(to).await.expect("the server listens");
        assert!(connection.inner().nodelay().expect("it is open"));
    }

    #[test]
    fn a_proxy_is_refused_by_name() {
        let mut config = Config::new(Uri::from_static("https://127.0.0.1:1"));
        config.proxy_url = Some(Uri::from_static("http://proxy.example:3128"));
        let error = connection(&config).err().expect("proxies are not supported").to_string();
        assert!(error.contains("proxy.example"), "{error}");
    }
}
