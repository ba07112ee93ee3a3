//! `shoprl.v1.Controller` over [`Shared`].

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::Stream;
use sha2::{Digest, Sha256};
use shoprl_contract::v1::controller_server::Controller;
use shoprl_contract::v1::{
    Caller, FetchWeightsRequest, GetProgressRequest, GetProgressResponse, LeaseGroupsRequest,
    LeaseGroupsResponse, LeaseScoringRequest, LeaseScoringResponse, RegisterRequest,
    RegisterResponse, SubmitScoresRequest, SubmitScoresResponse, SubmitTrajectoriesRequest,
    SubmitTrajectoriesResponse, WeightsChunk,
};
use shoprl_contract::{Role, TrainerPhase};
use tonic::{Request, Response, Status};

use super::shared::{Shared, State};
use crate::auth::Token;
use crate::seal::Sealed;

/// Bytes of weights in one chunk.
const CHUNK: usize = 1 << 20;
/// Longest wait for work in one request, milliseconds: well under the caller's deadline.
const LONGEST_WAIT: u32 = 5000;

/// The service of one attempt of one job.
pub(super) struct ControllerService {
    pub(super) shared: Arc<Shared>,
    pub(super) job_uid: String,
    pub(super) attempt: u32,
    pub(super) token: Token,
}

/// Who asks, checked.
struct Known {
    role: Role,
    index: u32,
}

impl ControllerService {
    /// Checks job, role and, but for registrations, the attempt.
    fn admit(&self, caller: Option<&Caller>, any_attempt: bool) -> Result<Known, Status> {
        let caller = caller.ok_or_else(|| Status::invalid_argument("caller: missing"))?;
        if caller.job_uid != self.job_uid {
            return Err(Status::permission_denied(format!(
                "caller.job_uid: {} is not this job ({})",
                caller.job_uid, self.job_uid
            )));
        }
        if !any_attempt && caller.attempt != self.attempt {
            return Err(Status::failed_precondition(format!(
                "caller.attempt: {} but the job is on attempt {}; register again",
                caller.attempt, self.attempt
            )));
        }
        let role = Role::ALL.into_iter().find(|role| role.name() == caller.role);
        let role = role
            .ok_or_else(|| Status::invalid_argument(format!("caller.role: {:?}", caller.role)))?;
        Ok(Known { role, index: caller.index })
    }

    /// Answers as soon as `look` finds work or the job is over, at the latest after `wait_ms`.
    async fn when_there_is_work<T>(
        &self,
        wait_ms: u32,
        mut look: impl FnMut(&mut State) -> Vec<T>,
    ) -> (Vec<T>, bool) {
        let end = tokio::time::Instant::now()
            + Duration::from_millis(u64::from(wait_ms.min(LONGEST_WAIT)));
        loop {
            // Created before looking: work that appears in between still wakes it.
            let work = self.shared.work.notified();
            {
                let mut state = self.shared.lock();
                let found = look(&mut state);
                if !found.is_empty() || state.finished {
                    return (found, state.finished);
                }
            }
            if tokio::time::timeout_at(end, work).await.is_err() {
                return (Vec::new(), false);
            }
        }
    }
}

#[tonic::async_trait]
impl Controller for ControllerService {
    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<RegisterResponse>, Status> {
        let request = request.into_inner();
        let Known { role, index } = self.admit(request.caller.as_ref(), true)?;
        let new = {
            let mut state = self.shared.lock();
            let before = state.coordinator.numerics().len();
            state.coordinator.register(
                role,
                index,
                &request.address,
                &request.numerics,
                Instant::now(),
            );
            let classes = state.coordinator.numerics();
            (classes.len() > before.max(1)).then(|| classes.join(", "))
        };
        if let Some(classes) = new {
            tracing::warn!(
                classes,
                "MixedNumerics: workers of different numerics classes, bits may differ"
            );
        }
        self.shared.work.notify_waiters();
        Ok(Response::new(RegisterResponse { attempt: self.attempt }))
    }

    async fn lease_groups(
        &self,
        request: Request<LeaseGroupsRequest>,
    ) -> Result<Response<LeaseGroupsResponse>, Status> {
        let request = request.into_inner();
        let Known { index, .. } = self.admit(request.caller.as_ref(), false)?;
        let (groups, finished) = self
            .when_there_is_work(request.wait_ms, |state| {
                state.coordinator.lease_groups(
                    index,
                    request.capacity,
                    &request.held,
                    Instant::now(),
                )
            })
            .await;
        Ok(Response::new(LeaseGroupsResponse { groups, finished }))
    }

    async fn submit_trajectories(
        &self,
        request: Request<SubmitTrajectoriesRequest>,
    ) -> Result<Response<SubmitTrajectoriesResponse>, Status> {
        let request = request.into_inner();
        self.admit(request.caller.as_ref(), false)?;
        {
            let mut state = self.shared.lock();
            for trajectory in request.trajectories {
                state.coordinator.submit(trajectory);
            }
        }
        self.shared.work.notify_waiters();
        Ok(Response::new(SubmitTrajectoriesResponse {}))
    }

    async fn lease_scoring(
        &self,
        request: Request<LeaseScoringRequest>,
    ) -> Result<Response<LeaseScoringResponse>, Status> {
        let request = request.into_inner();
        let Known { index, .. } = self.admit(request.caller.as_ref(), false)?;
        let (trajectories, finished) = self
            .when_there_is_work(request.wait_ms, |state| {
                state.coordinator.lease_scoring(index, request.capacity, Instant::now())
            })
            .await;
        Ok(Response::new(LeaseScoringResponse { trajectories, finished }))
    }

