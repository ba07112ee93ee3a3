//! The client of `GetProgress`, for the operator and for `shoprl run`.

use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::Role;
use crate::v1::controller_client::ControllerClient;
use crate::v1::{Caller, GetProgressRequest, GetProgressResponse};

/// A progress message is some hundred bytes. A larger one is refused before it is decoded.
const MESSAGE_LIMIT: usize = 16 << 10;

/// A client of one trainer.
#[derive(Debug, Clone)]
pub struct ProgressClient {
    client: ControllerClient<Channel>,
    caller: Caller,
    bearer: MetadataValue<Ascii>,
}

/// Why a client cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum ProgressClientError {
    /// The address is not `host:port`.
    #[error("the trainer's address {0:?} is not host:port")]
    Address(String),
    /// The token holds characters that HTTP metadata cannot carry.
    #[error("the job's token holds characters that are not ASCII")]
    Token,
}

impl ProgressClient {
    /// A client of the trainer of job `job_uid` at `address` (`host:port`). It connects with its first request, and reconnects
    /// when the connection is lost. `deadline` limits the connection attempt and each request.
    ///
    /// # Errors
    /// When the address or the token is malformed.
    pub fn new(
        address: &str,
        job_uid: &str,
        token: &str,
        deadline: Duration,
    ) -> Result<Self, ProgressClientError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|_| ProgressClientError::Address(address.to_owned()))?;
        let channel = endpoint.connect_timeout(deadline).timeout(deadline).connect_lazy();
        let bearer = MetadataValue::try_from(format!("Bearer {token}"))
            .map_err(|_| ProgressClientError::Token)?;
        // The trainer answers with its progress whatever attempt the request names.
        let caller = Caller {
            job_uid: job_uid.to_owned(),
            attempt: 0,
            role: Role::Trainer.name().to_owned(),
            index: 0,
        };
        let client = ControllerClient::new(channel).max_decoding_message_size(MESSAGE_LIMIT);
        Ok(Self { client, caller, bearer })
    }

    /// The trainer's progress.
    ///
    /// # Errors
    /// When the trainer does not answer within the deadline, or refuses the token.
    pub async fn get(&mut self) -> Result<GetProgressResponse, Status> {
        let mut request = Request::new(GetProgressRequest { caller: Some(self.caller.clone()) });
        request.metadata_mut().insert("authorization", self.bearer.clone());
        Ok(self.client.get_progress(request).await?.into_inner())
    }
}
