//! Random sequences of requests, and what was answered to them in a form that two servers share.
//!
//! A sequence asks what its seed and the answers so far decide: so the same sequence can be put to the real API
//! server and to the model.

mod file;
mod normal;
mod requests;

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::api::{Call, Kind, Server, text};
use super::random::Random;
pub use file::{read, write};
use normal::Normal;

/// Where the objects of all sequences lie.
pub const NAMESPACE: &str = "default";
/// Sequences in a recording.
pub const SEQUENCES: u64 = 600;
/// Requests in a sequence.
const LENGTH: usize = 14;

/// A request as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Request {
    /// Of HTTP.
    pub method: &'static str,
    /// With its query.
    pub path: String,
    /// Of the body.
    pub content_type: &'static str,
    /// What is sent; null: nothing.
    pub body: Value,
}

/// One sequence under way.
pub struct Sequence {
    number: u64,
    random: Random,
    kind: &'static Kind,
    left: usize,
    /// All states of each object that were seen, as they came.
    seen: BTreeMap<String, Vec<Value>>,
    normal: Normal,
    said: Vec<Value>,
}

impl Sequence {
    /// The sequence of this number.
    pub fn new(number: u64) -> Self {
        let mut random = Random::new(number);
        let kind = random.pick(&requests::KINDS).copied().unwrap_or("pods");
        Self {
            number,
            random,
            kind: Kind::of(kind),
            left: LENGTH,
            seen: BTreeMap::new(),
            normal: Normal::default(),
            said: Vec::new(),
        }
    }

    /// Takes an answer in.
    pub fn learn(&mut self, request: &Request, code: u16, body: Value) {
        let shown = self.normal.of(self.kind, &body);
        let asked = format!("{} {}", request.method, request.path);
        self.said.push(json!([asked, code, shown]));
        let name = text(&body, &["metadata", "name"]);
        if !name.is_empty() && body["kind"] != "Status" {
            self.seen.entry(name.to_owned()).or_default().push(body);
        }
    }

    /// What was answered, as one line.
    pub fn line(self) -> String {
        Value::from(self.said).to_string()
    }
}

/// What the model answers to a sequence.
///
/// # Errors
/// A request that it cannot read.
pub fn by_the_model(number: u64) -> anyhow::Result<String> {
    let mut server = Server::default();
    let mut sequence = Sequence::new(number);
    while let Some(request) = sequence.next() {
        let call =
            Call::read(request.method, &request.path, request.content_type, &request.bytes());
        let call = call.with_context(|| format!("{request:?} is not understood"))?;
        let answer = server.answer(&call);
        sequence.learn(&request, answer.code, Value::clone(&answer.body));
    }
    Ok(sequence.line())
}

/// What a real API server answers to a sequence that it never saw.
///
/// # Errors
/// When it is not reached, or answers no JSON.
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
        sequence.learn(&request, code, body);
    }
    Ok(sequence.line())
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        if self.body.is_null() { Vec::new() } else { self.body.to_string().into_bytes() }
    }
}
