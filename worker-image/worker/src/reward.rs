//! The reward role: leases trajectories, replays every episode in its own shop and submits scores. It trusts only the
//! tokens of a trajectory.

mod scoring;

use shoprl_contract::v1::{LeaseScoringRequest, SubmitScoresRequest};
use shoprl_contract::{Exit, Role, RunConfig};

use crate::auth::Token;
use crate::link::{Link, LinkError};
use crate::options::WorkerOptions;
use crate::ready;
use crate::seal::Sealed;
use crate::shop;
use crate::shutdown::Shutdown;
use scoring::Scorer;

/// Trajectories per lease: about 10 ms of replay, so the death of this worker costs little.
const CAPACITY: u32 = 32;
/// Longest wait for work in one request, in milliseconds; well below the request's deadline.
const WAIT_MS: u32 = 2000;

/// Scores until the job is over.
pub(crate) async fn score(
    options: &WorkerOptions,
    config: &RunConfig,
    token: &Token,
    shutdown: &Shutdown,
) -> Result<Exit, Exit> {
    let scorer = Scorer::new(shop::open(config)?, config)?;
    let trainer = options.trainer_address()?;
    let mut link =
        Link::new(trainer, Role::Reward, options.index, String::new(), config, token, shutdown)?;
    link.register().await?;
    ready::announce(options).await?;
    loop {
        match serve_once(&mut link, &scorer, token).await {
            Ok(true) => return Ok(Exit::done()),
            Ok(false) => {}
            Err(LinkError::NewAttempt) => {
                tracing::info!("trainer started a new attempt, following it");
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Leases, scores and submits once. Returns whether the job is over.
async fn serve_once(link: &mut Link, scorer: &Scorer, token: &Token) -> Result<bool, LinkError> {
    let lease = link
        .ask(
            |caller| LeaseScoringRequest {
                caller: Some(caller),
                capacity: CAPACITY,
                wait_ms: WAIT_MS,
            },
            async |client, request| client.lease_scoring(request).await,
        )
        .await?;
    if lease.finished {
        return Ok(true);
    }
    if lease.trajectories.is_empty() {
        return Ok(false);
    }
    let scores: Vec<_> = lease
        .trajectories
        .iter()
        .map(|trajectory| scorer.score(trajectory, token).seal(token))
        .collect();
    link.ask(
        |caller| SubmitScoresRequest { caller: Some(caller), scores: scores.clone() },
        async |client, request| client.submit_scores(request).await,
    )
    .await?;
    Ok(false)
}
