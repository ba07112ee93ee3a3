//! Talking to the simulators: one request per simulator and round, however many episodes.

use std::collections::BTreeMap;

use shoprl_contract::Exit;
use shoprl_contract::v1::{
    Caller, OpenRequest, SessionAction, SessionOpening, SessionReply, StepRequest,
};
use tonic::Status;

use super::table::Seat;
use crate::auth::Token;
use crate::client::{self, Remedy, Simulator, remedy};

/// Tries of one request before its episodes are given up.
const TRIES: usize = 3;

/// What one episode wants from its simulator.
pub(super) enum Ask {
    /// Open, or open again, its session.
    Open(SessionOpening),
    /// Take an action; the opening is there for a simulator that does not know the session.
    Step(SessionAction, SessionOpening),
}

/// A request of one episode.
pub(super) struct Errand {
    pub(super) seat: Seat,
    pub(super) simulator: String,
    pub(super) ask: Ask,
}

/// What became of it; `None` when the simulator is gone.
pub(super) type Answer = (Seat, Option<SessionReply>);

/// Clients of all simulators that were needed so far.
pub(super) struct Shops {
    token: Token,
    clients: BTreeMap<String, Simulator>,
}

impl Shops {
    /// None known yet.
    pub(super) fn new(token: Token) -> Self {
        Self { token, clients: BTreeMap::new() }
    }

    /// Runs all errands, simulator by simulator.
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
                Ok(replies) => answers.extend(
                    errands.iter().map(|errand| errand.seat).zip(replies.into_iter().map(Some)),
                ),
                Err(status) if remedy(&status) == Remedy::Leave => {
                    return Err(Exit::bad_configuration(format!(
                        "simulator {address}: {}",
                        status.message()
                    )));
                }
                Err(status) => {
                    tracing::warn!(address, %status, episodes = errands.len(), "simulator is gone, episodes go back");
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

/// One simulator's errands; replies in the order of `errands`.
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
                // Replaying all actions, the newest included, gives the reply that was missed.
                openings.push(opening.clone());
                Some(action)
            }
            _ => None,
        })
        .collect();
    if !reopened.is_empty() {
        tracing::info!(sessions = reopened.len(), "opened again by replay");
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
    again(async || Ok(client.step(request.clone()).await?.into_inner().replies)).await
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
    again(async || Ok(client.open(request.clone()).await?.into_inner().replies)).await
}

/// Repeats a request that failed on the way; both requests may be repeated.
async fn again<A>(mut request: impl AsyncFnMut() -> Result<A, Status>) -> Result<A, Status> {
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
