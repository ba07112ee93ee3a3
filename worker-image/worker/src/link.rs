//! A worker's link to the trainer: registers, follows it to its next attempt, and asks until answered.

use shoprl_contract::v1::{Caller, RegisterRequest};
use shoprl_contract::{Exit, Role, RunConfig};
use tonic::{Request, Response, Status};

use crate::auth::Token;
use crate::client::{self, Backoff, Controller, Remedy, remedy};
use crate::numerics;
use crate::shutdown::Shutdown;

/// The link. One per worker; requests go one after the other.
pub(crate) struct Link {
    client: Controller,
    caller: Caller,
    /// Where this worker listens; empty for those that only dial.
    address: String,
    shutdown: Shutdown,
}

impl Link {
    /// A link that has not dialled yet.
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

    /// Who this worker is now.
    pub(crate) fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Registers with whatever attempt the trainer is on. `Err` when asked to leave or refused for good.
    pub(crate) async fn register(&mut self) -> Result<(), Exit> {
        let mut backoff = Backoff::new();
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
            if remedy(&status) == Remedy::Leave {
                return Err(refused(&status));
            }
            tracing::debug!(%status, "trainer not there yet");
            if !backoff.pause(&self.shutdown).await {
                return Err(asked());
            }
        }
    }

    /// Sends `request` until it is answered, registering again when the trainer is on another attempt.
    pub(crate) async fn ask<Q, A>(
        &mut self,
        request: impl Fn(Caller) -> Q,
        send: impl AsyncFn(&mut Controller, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Exit> {
        let mut backoff = Backoff::new();
        loop {
            let question = Request::new(request(self.caller.clone()));
            let answer = tokio::select! {
                answer = send(&mut self.client, question) => answer,
                () = self.shutdown.requested() => return Err(asked()),
            };
            let status = match answer {
                Ok(reply) => return Ok(reply.into_inner()),
                Err(status) => status,
            };
            match remedy(&status) {
                Remedy::Leave => return Err(refused(&status)),
                Remedy::Register => {
                    self.register().await?;
                    return Err(Exit::temporary(NEW_ATTEMPT));
                }
                Remedy::Retry => tracing::debug!(%status, "asking again"),
            }
            if !backoff.pause(&self.shutdown).await {
                return Err(asked());
            }
        }
    }
}

/// What [`Link::ask`] says after the trainer turned out to be on another attempt: whatever this worker
/// holds belongs to the past, and it starts afresh.
pub(crate) const NEW_ATTEMPT: &str = "the trainer is on another attempt";

/// Whether an exit only means that work starts afresh.
pub(crate) fn is_new_attempt(exit: &Exit) -> bool {
    exit.message == NEW_ATTEMPT
}

fn asked() -> Exit {
    Exit::stopped("asked to leave")
}

fn refused(status: &Status) -> Exit {
    Exit::bad_configuration(format!("the trainer refuses this worker: {}", status.message()))
}
