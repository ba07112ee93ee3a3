//! `shoprl.v1.Simulator` over [`Sessions`].

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use shoprl_contract::v1::simulator_server::Simulator;
use shoprl_contract::v1::{
    Caller, CloseRequest, CloseResponse, EndReason, OpenRequest, OpenResponse, SessionReply,
    StepRequest, StepResponse,
};
use tonic::{Request, Response, Status};

use super::sessions::{Refusal, Reply, Sessions};
use crate::task;

/// The service. A step takes about 50 microseconds, so all sessions share one lock.
pub(super) struct SimulatorService {
    sessions: Mutex<Sessions>,
    job_uid: String,
    attempt: Newest,
}

/// The newest attempt observed, from the trainer or from a rollout. Attempts only grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Newest(Arc<AtomicU32>);

impl Newest {
    /// Takes notice of an attempt; returns the newest one.
    pub(super) fn observe(&self, attempt: u32) -> u32 {
        self.0.fetch_max(attempt, Ordering::Relaxed).max(attempt)
    }
}

impl SimulatorService {
    /// Serves `sessions` to the workers of one job's newest attempt.
    pub(super) fn new(sessions: Sessions, job_uid: String, attempt: Newest) -> Self {
        Self { sessions: Mutex::new(sessions), job_uid, attempt }
    }

    fn sessions(&self, caller: Option<&Caller>) -> Result<MutexGuard<'_, Sessions>, Status> {
        let caller = caller.ok_or_else(|| Status::invalid_argument("caller: missing"))?;
        if caller.job_uid != self.job_uid {
            return Err(Status::permission_denied(format!(
                "caller.job_uid: {} is another job",
                caller.job_uid
            )));
        }
        let newest = self.attempt.observe(caller.attempt);
        if caller.attempt < newest {
            return Err(Status::failed_precondition(format!(
                "caller.attempt: {} but the job is on attempt {newest}; register again",
                caller.attempt
            )));
        }
        // Every method keeps the table valid at each step, so a poisoned lock is usable.
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
        Err(Refusal::Full) => {
            Err(Status::resource_exhausted("all sessions are in use; retry later"))
        }
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

#[cfg(test)]
mod tests {
    use shoprl_contract::v1::SessionOpening;
    use shoprl_simulator::{Limits, Preset, Scenario, Shop, Split, TaskKey};
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn another_job_and_a_replaced_attempt_are_refused() {
        let shop = Arc::new(Shop::open(Preset::Mini, 1).expect("the shop opens"));
        let sessions = Sessions::new(shop, Limits { single_turn: 12, multi_turn: 12 });
        let newest = Newest::default();
        let service = SimulatorService::new(sessions, "job-1".into(), newest.clone());
        let key = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed: 5 };
        let open = async |job_uid: &str, attempt| {
            let caller =
                Caller { job_uid: job_uid.into(), attempt, role: "rollout".into(), index: 0 };
            let opening = SessionOpening {
                session: "a".into(),
                task: Some(task::to_wire(&key)),
                ..SessionOpening::default()
            };
            let request = OpenRequest { caller: Some(caller), sessions: vec![opening] };
            service.open(Request::new(request)).await.map_err(|status| status.code()).map(drop)
        };
        newest.observe(2);
        assert_eq!(open("job-1", 2).await, Ok(()));
        assert_eq!(open("job-1", 1).await, Err(Code::FailedPrecondition));
        assert_eq!(open("job-2", 2).await, Err(Code::PermissionDenied));
        // A rollout may learn of the next attempt first.
        assert_eq!(open("job-1", 3).await, Ok(()));
        assert_eq!(open("job-1", 2).await, Err(Code::FailedPrecondition));
        let anonymous = service.close(Request::new(CloseRequest::default())).await;
        assert_eq!(anonymous.map_err(|status| status.code()).map(drop), Err(Code::InvalidArgument));
    }
}
