//! `shoprl.v1.Simulator` over [`Sessions`].

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use shoprl_contract::v1::simulator_server::Simulator;
use shoprl_contract::v1::{
    Caller, CloseRequest, CloseResponse, EndReason, OpenRequest, OpenResponse, SessionReply,
    StepRequest, StepResponse,
};
use tonic::{Request, Response, Status};

use super::sessions::{Refusal, Reply, Sessions};
use crate::task;

/// The service. A step takes some 50 microseconds, so the sessions share one lock.
pub(super) struct SimulatorService {
    sessions: Mutex<Sessions>,
    job_uid: String,
}

impl SimulatorService {
    /// Serves `sessions` to the workers of one job.
    pub(super) fn new(sessions: Sessions, job_uid: String) -> Self {
        Self { sessions: Mutex::new(sessions), job_uid }
    }

    fn sessions(&self, caller: Option<&Caller>) -> Result<MutexGuard<'_, Sessions>, Status> {
        let caller = caller.ok_or_else(|| Status::invalid_argument("caller: missing"))?;
        if caller.job_uid != self.job_uid {
            return Err(Status::permission_denied(format!(
                "caller.job_uid: {} is another job",
                caller.job_uid
            )));
        }
        // Every method leaves the table valid at each step, so a panic elsewhere does not spoil it.
        Ok(self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn reply(session: String, answer: Result<Reply, Refusal>) -> Result<SessionReply, Status> {
    let unknown =
        SessionReply { session: session.clone(), unknown: true, ..SessionReply::default() };
    match answer {
        Ok(Reply { observation, end }) => Ok(SessionReply {
            session,
            observation,
            end: task::end_to_wire(end).into(),
            unknown: false,
        }),
        Err(Refusal::Unknown) => Ok(SessionReply { end: EndReason::Unspecified.into(), ..unknown }),
        Err(Refusal::Invalid(why)) => Err(Status::invalid_argument(why)),
        Err(Refusal::Full) => Err(Status::resource_exhausted("all sessions are taken; ask again")),
    }
}

#[tonic::async_trait]
impl Simulator for SimulatorService {
    async fn open(&self, request: Request<OpenRequest>) -> Result<Response<OpenResponse>, Status> {
        let request = request.into_inner();
        let mut sessions = self.sessions(request.caller.as_ref())?;
        let now = Instant::now();
        let replies = request.sessions.into_iter().map(|opening| {
            let key = task::from_wire(opening.task.as_ref()).map_err(Status::invalid_argument)?;
            let answer = sessions.open(&opening.session, &key, &opening.actions, now);
            reply(opening.session, answer)
        });
        Ok(Response::new(OpenResponse { replies: replies.collect::<Result<_, _>>()? }))
    }

    async fn step(&self, request: Request<StepRequest>) -> Result<Response<StepResponse>, Status> {
        let request = request.into_inner();
        let mut sessions = self.sessions(request.caller.as_ref())?;
        let now = Instant::now();
        let replies = request.actions.into_iter().map(|action| {
            let answer = sessions.step(&action.session, action.turn, &action.action, now);
            reply(action.session, answer)
        });
        Ok(Response::new(StepResponse { replies: replies.collect::<Result<_, _>>()? }))
    }

    async fn close(
        &self,
        request: Request<CloseRequest>,
    ) -> Result<Response<CloseResponse>, Status> {
        let request = request.into_inner();
        let mut sessions = self.sessions(request.caller.as_ref())?;
        for session in &request.sessions {
            sessions.close(session);
        }
        Ok(Response::new(CloseResponse {}))
    }
}
