//! Requests to the simulators: one request per simulator and round, for any number of episodes.

use std::collections::BTreeMap;

use shoprl_contract::Exit;
use shoprl_contract::v1::{
    Caller, OpenRequest, SessionAction, SessionOpening, SessionReply, StepRequest,
};
use tonic::Status;

use super::episode::Seat;
use crate::auth::Token;
use crate::client::{self, Refusals, Remedy, Simulator, remedy};

/// Tries of one request before its episodes are dropped.
const TRIES: usize = 3;

/// A request of one episode to its simulator.
pub(super) enum Ask {
    /// Open the session, or open it again.
    Open(SessionOpening),
    /// Take an action. The opening is used if the simulator does not know the session.
    Step(SessionAction, SessionOpening),
}

/// An episode's request with its destination.
pub(super) struct Errand {
    pub(super) seat: Seat,
    pub(super) simulator: String,
    pub(super) ask: Ask,
}

/// The reply for an episode; `None` if the simulator is unreachable.
pub(super) type Answer = (Seat, Option<SessionReply>);

/// Clients of the simulators, created on first use.
pub(super) struct Shops {
    token: Token,
    clients: BTreeMap<String, Simulator>,
    refusals: Refusals,
}

impl Shops {
    /// No clients yet.
    pub(super) fn new(token: Token) -> Self {
        Self { token, clients: BTreeMap::new(), refusals: Refusals::default() }
    }

    /// Sends all requests, one simulator after the other.
    pub(super) async fn exchange(
        &mut self,
        caller: &Caller,
        errands: Vec<Errand>,
    ) -> Result<Vec<Answer>, Exit> {
        let mut by_simulator: BTreeMap<String, Vec<Errand>> = BTreeMap::new();
        for errand in errands {
            by_simulator.entry(errand.simulator.clone()).or_default().push(errand);
        }
        let mut answers = Vec::new();
        for (address, errands) in by_simulator {
            let client = self.client(&address)?;
            match run(client, caller, &errands).await {
                Ok(replies) => {
                    self.refusals.clear();
                    let seats = errands.iter().map(|errand| errand.seat);
                    answers.extend(seats.zip(replies.into_iter().map(Some)));
                }
                Err(status) if remedy(&status) == Remedy::Refused && self.refusals.is_over() => {
                    return Err(Exit::temporary(format!(
                        "simulator {address} refuses this worker: {}",
                        status.message()
                    )));
                }
                Err(status) => {
                    tracing::warn!(address, %status, episodes = errands.len(), "simulator unreachable, episodes returned");
                    self.clients.remove(&address);
                    answers.extend(errands.iter().map(|errand| (errand.seat, None)));
                }
            }
        }
        Ok(answers)
    }

    fn client(&mut self, address: &str) -> Result<&mut Simulator, Exit> {
        if !self.clients.contains_key(address) {
            let client = client::simulator(address, &self.token).map_err(|error| {
                Exit::temporary(format!("simulator address {address:?}: {error}"))
            })?;
            self.clients.insert(address.to_owned(), client);
        }
        self.clients
            .get_mut(address)
            .ok_or_else(|| Exit::temporary(format!("simulator {address}: no client")))
    }
}

/// Sends the requests for one simulator; replies are in the order of `errands`.
async fn run(
    client: &mut Simulator,
    caller: &Caller,
    errands: &[Errand],
) -> Result<Vec<SessionReply>, Status> {
    let (mut openings, mut actions) = (Vec::new(), Vec::new());
    for errand in errands {
        match &errand.ask {
            Ask::Open(opening) => openings.push(opening.clone()),
            Ask::Step(action, _) => actions.push(action.clone()),
        }
    }
    let mut replies = BTreeMap::new();
    take(&mut replies, step(client, caller, actions).await?);
    let reopened: Vec<&SessionAction> = errands
        .iter()
        .filter_map(|errand| match &errand.ask {
            Ask::Step(action, opening)
                if replies
                    .get(&action.session)
                    .is_some_and(|reply: &SessionReply| reply.unknown) =>
            {
                // Replaying all actions, including the newest, yields the missing reply.
                openings.push(opening.clone());
                Some(action)
            }
            _ => None,
        })
        .collect();
    if !reopened.is_empty() {
        tracing::info!(sessions = reopened.len(), "sessions opened again by replay");
    }
    take(&mut replies, open(client, caller, openings).await?);
    errands
        .iter()
        .map(|errand| {
            let session = match &errand.ask {
                Ask::Open(opening) => &opening.session,
                Ask::Step(action, _) => &action.session,
            };
            replies
                .remove(session)
                .ok_or_else(|| Status::internal(format!("no reply for session {session}")))
        })
        .collect()
}

fn take(replies: &mut BTreeMap<String, SessionReply>, new: Vec<SessionReply>) {
    replies.extend(new.into_iter().map(|reply| (reply.session.clone(), reply)));
}

async fn step(
    client: &mut Simulator,
    caller: &Caller,
    actions: Vec<SessionAction>,
) -> Result<Vec<SessionReply>, Status> {
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    let request = StepRequest { caller: Some(caller.clone()), actions };
    retry(async || Ok(client.step(request.clone()).await?.into_inner().replies)).await
}

async fn open(
    client: &mut Simulator,
    caller: &Caller,
    sessions: Vec<SessionOpening>,
) -> Result<Vec<SessionReply>, Status> {
    if sessions.is_empty() {
        return Ok(Vec::new());
    }
    let request = OpenRequest { caller: Some(caller.clone()), sessions };
    retry(async || Ok(client.open(request.clone()).await?.into_inner().replies)).await
}

/// Retries a request that failed in transit. Both kinds of request are idempotent.
async fn retry<A>(mut request: impl AsyncFnMut() -> Result<A, Status>) -> Result<A, Status> {
    let mut tried = 1;
    loop {
        match request().await {
            Err(status) if remedy(&status) == Remedy::Retry && tried < TRIES => {
                tokio::time::sleep(std::time::Duration::from_millis(100 << tried)).await;
                tried += 1;
            }
            other => return other,
        }
    }
}
