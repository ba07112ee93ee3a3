//! Dialling other workers: keepalive, deadlines, the token, and retries that are safe because every
//! request of `shoprl.v1` may be repeated.

use std::time::Duration;

use shoprl_contract::v1::Caller;
use shoprl_contract::v1::controller_client::ControllerClient;
use shoprl_contract::v1::simulator_client::SimulatorClient;
use shoprl_contract::{Role, RunConfig};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::auth::{Bearer, Token};
use crate::shutdown::Shutdown;

/// A request to a peer on the same network is answered within this time or asked again.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// A peer that does not answer a connection attempt within this time is tried again.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// An idle connection whose peer vanished is noticed within twice this time.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Largest message in bytes: 64 episodes of 512 tokens take about 1 MiB.
pub(crate) const MESSAGE_LIMIT: usize = 32 << 20;

/// A client of the trainer.
pub(crate) type Controller = ControllerClient<InterceptedService<Channel, Bearer>>;
/// A client of one simulator.
pub(crate) type Simulator = SimulatorClient<InterceptedService<Channel, Bearer>>;

fn channel(address: &str) -> Result<Channel, tonic::transport::Error> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(CONNECT_DEADLINE)
        .timeout(DEADLINE)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
        .connect_lazy())
}

/// A client of the trainer at `host:port`; connects when first used and again whenever it must.
pub(crate) fn controller(
    address: &str,
    token: &Token,
) -> Result<Controller, tonic::transport::Error> {
    Ok(ControllerClient::with_interceptor(channel(address)?, Bearer(token.clone()))
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT))
}

/// A client of the simulator at `host:port`.
pub(crate) fn simulator(
    address: &str,
    token: &Token,
) -> Result<Simulator, tonic::transport::Error> {
    Ok(SimulatorClient::with_interceptor(channel(address)?, Bearer(token.clone()))
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT))
}

/// Who this worker says it is, before it registered.
pub(crate) fn caller(config: &RunConfig, role: Role, index: u32) -> Caller {
    Caller { job_uid: config.job_uid.clone(), attempt: 0, role: role.name().into(), index }
}

/// What to do about a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Ask again after a pause: the peer is away, or busy.
    Retry,
    /// Register first: the trainer is on another attempt.
    Register,
    /// Nothing helps: wrong token, wrong job, a bug.
    Leave,
}

/// What a status code asks for.
pub(crate) fn remedy(status: &Status) -> Remedy {
    match status.code() {
        Code::FailedPrecondition => Remedy::Register,
        Code::Unauthenticated
        | Code::PermissionDenied
        | Code::InvalidArgument
        | Code::Unimplemented => Remedy::Leave,
        _ => Remedy::Retry,
    }
}

/// Pauses between attempts: 50 ms doubling to 2 s. Workers are few, so no jitter is needed to spread them.
#[derive(Debug, Clone)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    /// Longest pause; a restarted trainer is found again within it.
    const LONGEST: Duration = Duration::from_secs(2);

    /// The first pause comes next.
    pub(crate) fn new() -> Self {
        Self(Duration::from_millis(50))
    }

    /// Waits; `false` when the worker was asked to leave meanwhile.
    pub(crate) async fn pause(&mut self, shutdown: &Shutdown) -> bool {
        let pause = self.0;
        self.0 = (self.0 * 2).min(Self::LONGEST);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = shutdown.requested() => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_to_do() {
        let check = |code: Code, expected: Remedy| {
            assert_eq!(remedy(&Status::new(code, "")), expected, "{code:?}");
        };
        check(Code::Unavailable, Remedy::Retry);
        check(Code::DeadlineExceeded, Remedy::Retry);
        check(Code::Cancelled, Remedy::Retry);
        check(Code::FailedPrecondition, Remedy::Register);
        check(Code::Unauthenticated, Remedy::Leave);
        check(Code::InvalidArgument, Remedy::Leave);
    }
}
