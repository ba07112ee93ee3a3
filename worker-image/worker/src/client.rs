//! Connections to other workers: keepalive, deadlines, token and retries. Retries are safe because every request of
//! `shoprl.v1` is idempotent.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use shoprl_contract::v1::Caller;
use shoprl_contract::v1::controller_client::ControllerClient;
use shoprl_contract::v1::simulator_client::SimulatorClient;
use shoprl_contract::{Role, RunConfig};
use tokio::time::Instant;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::auth::{Bearer, Token};
use crate::shutdown::{Shutdown, Stopped};

/// Deadline of one request to a peer on the same network; then it is retried.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// Deadline of one connection attempt.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// Interval and timeout of keepalive pings: a vanished peer is detected within twice this time.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Largest gRPC message in bytes; 64 episodes of 512 tokens take about 1 MiB.
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

/// A client of the trainer at `host:port`. It connects with the first request and reconnects as needed.
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

/// The identity of a worker that has not registered yet.
pub(crate) fn caller(config: &RunConfig, role: Role, index: u32) -> Caller {
    Caller { job_uid: config.job_uid.clone(), attempt: 0, role: role.name().into(), index }
}

/// How to handle a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Retry after a pause: the peer is unreachable or busy.
    Retry,
    /// Register first: the trainer is on another attempt.
    Register,
    /// Retry for [`Refusals::LIMIT`], then exit: wrong token, wrong job, wrong role or a bug, or an answer of a process that
    /// is not the peer (a mesh that is not ready, a neighbour at a recycled address).
    Refused,
}

/// The remedy for a status code.
pub(crate) fn remedy(status: &Status) -> Remedy {
    match status.code() {
        Code::FailedPrecondition => Remedy::Register,
        Code::Unauthenticated
        | Code::PermissionDenied
        | Code::InvalidArgument
        | Code::Unimplemented => Remedy::Refused,
        _ => Remedy::Retry,
    }
}

/// Refusals in a row. No answer proves that it comes from the peer, so refusals are retried, and then end this worker as a
/// temporary failure, never as a bad configuration.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Option<Instant>);

impl Refusals {
    /// How long refusals are retried.
    pub(crate) const LIMIT: Duration = Duration::from_secs(120);

    /// Counts a refusal; `true` once refusals lasted for [`Self::LIMIT`].
    pub(crate) fn is_over(&mut self) -> bool {
        self.0.get_or_insert_with(Instant::now).elapsed() >= Self::LIMIT
    }

    /// An answer that is no refusal: the count starts again.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}

/// Pauses between two tries of a request: exponential back-off with jitter.
///
/// The jitter spreads the up to 768 workers of a job that lose their trainer at the same moment.
#[derive(Debug)]
pub(crate) struct Backoff(ExponentialBackoff);

impl Backoff {
    /// Longest pause. It bounds how long a worker takes to find a restarted trainer.
    const LONGEST: Duration = Duration::from_secs(2);
    /// The first pause is half of this to all of it.
    const FIRST: Duration = Duration::from_millis(50);

    /// Starts with the shortest pause.
    pub(crate) fn new() -> Self {
        // backon adds up to one whole delay as jitter, so a pause is at most twice the delay.
        let delays = ExponentialBuilder::new()
            .with_min_delay(Self::FIRST / 2)
            .with_max_delay(Self::LONGEST / 2)
            .with_jitter()
            .without_max_times();
        Self(delays.build())
    }

    /// Waits for the next pause, or until the worker is asked to stop.
    pub(crate) async fn pause(&mut self, shutdown: &Shutdown) -> Result<(), Stopped> {
        let pause = self.0.next().unwrap_or(Self::LONGEST);
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = shutdown.requested() => Err(Stopped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_code_has_its_remedy() {
        let check = |code: Code, expected: Remedy| {
            assert_eq!(remedy(&Status::new(code, "")), expected, "{code:?}");
        };
        check(Code::Unavailable, Remedy::Retry);
        check(Code::DeadlineExceeded, Remedy::Retry);
        check(Code::Cancelled, Remedy::Retry);
        check(Code::FailedPrecondition, Remedy::Register);
        check(Code::Unauthenticated, Remedy::Refused);
        check(Code::InvalidArgument, Remedy::Refused);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_over_after_the_limit_and_any_other_answer_clears_them() {
        let mut refusals = Refusals::default();
        assert!(!refusals.is_over());
        tokio::time::advance(Refusals::LIMIT - Duration::from_secs(1)).await;
        assert!(!refusals.is_over());
        refusals.clear();
        assert!(!refusals.is_over());
        tokio::time::advance(Refusals::LIMIT).await;
        assert!(refusals.is_over());
    }

    #[test]
    fn pauses_grow_with_jitter_up_to_the_longest_one() {
        let pauses: Vec<Duration> = Backoff::new().0.take(40).collect();
        assert!(pauses[0] >= Backoff::FIRST / 2 && pauses[0] <= Backoff::FIRST, "{:?}", pauses[0]);
        for pause in &pauses[10..] {
            assert!(*pause >= Backoff::LONGEST / 2 && *pause <= Backoff::LONGEST, "{pause:?}");
        }
        assert!(pauses[10..].iter().any(|pause| *pause != pauses[10]), "jitter");
    }
}
