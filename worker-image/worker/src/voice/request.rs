//! One request for a chat completion, over HTTP or HTTPS.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::uri::Scheme;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::{Value, json};
use shoprl_contract::error_chain;
use shoprl_simulator::mall::voice::{Line, Speaker};

/// Most bytes read of a response.
const RESPONSE_BYTES: usize = 1 << 20;
/// Most characters of an error response that are reported.
const REPORTED_CHARS: usize = 200;

/// Why a request gave no reply.
pub(super) enum Failure {
    /// A retry would fail the same way.
    Final(StatusCode, String),
    /// A retry may succeed.
    Passing {
        what: String,
        /// Pause that the endpoint asks for.
        after: Option<Duration>,
    },
}

/// The client of one endpoint.
pub(super) struct Connection {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    key: Option<HeaderValue>,
}

impl Connection {
    /// # Errors
    /// The URL is `https` and the machine has no certificates.
    pub(super) fn new(url: &Uri, key: Option<HeaderValue>) -> io::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let builder = hyper_rustls::HttpsConnectorBuilder::new();
        let builder = if url.scheme() == Some(&Scheme::HTTPS) {
            builder.with_provider_and_native_roots(provider)?
        } else {
            // Plain HTTP: the TLS configuration is never used, so it trusts no certificate.
            let config = ClientConfig::builder_with_provider(provider.into())
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            builder.with_tls_config(config)
        };
        let client = Client::builder(TokioExecutor::new());
        let client = client.build(builder.https_or_http().enable_http1().build());
        let url = format!("{}/chat/completions", url.to_string().trim_end_matches('/'));
        Ok(Self { client, url, key })
    }

    /// Sends a request body; returns the words of the reply.
    pub(super) async fn post(&self, body: String) -> Result<String, Failure> {
        let mut request = Request::post(&self.url).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key);
        }
        let request = request.body(Full::from(body)).map_err(|error| passing(&error))?;
        let response = self.client.request(request).await.map_err(|error| passing(&error))?;
        let (status, after) = (response.status(), wait_asked(&response));
        let body = Limited::new(response.into_body(), RESPONSE_BYTES).collect().await;
        let body = body.map_err(|error| passing(&*error))?.to_bytes();
        if status.is_success() {
            return reply(&body).map_err(|what| Failure::Passing { what, after: None });
        }
        let said = String::from_utf8_lossy(&body).trim().chars().take(REPORTED_CHARS).collect();
        // The server is overloaded or failing: 408, 409, 429, 5xx. Every other status means that the request is wrong.
        if status.is_server_error() || matches!(status.as_u16(), 408 | 409 | 429) {
            return Err(Failure::Passing { what: format!("{status}, {said}"), after });
        }
        Err(Failure::Final(status, said))
    }
}

pub(super) fn body(
    model: &str,
    lines: &[Line],
    temperature: f32,
    seed: u32,
    tokens: u32,
) -> String {
    let messages: Vec<Value> = lines
        .iter()
        .map(|line| {
            let role = match line.speaker {
                Speaker::System => "system",
                Speaker::User => "user",
                Speaker::Assistant => "assistant",
            };
            json!({"role": role, "content": line.text})
        })
        .collect();
    json!({
        "model": model, "messages": messages, "temperature": temperature, "seed": seed, "max_tokens": tokens,
    })
    .to_string()
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// The words of a completion, without the model's reasoning and without surrounding quotes.
fn reply(body: &[u8]) -> Result<String, String> {
    let completion: Completion = serde_json::from_slice(body)
        .map_err(|error| format!("the response is not a chat completion: {error}"))?;
    let content = completion.choices.into_iter().next().and_then(|choice| choice.message.content);
    let content = content.ok_or("the response holds no message")?;
    let said = content.rsplit_once("</think>").map_or(content.as_str(), |(_, said)| said);
    Ok(said.trim().trim_matches(['"', '“', '”', '「', '」']).trim().to_owned())
}

fn wait_asked(response: &Response<Incoming>) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A failure that a retry may cure, with all causes: the client's own text does not say what went wrong.
fn passing(error: &(dyn Error + 'static)) -> Failure {
    Failure::Passing { what: error_chain(error), after: None }
}
