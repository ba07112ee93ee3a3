//! The rollout role: leases groups, plays their episodes together through one engine, and submits the trajectories. It
//! holds no state of its own: the trainer leases lost episodes again.

mod episode;
mod shops;
mod table;
mod weights;

use std::sync::Arc;

use shoprl_contract::v1::{
    GroupLease, LeaseGroupsRequest, SubmitTrajectoriesRequest, Trajectory, actor,
};
use shoprl_contract::{Exit, Role, RunConfig};
use shoprl_model::engine::Engine;
use shoprl_model::parameters::Layout;
use shoprl_model::tokenizer::Tokenizer;
use tokio::runtime::Runtime;

use crate::auth::Token;
use crate::link::{Link, LinkError};
use crate::options::WorkerOptions;
use crate::policy;
use crate::ready;
use crate::seal::Sealed;
use crate::shutdown::Shutdown;
use episode::{Episode, Room, Seat};
use shops::Shops;
use table::Table;

/// Episodes played together: enough rows to keep the kernels busy, few enough that two rollouts share a step of 128.
const EPISODES: usize = 64;
/// Longest wait for work in one request, in milliseconds; well below the request's deadline.
const WAIT_MS: u32 = 2000;

/// Plays until the job is over. Computes on the calling thread; requests run on `runtime`.
pub(crate) fn play(
    options: &WorkerOptions,
    config: &RunConfig,
    token: &Token,
    shutdown: &Shutdown,
    runtime: &Runtime,
) -> Result<Exit, Exit> {
    let tokenizer = policy::tokenizer()?;
    let model = policy::model(config, &tokenizer)?;
    let trainer = options.trainer_address()?;
    let mut link =
        Link::new(trainer, Role::Rollout, options.index, String::new(), config, token, shutdown)?;
    runtime.block_on(link.register())?;
    runtime.block_on(ready::announce(options))?;
    let room = Room {
        action: config.policy.max_action_tokens as usize,
        context: config.policy.context as usize,
    };
    let engine = Engine::new(&model, EPISODES, room.context, options.threads);
    let mut rollout = Rollout {
        runtime,
        shops: Shops::new(token.clone()),
        table: Table::new(engine, tokenizer.clone(), room, config.seed),
        tokenizer,
        layout: Arc::new(Layout::new(&model)),
        link,
        token,
        shutdown,
        version: None,
        seed: config.seed,
        asks_for_work: true,
    };
    loop {
        match rollout.round() {
            Ok(true) => return Ok(Exit::done()),
            Ok(false) => {}
            Err(RoundError::Link(LinkError::NewAttempt)) => {
                tracing::info!("trainer started a new attempt, following it");
                rollout.table.clear();
                rollout.version = None;
            }
            Err(RoundError::Link(error)) => return Err(error.into()),
            Err(RoundError::Exit(exit)) => return Err(exit),
        }
    }
}

/// Why a round did not complete.
enum RoundError {
    /// The trainer did not answer.
    Link(LinkError),
    /// The rollout cannot go on.
    Exit(Exit),
}

impl From<LinkError> for RoundError {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<Exit> for RoundError {
    fn from(exit: Exit) -> Self {
        Self::Exit(exit)
    }
}

struct Rollout<'a> {
    runtime: &'a Runtime,
    shops: Shops,
    table: Table,
    tokenizer: Tokenizer,
    layout: Arc<Layout>,
    link: Link,
    token: &'a Token,
    shutdown: &'a Shutdown,
    /// Version of the weights in the engine.
    version: Option<u64>,
    seed: u64,
    /// Whether to ask for work: there are free places, and the trainer has not said since that it has no more.
    asks_for_work: bool,
}

