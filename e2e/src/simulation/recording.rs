//! Random sequences of requests, and their answers in a form that is equal for two servers.
//!
//! The seed and the earlier answers decide the next request, so the same sequence can be sent to the real API server and to
//! the model.

mod file;
mod normal;
mod requests;

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use self::normal::Normal;
use super::api::{Call, Kind, Server, text};
use super::random::Random;

pub use self::file::{read, write};

/// Namespace of the objects.
pub const NAMESPACE: &str = "default";
/// Number of sequences in a recording.
pub const SEQUENCES: u64 = 600;
/// Number of requests in a sequence.
const LENGTH: usize = 14;

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Content type of the body.
    pub content_type: &'static str,
    /// Body; null for none.
    pub body: Value,
}

/// A sequence in progress.
pub struct Sequence {
    number: u64,
    random: Random,
    kind: &'static Kind,
    left: usize,
    /// All states of each object from the answers, in order.
    states: BTreeMap<String, Vec<Value>>,
    normal: Normal,
    answers: Vec<Value>,
}

impl Sequence {
    /// The sequence with this number, which is its seed.
    pub fn new(number: u64) -> Self {
        let mut random = Random::new(number);
        let kind = random.pick(&requests::KINDS).copied().unwrap_or("pods");
        Self {
            number,
            random,
            kind: Kind::of(kind),
            left: LENGTH,
            states: BTreeMap::new(),
            normal: Normal::default(),
            answers: Vec::new(),
        }
    }

    /// Adds an answer.
    pub fn add_answer(&mut self, request: &Request, code: u16, body: Value) {
        let shown = self.normal.of(self.kind, &body);
        let line = format!("{} {}", request.method, request.path);
        self.answers.push(json!([line, code, shown]));
        let name = text(&body, &["metadata", "name"]);
        if !name.is_empty() && body["kind"] != "Status" {
            self.states.entry(name.to_owned()).or_default().push(body);
        }
    }

    /// All answers as one line of JSON.
    pub fn line(self) -> String {
        Value::from(self.answers).to_string()
    }
}

/// The model's answers to a sequence.
///
/// # Errors
/// When the model does not support a request.
pub fn by_the_model(number: u64) -> anyhow::Result<String> {
    let mut server = Server::default();
    let mut sequence = Sequence::new(number);
    while let Some(request) = sequence.next() {
        let call =
            Call::read(request.method, &request.path, request.content_type, &request.bytes());
        let call = call.with_context(|| format!("{request:?} is not supported"))?;
        let answer = server.answer(&call);
        sequence.add_answer(&request, answer.code, Value::clone(&answer.body));
    }
    Ok(sequence.line())
}

/// A real API server's answers to a sequence whose objects do not exist yet.
///
/// # Errors
/// When the server cannot be reached, or an answer is not JSON.
pub async fn by_the_server(client: &Client, number: u64) -> anyhow::Result<String> {
    let mut sequence = Sequence::new(number);
    while let Some(request) = sequence.next() {
        let sent = http::Request::builder()
            .method(request.method)
            .uri(&request.path)
            .header(http::header::CONTENT_TYPE, request.content_type)
            .body(Body::from(request.bytes()))?;
        let answer = client.send(sent).await.map_err(|error| anyhow!(error))?;
        let code = answer.status().as_u16();
        let body = answer.into_body().collect_bytes().await.map_err(|error| anyhow!(error))?;
        let body = serde_json::from_slice(&body).with_context(|| {
            format!("{code} to {request:?}: {}", String::from_utf8_lossy(&body))
        })?;
        sequence.add_answer(&request, code, body);
    }
    Ok(sequence.line())
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        if self.body.is_null() { Vec::new() } else { self.body.to_string().into_bytes() }
    }
}
