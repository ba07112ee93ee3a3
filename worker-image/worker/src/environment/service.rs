//! The service `shoprl.v1.Environment` over [`Sessions`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use shoprl_contract::error_chain;
use shoprl_contract::v1::environment_server::Environment;
use shoprl_contract::v1::{
    CloseEpisodeRequest, CloseEpisodeResponse, DescribeRequest, DescribeResponse,
    OpenEpisodeRequest, OpenEpisodeResponse, ReplayEpisodeRequest, ReplayEpisodeResponse,
    ScenarioLimit, StepEpisodeRequest, StepEpisodeResponse, TaskKey as WireKey,
};
use shoprl_simulator::mall::Words;
use shoprl_simulator::{Scenario, TaskKey};
use tonic::{Request, Response, Status};

use super::sessions::{Answer, Refusal, Sessions};
use crate::task;
use crate::voice::Voice;

/// Longest action in bytes: many times the longest valid one, so that the shop answers the text of a rambling model, and short
/// enough to bound a full server's memory.
const ACTION_BYTES: usize = 16 << 10;
/// Longest session name in bytes: room for a UUID and a prefix.
const NAME_BYTES: usize = 64;

/// The service.
pub(super) struct EnvironmentService {
    sessions: Arc<Sessions>,
    /// The model that speaks for the shoppers; `None` uses the rules.
    voice: Option<Voice>,
}

impl EnvironmentService {
    pub(super) fn new(sessions: Arc<Sessions>, voice: Option<Voice>) -> Self {
        Self { sessions, voice }
    }

    fn digest(&self) -> String {
        self.sessions.world().digest().to_owned()
    }

    /// Checks a task and the actions of one of its episodes.
    fn played(&self, key: Option<&WireKey>, actions: &[String]) -> Result<TaskKey, Status> {
        let key = task::from_wire(key).map_err(Status::invalid_argument)?;
        let turns = self.sessions.world().turns(key.scenario);
        if actions.len() > turns as usize {
            return Err(Status::invalid_argument(format!(
                "actions: {} exceed the scenario's {turns} turns; cut them at the end of the episode",
                actions.len()
            )));
        }
        actions.iter().enumerate().try_for_each(|(index, action)| {
            checked_action(action)
                .map_err(|why| Status::invalid_argument(format!("actions[{index}]: {why}")))
        })?;
        Ok(key)
    }

    fn status(&self, session: &str, refusal: Refusal) -> Status {
        let bounds = self.sessions.bounds();
        match refusal {
            Refusal::Unknown => Status::not_found(format!(
                "session: {session} is unknown, or was unused for {} s; open it again with the actions it took",
                bounds.lease.as_secs()
            )),
            Refusal::NotDue { asked, due } => Status::failed_precondition(format!(
                "turn: {asked}, but turn {due} of session {session} is next; only the turn before it may be retried"
            )),
            Refusal::Taken { turn } => Status::failed_precondition(format!(
                "action: turn {turn} of session {session} was taken with another action; to undo it, open the session again with the actions before it"
            )),
            Refusal::Ended(end) => Status::failed_precondition(format!(
                "session: the episode of {session} has ended ({end:?}); open another session"
            )),
            Refusal::InUse => Status::already_exists(format!(
                "session: {session} plays another task; close it, or choose another name, for example a UUID"
            )),
            Refusal::Full { free_after } => Status::resource_exhausted(format!(
                "all {} sessions are in use; close some, retry (a lease expires in {} s), or start the server with more --sessions",
                bounds.sessions,
                free_after.as_secs_f64().ceil()
            )),
            Refusal::AfterTheEnd { index } => Status::invalid_argument(format!(
                "actions[{index}]: comes after the end of the episode; cut the actions there"
            )),
            Refusal::Words { index, why } => Status::invalid_argument(format!(
                "words[{index}]: {why}; send the words from the step responses, or no words"
            )),
            Refusal::Shop(why) => Status::internal(why),
        }
    }
}

/// The shopper's words by index of the action.
fn spoken(words: HashMap<u32, String>) -> Words {
    words.into_iter().map(|(index, words)| (index as usize, words)).collect()
}

fn checked_name(name: &str) -> Result<(), Status> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let start: String = name.chars().take(NAME_BYTES).collect();
    Err(Status::invalid_argument(format!(
        "session: {start:?} is not a valid name; use 1 to {NAME_BYTES} letters, digits, '-', '_' or '.'"
    )))
}

