//! A worker's connection to the trainer: it registers, follows the trainer to its next attempt, and retries requests until
//! they are answered.

use shoprl_contract::v1::{Caller, RegisterRequest};
use shoprl_contract::{Exit, Role, RunConfig};
use thiserror::Error;
use tonic::{Request, Response, Status};

use crate::auth::Token;
use crate::client::{self, Backoff, Controller, Refusals, Remedy, remedy};
use crate::numerics;
use crate::shutdown::{Shutdown, Stopped};

/// Why a request to the trainer has no answer.
#[derive(Debug, Error)]
pub(crate) enum LinkError {
    /// The trainer is on another attempt, where this worker is registered now. Everything it holds belongs to the previous
    /// attempt, so it starts afresh.
    #[error("the trainer is on another attempt")]
    NewAttempt,
    /// The process at the trainer's address refused every try for [`Refusals::LIMIT`].
    #[error("the trainer refuses this worker: {}", .0.message())]
    Refused(Status),
    /// This worker was asked to stop.
    #[error("asked to stop")]
    Stopped,
}

impl From<Stopped> for LinkError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<LinkError> for Exit {
    fn from(error: LinkError) -> Self {
        let message = error.to_string();
        match error {
            LinkError::NewAttempt => Self::temporary(message),
            LinkError::Refused(_) => Self::temporary(format!(
                "{message}; check that the worker has the job's token and that no proxy answers in the trainer's place"
            )),
            LinkError::Stopped => Self::stopped(message),
        }
    }
}

/// The connection. One per worker; it sends one request at a time.
pub(crate) struct Link {
    client: Controller,
    caller: Caller,
    /// Address this worker serves on; empty for roles that serve nothing.
    address: String,
    shutdown: Shutdown,
}

impl Link {
    /// A link that connects with its first request.
    pub(crate) fn new(
        trainer: &str,
        role: Role,
        index: u32,
        address: String,
        config: &RunConfig,
        token: &Token,
        shutdown: &Shutdown,
    ) -> Result<Self, Exit> {
        let client = client::controller(trainer, token).map_err(|error| {
            Exit::bad_configuration(format!("--trainer {trainer}: {error}; give host:port"))
        })?;
        Ok(Self {
            client,
            caller: client::caller(config, role, index),
            address,
            shutdown: shutdown.clone(),
        })
    }

    /// This worker's identity, with the attempt it is registered at.
    pub(crate) fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Registers at the trainer's current attempt; retries until the trainer is reachable.
    pub(crate) async fn register(&mut self) -> Result<(), LinkError> {
        let (mut backoff, mut refusals) = (Backoff::new(), Refusals::default());
        loop {
            let request = RegisterRequest {
                caller: Some(Caller { attempt: 0, ..self.caller.clone() }),
                address: self.address.clone(),
                numerics: numerics::class(),
            };
            let status = match self.client.register(request).await {
                Ok(reply) => {
                    self.caller.attempt = reply.into_inner().attempt;
                    return Ok(());
                }
                Err(status) => status,
            };
            if remedy(&status) == Remedy::Refused {
                if refusals.is_over() {
                    return Err(LinkError::Refused(status));
                }
                tracing::warn!(%status, "registration refused, retrying");
            } else {
                refusals.clear();
                tracing::debug!(%status, "registration failed, retrying");
            }
            backoff.pause(&self.shutdown).await?;
        }
    }

    /// Sends `request` until it is answered. When the trainer is on another attempt, registers there and returns
    /// [`LinkError::NewAttempt`].
    pub(crate) async fn ask<Q, A>(
        &mut self,
        request: impl Fn(Caller) -> Q,
        send: impl AsyncFn(&mut Controller, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, LinkError> {
        let (mut backoff, mut refusals) = (Backoff::new(), Refusals::default());
        loop {
            let question = Request::new(request(self.caller.clone()));
            let answer = tokio::select! {
                answer = send(&mut self.client, question) => answer,
                () = self.shutdown.requested() => return Err(LinkError::Stopped),
            };
            let status = match answer {
                Ok(reply) => return Ok(reply.into_inner()),
                Err(status) => status,
            };
            match remedy(&status) {
                Remedy::Refused if refusals.is_over() => return Err(LinkError::Refused(status)),
                Remedy::Refused => tracing::warn!(%status, "request refused, retrying"),
                Remedy::Register => {
                    self.register().await?;
                    return Err(LinkError::NewAttempt);
                }
                Remedy::Retry => {
                    refusals.clear();
                    tracing::debug!(%status, "request failed, retrying");
                }
            }
            backoff.pause(&self.shutdown).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shoprl_contract::ExitReason;

    use super::*;

    #[test]
    fn each_link_error_has_its_exit_reason() {
        let check = |error: LinkError, reason, message: &str| {
            let exit = Exit::from(error);
            assert_eq!((exit.reason, exit.message.as_str()), (reason, message));
        };
        check(LinkError::NewAttempt, ExitReason::Temporary, "the trainer is on another attempt");
        check(LinkError::Stopped, ExitReason::Stopped, "asked to stop");
        // The text of a refusal decides nothing, not even this one.
        let refused = Status::permission_denied("the trainer is on another attempt");
        check(
            LinkError::Refused(refused),
            ExitReason::Temporary,
            "the trainer refuses this worker: the trainer is on another attempt; check that the worker has the job's token and that no proxy answers in the trainer's place",
        );
    }

    #[tokio::test]
    async fn a_process_that_is_not_the_trainer_does_not_end_the_worker() {
        // A server without services answers UNIMPLEMENTED, as a proxy's 404 is read.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stranger = tonic::transport::Server::builder()
            .add_routes(tonic::service::Routes::default())
            .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener));
        let stranger = tokio::spawn(stranger);
        let client =
            client::controller(&address, &Token::from_text(&"a".repeat(64)).unwrap()).unwrap();
        let caller = Caller { job_uid: "job".into(), role: "rollout".into(), ..Caller::default() };
        let shutdown = Shutdown::new();
        let mut link = Link { client, caller, address: String::new(), shutdown };
        let registered = tokio::time::timeout(Duration::from_millis(500), link.register()).await;
        assert!(registered.is_err(), "still retrying, not {registered:?}");
        stranger.abort();
    }
}