impl Rollout<'_> {
    /// Leases episodes if there is room, plays one round, submits finished episodes. Returns whether the job is over.
    fn round(&mut self) -> Result<bool, RoundError> {
        if self.shutdown.is_requested() {
            return Err(LinkError::Stopped.into());
        }
        if (self.asks_for_work || self.table.is_empty()) && self.lease()? {
            return Ok(true);
        }
        let acted = self.table.round();
        self.exchange(&acted)?;
        let finished = self.table.take_finished();
        if !finished.is_empty() {
            self.submit(finished)?;
            self.asks_for_work = true;
        }
        Ok(false)
    }

    /// Leases groups for the free places and opens their episodes. Returns whether the job is over.
    fn lease(&mut self) -> Result<bool, RoundError> {
        let free = EPISODES - self.table.len();
        if free == 0 {
            return Ok(false);
        }
        let held = self.table.held();
        let wait_ms = if self.table.is_empty() { WAIT_MS } else { 0 };
        let lease = self.runtime.block_on(self.link.ask(
            |caller| LeaseGroupsRequest {
                caller: Some(caller),
                capacity: u32::try_from(free).unwrap_or(u32::MAX),
                held: held.clone(),
                wait_ms,
            },
            async |client, request| client.lease_groups(request).await,
        ))?;
        if lease.finished {
            return Ok(true);
        }
        // Ask again only when places become free: the trainer has no more work now.
        self.asks_for_work = false;
        self.open(&lease.groups)?;
        Ok(false)
    }

    fn open(&mut self, groups: &[GroupLease]) -> Result<(), RoundError> {
        for group in groups {
            if !self.load_weights(group)? {
                // The next request does not list this group as held, so the trainer leases it again.
                self.asks_for_work = true;
                continue;
            }
            let episodes: Result<Vec<Episode>, String> = group
                .members
                .iter()
                .map(|member| Episode::new(group, *member, self.seed))
                .collect();
            let episodes =
                episodes.map_err(|why| Exit::temporary(format!("lease {}: {why}", group.batch)))?;
            self.table.seat(episodes);
        }
        let opened = self.table.unopened();
        self.exchange(&opened)
    }

    /// Loads the weights that a group needs; returns `false` if the trainer no longer publishes them.
    fn load_weights(&mut self, group: &GroupLease) -> Result<bool, RoundError> {
        let Some(actor::Kind::Policy(policy)) =
            group.actor.as_ref().and_then(|actor| actor.kind.as_ref())
        else {
            return Ok(true);
        };
        let version = policy.weights_version;
        if self.version == Some(version) {
            return Ok(true);
        }
        let fetched =
            self.runtime.block_on(weights::fetch(&mut self.link, version, &self.layout))?;
        let Some(parameters) = fetched else {
            tracing::info!(
                version,
                batch = group.batch,
                "weights no longer published, group returned"
            );
            return Ok(false);
        };
        // The trainer no longer waits for episodes under other weights.
        self.table.drop_policy_episodes();
        self.table.load(&parameters);
        self.version = Some(version);
        Ok(true)
    }

    /// Sends openings and actions to the simulators and takes their replies. Episodes of an unreachable simulator are
    /// dropped; the trainer leases them again with another simulator.
    fn exchange(&mut self, seats: &[Seat]) -> Result<(), RoundError> {
        if seats.is_empty() {
            return Ok(());
        }
        let caller = self.link.caller();
        let replies =
            self.runtime.block_on(self.shops.exchange(&caller, self.table.requests(seats)))?;
        self.table.take_replies(replies);
        Ok(())
    }

    fn submit(&mut self, finished: Vec<Trajectory>) -> Result<(), RoundError> {
        debug_assert!(
            finished.iter().all(|t| t.tokens.len() <= self.table.context()),
            "{:?}",
            self.tokenizer
        );
        let trajectories: Vec<_> =
            finished.into_iter().map(|trajectory| trajectory.seal(self.token)).collect();
        self.runtime.block_on(self.link.ask(
            |caller| SubmitTrajectoriesRequest {
                caller: Some(caller),
                trajectories: trajectories.clone(),
            },
            async |client, request| client.submit_trajectories(request).await,
        ))?;
        Ok(())
    }
}
