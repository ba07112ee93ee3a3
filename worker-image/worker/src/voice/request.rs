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
use shoprl_simulator::mall::voice::{Line, Speaker};

/// Most that is read of an answer, in bytes.
const LONGEST: usize = 1 << 20;
/// Most that is told of an answer that is none.
const TOLD: usize = 200;

/// Why there is no reply.
pub(super) enum Failure {
    /// It will be the same the next time.
    Final(StatusCode, String),
    /// It may be better the next time.
    Passing {
        what: String,
        /// The wait that the endpoint asks for.
        after: Option<Duration>,
    },
}

/// Where to ask.
pub(super) struct Connection {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    key: Option<HeaderValue>,
}

impl Connection {
    /// # Errors
    /// When an `https` address is given and the machine has no certificates to trust.
    pub(super) fn new(url: &Uri, key: Option<HeaderValue>) -> io::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let builder = hyper_rustls::HttpsConnectorBuilder::new();
        let builder = if url.scheme() == Some(&Scheme::HTTPS) {
            builder.with_provider_and_native_roots(provider)?
        } else {
            // Trusts nobody, and is never asked to.
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

    /// The reply's words.
    pub(super) async fn post(&self, body: String) -> Result<String, Failure> {
        let mut request = Request::post(&self.url).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key);
        }
        let request = request.body(Full::from(body)).map_err(|error| passing(&error))?;
        let response = self.client.request(request).await.map_err(|error| passing(&error))?;
        let (status, after) = (response.status(), wait_asked(&response));
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| passing(&*error))?.to_bytes();
        if status.is_success() {
            return reply(&body).map_err(|what| Failure::Passing { what, after: None });
        }
        let said = String::from_utf8_lossy(&body).trim().chars().take(TOLD).collect();
        // Too many, or a trouble of its own: 408, 409, 429, 5xx. All else is a mistake in what was asked.
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

/// The words of a completion, without what a model thinks aloud and the quotes that some put around them.
fn reply(body: &[u8]) -> Result<String, String> {
    let completion: Completion = serde_json::from_slice(body)
        .map_err(|error| format!("the answer is no chat completion: {error}"))?;
    let content = completion.choices.into_iter().next().and_then(|choice| choice.message.content);
    let content = content.ok_or("the answer holds no message")?;
    let said = content.rsplit_once("</think>").map_or(content.as_str(), |(_, said)| said);
    Ok(said.trim().trim_matches(['"', '“', '”', '「', '」']).trim().to_owned())
}

fn wait_asked(response: &Response<Incoming>) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// With all causes: "client error" alone says nothing.
fn passing(error: &dyn Error) -> Failure {
    let (mut what, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        what = format!("{what}: {error}");
        cause = error.source();
    }
    Failure::Passing { what, after: None }
}