fn checked_action(action: &str) -> Result<(), String> {
    if action.len() <= ACTION_BYTES {
        return Ok(());
    }
    Err(format!("{} bytes; send at most {ACTION_BYTES}", action.len()))
}

#[tonic::async_trait]
impl Environment for EnvironmentService {
    async fn describe(
        &self,
        _: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        let (world, bounds) = (self.sessions.world(), self.sessions.bounds());
        let scenarios = Scenario::ALL.map(|scenario| ScenarioLimit {
            scenario: task::scenario_to_wire(scenario).into(),
            turns: world.turns(scenario),
        });
        Ok(Response::new(DescribeResponse {
            catalog: world.name().to_owned(),
            catalog_digest: self.digest(),
            products: world.products() as u64,
            grammar: world.grammar().to_owned(),
            scenarios: scenarios.to_vec(),
            lease_ms: u64::try_from(bounds.lease.as_millis()).unwrap_or(u64::MAX),
            sessions: bounds.sessions as u64,
            action_bytes: ACTION_BYTES as u64,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            shopper: self.voice.as_ref().map(|voice| voice.model().to_owned()).unwrap_or_default(),
        }))
    }

    async fn open(
        &self,
        request: Request<OpenEpisodeRequest>,
    ) -> Result<Response<OpenEpisodeResponse>, Status> {
        let OpenEpisodeRequest { session, task, actions, words } = request.into_inner();
        checked_name(&session)?;
        let key = self.played(task.as_ref(), &actions)?;
        let turn = self
            .sessions
            .open(&session, &key, &actions, &spoken(words), Instant::now())
            .map_err(|refusal| self.status(&session, refusal))?;
        let lease = self.sessions.bounds().lease;
        Ok(Response::new(OpenEpisodeResponse {
            observation: turn.observation,
            end: task::end_to_wire(turn.end).into(),
            turns: self.sessions.world().turns(key.scenario),
            lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
            catalog_digest: self.digest(),
        }))
    }

    async fn step(
        &self,
        request: Request<StepEpisodeRequest>,
    ) -> Result<Response<StepEpisodeResponse>, Status> {
        let StepEpisodeRequest { session, turn, action } = request.into_inner();
        checked_action(&action)
            .map_err(|why| Status::invalid_argument(format!("action: {why}")))?;
        let cue = self.sessions.cue(&session, turn, &action, Instant::now());
        let cue = cue.map_err(|refusal| self.status(&session, refusal))?;
        let words = match (&self.voice, cue) {
            (Some(voice), Some((task, cue))) => {
                // Depends on task and turn only, so a replayed episode sends the model the same request.
                let nonce = task.seed.rotate_left(16) ^ u64::from(turn);
                let said = voice.say(&cue, nonce).await;
                Some(said.map_err(|error| Status::unavailable(error.to_string()))?.words)
            }
            _ => None,
        };
        let answer = self
            .sessions
            .step(&session, turn, &action, words.as_deref(), Instant::now())
            .map_err(|refusal| self.status(&session, refusal))?;
        let Answer { turn, words } = answer;
        let (observation, end) = (turn.observation, task::end_to_wire(turn.end).into());
        Ok(Response::new(StepEpisodeResponse { observation, end, words }))
    }

    async fn close(
        &self,
        request: Request<CloseEpisodeRequest>,
    ) -> Result<Response<CloseEpisodeResponse>, Status> {
        self.sessions.close(&request.into_inner().session);
        Ok(Response::new(CloseEpisodeResponse {}))
    }

    async fn replay(
        &self,
        request: Request<ReplayEpisodeRequest>,
    ) -> Result<Response<ReplayEpisodeResponse>, Status> {
        let ReplayEpisodeRequest { task, actions, words } = request.into_inner();
        let key = self.played(task.as_ref(), &actions)?;
        let scored =
            self.sessions.world().replay(&key, &actions, &spoken(words)).map_err(|error| {
                Status::invalid_argument(format!("actions: {}", error_chain(&error)))
            })?;
        Ok(Response::new(ReplayEpisodeResponse {
            metrics: Some(task::metrics_to_wire(&scored.outcome)),
            end: task::end_to_wire(scored.end).into(),
            verdicts: scored.verdicts,
            kinds: scored.kinds.iter().map(|kind| task::kind_name(*kind).to_owned()).collect(),
            catalog_digest: self.digest(),
        }))
    }
}
