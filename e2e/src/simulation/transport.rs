//! The transport between a reconcile and the model: each request waits until the schedule answers it.

use std::sync::mpsc::Sender;

use futures::future::BoxFuture;
use kube::Client;
use kube::client::Body;
use shoprl_crds::Progress;
use shoprl_operator::AskTrainer;
use tokio::sync::oneshot;
use tower::BoxError;

use super::api::{Answer, Call};

/// A message of a process to the run.
pub(super) enum Message {
    /// A request to the API server.
    Call(Box<Call>, oneshot::Sender<Reply>),
    /// A request that the model does not support.
    Unreadable(String),
    /// A request for the progress of the trainer at an address.
    Progress(String, oneshot::Sender<Option<Progress>>),
    /// The reconcile ended.
    Done(Result<kube::runtime::controller::Action, String>),
}

/// Sends messages with the id of their process.
pub(super) type Wire = Sender<(u64, Message)>;

/// The reply to a request.
pub(super) enum Reply {
    /// An answer.
    Answer(Answer),
    /// The request timed out.
    TimedOut,
}

/// A client that sends its requests to `wire`.
pub(super) fn client(process: u64, wire: Wire) -> Client {
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let wire = wire.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect_bytes().await?;
            let kind = head.headers.get(http::header::CONTENT_TYPE);
            let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let path = head.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
            let Some(call) = Call::read(head.method.as_str(), path, kind, &body) else {
                let what = format!("{} {path}", head.method);
                let _ = wire.send((process, Message::Unreadable(what)));
                return Err(BoxError::from("the model does not support the request"));
            };
            let (reply, answered) = oneshot::channel();
            // Sending fails only after the run has ended.
            let _ = wire.send((process, Message::Call(Box::new(call), reply)));
            match answered.await {
                Ok(Reply::Answer(answer)) => response(&answer),
                Ok(Reply::TimedOut) | Err(_) => Err(BoxError::from("operation timed out")),
            }
        }
    });
    Client::new(service, "default")
}

fn response(answer: &Answer) -> Result<http::Response<Body>, BoxError> {
    let bytes = serde_json::to_vec(&*answer.body)?;
    Ok(http::Response::builder().status(answer.code).body(Body::from(bytes))?)
}

/// Requests the progress of the model trainers.
pub(super) struct Trainers {
    pub(super) process: u64,
    pub(super) wire: Wire,
}

impl AskTrainer for Trainers {
    fn ask<'a>(
        &'a self,
        address: &'a str,
        _job_uid: &'a str,
        _token: &'a str,
    ) -> BoxFuture<'a, Option<Progress>> {
        let (reply, answered) = oneshot::channel();
        let _ = self.wire.send((self.process, Message::Progress(address.to_owned(), reply)));
        Box::pin(async { answered.await.unwrap_or_default() })
    }
}