    async fn submit_scores(
        &self,
        request: Request<SubmitScoresRequest>,
    ) -> Result<Response<SubmitScoresResponse>, Status> {
        let request = request.into_inner();
        self.admit(request.caller.as_ref(), false)?;
        if let Some(score) = request.scores.iter().find(|score| !score.is_intact(&self.token)) {
            return Err(Status::invalid_argument(format!(
                "scores: {}/{}/{}: the seal is broken: the score was altered on the way",
                score.batch, score.group, score.member
            )));
        }
        {
            let mut state = self.shared.lock();
            for score in request.scores {
                state.coordinator.score(score);
            }
        }
        self.shared.wake_learner();
        // A refused episode is open again.
        self.shared.work.notify_waiters();
        Ok(Response::new(SubmitScoresResponse {}))
    }

    type FetchWeightsStream = Pin<Box<dyn Stream<Item = Result<WeightsChunk, Status>> + Send>>;

    async fn fetch_weights(
        &self,
        request: Request<FetchWeightsRequest>,
    ) -> Result<Response<Self::FetchWeightsStream>, Status> {
        let request = request.into_inner();
        self.admit(request.caller.as_ref(), false)?;
        let published = self.shared.lock().published.clone();
        let published =
            published.filter(|published| published.version == request.version).ok_or_else(
                || Status::not_found(format!("weights {} are not published now", request.version)),
            )?;
        let total = published.bytes.len();
        let chunks = (0..total).step_by(CHUNK).map(move |offset| {
            let data = published.bytes[offset..total.min(offset + CHUNK)].to_vec();
            let checksum = Sha256::digest(&data).to_vec();
            Ok(WeightsChunk {
                version: published.version,
                offset: offset as u64,
                total: total as u64,
                data,
                checksum,
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(chunks))))
    }

    async fn get_progress(
        &self,
        request: Request<GetProgressRequest>,
    ) -> Result<Response<GetProgressResponse>, Status> {
        self.admit(request.into_inner().caller.as_ref(), true)?;
        let state = self.shared.lock();
        let now = Instant::now();
        let census = state.coordinator.census(now);
        let mut progress = GetProgressResponse {
            waiting_for: state.coordinator.waiting_for(now),
            rollouts: census.rollouts,
            rewards: census.rewards,
            simulators: census.simulators,
            ..state.progress.clone()
        };
        // The learner has not begun its first phase yet.
        if TrainerPhase::read(&progress).is_none() {
            TrainerPhase::Starting.write(&mut progress);
        }
        Ok(Response::new(progress))
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use tonic::Code;

    use super::super::shared::Published;
    use super::*;

    fn service() -> ControllerService {
        let shared = Arc::new(Shared::default());
        let bytes = Arc::new(vec![7; CHUNK + 5]);
        shared.lock().published = Some(Published { version: 3, bytes });
        let token = Token::from_text("0123456789abcdef0123456789abcdef").expect("a token");
        ControllerService { shared, job_uid: "job-1".into(), attempt: 2, token }
    }

    fn caller(job_uid: &str, attempt: u32, role: &str) -> Option<Caller> {
        Some(Caller { job_uid: job_uid.into(), attempt, role: role.into(), index: 0 })
    }

    #[tokio::test]
    async fn requests_of_another_job_attempt_or_role_are_refused() {
        let service = service();
        let lease = async |caller| {
            let request = LeaseGroupsRequest { caller, ..LeaseGroupsRequest::default() };
            let answer = service.lease_groups(Request::new(request)).await;
            answer.map_err(|status| status.code()).map(drop)
        };
        assert_eq!(lease(caller("job-1", 2, "rollout")).await, Ok(()));
        assert_eq!(lease(caller("job-1", 1, "rollout")).await, Err(Code::FailedPrecondition));
        assert_eq!(lease(caller("job-1", 3, "rollout")).await, Err(Code::FailedPrecondition));
        assert_eq!(lease(caller("job-2", 2, "rollout")).await, Err(Code::PermissionDenied));
        assert_eq!(lease(caller("job-1", 2, "judge")).await, Err(Code::InvalidArgument));
        assert_eq!(lease(None).await, Err(Code::InvalidArgument));
        // Whoever registers is told the attempt.
        let request =
            RegisterRequest { caller: caller("job-1", 0, "rollout"), ..RegisterRequest::default() };
        let answer = service.register(Request::new(request)).await.expect("registers");
        assert_eq!(answer.into_inner().attempt, 2);
    }

    #[tokio::test]
    async fn weights_come_in_checked_chunks_and_a_version_of_the_past_is_not_found() {
        let service = service();
        let fetch = async |version| {
            let request = FetchWeightsRequest { caller: caller("job-1", 2, "rollout"), version };
            service.fetch_weights(Request::new(request)).await
        };
        let chunks: Vec<_> = fetch(3).await.expect("is published").into_inner().collect().await;
        let chunks: Vec<WeightsChunk> = chunks.into_iter().map(|c| c.expect("a chunk")).collect();
        let places: Vec<_> = chunks.iter().map(|c| (c.offset as usize, c.data.len())).collect();
        assert_eq!(places, [(0, CHUNK), (CHUNK, 5)]);
        for chunk in chunks {
            assert_eq!((chunk.version, chunk.total as usize), (3, CHUNK + 5));
            assert_eq!(Sha256::digest(&chunk.data).as_slice(), chunk.checksum);
        }
        for version in [2, 4] {
            let status = fetch(version).await.err().expect("is not published");
            assert_eq!(status.code(), Code::NotFound);
        }
    }
}
