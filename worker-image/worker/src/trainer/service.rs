//! The service `shoprl.v1.Controller` over [`Shared`]. Each rpc checks the caller's job, attempt and role.

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
/// Longest wait for work in one request, in milliseconds; well below the caller's deadline.
const LONGEST_WAIT: u32 = 5000;

/// The service of one attempt of one job.
pub(super) struct ControllerService {
    pub(super) shared: Arc<Shared>,
    pub(super) job_uid: String,
    pub(super) attempt: u32,
    pub(super) token: Token,
}

/// A caller whose job and role were checked.
#[derive(Debug, Clone, Copy)]
struct Known {
    role: Role,
    index: u32,
}

impl ControllerService {
    /// Checks the caller's job and reads its role; any attempt will do.
    fn admit_any_attempt(&self, caller: Option<&Caller>) -> Result<Known, Status> {
        let caller = caller.ok_or_else(|| Status::invalid_argument("caller: missing"))?;
        if caller.job_uid != self.job_uid {
            return Err(Status::permission_denied(format!(
                "caller.job_uid: {} is not this job ({})",
                caller.job_uid, self.job_uid
            )));
        }
        let role = Role::ALL.into_iter().find(|role| role.name() == caller.role);
        let role = role.ok_or_else(|| {
            Status::invalid_argument(format!("caller.role: {:?} is not a role", caller.role))
        })?;
        Ok(Known { role, index: caller.index })
    }

    /// Checks the caller's job and attempt.
    fn admit(&self, caller: Option<&Caller>) -> Result<Known, Status> {
        let known = self.admit_any_attempt(caller)?;
        let attempt = caller.map_or(0, |caller| caller.attempt);
        if attempt != self.attempt {
            return Err(Status::failed_precondition(format!(
                "caller.attempt: {attempt} but the job is on attempt {}; register again",
                self.attempt
            )));
        }
        Ok(known)
    }

    /// Checks the caller's job, attempt and role for an rpc that only `role` may call; returns the caller's index.
    fn admit_role(&self, caller: Option<&Caller>, rpc: &str, role: Role) -> Result<u32, Status> {
        let known = self.admit(caller)?;
        if known.role != role {
            return Err(Status::permission_denied(format!(
                "caller.role: {} may not call {rpc}; only {} may",
                known.role.name(),
                role.name()
            )));
        }
        Ok(known.index)
    }

    /// Returns as soon as `find` returns work or the job is over, at the latest after `wait_ms`.
    async fn when_there_is_work<T>(
        &self,
        wait_ms: u32,
        mut find: impl FnMut(&mut State) -> Vec<T>,
    ) -> (Vec<T>, bool) {
        let end = tokio::time::Instant::now()
            + Duration::from_millis(u64::from(wait_ms.min(LONGEST_WAIT)));
        loop {
            // Created before `find` runs, so that work that appears in between wakes this future.
            let work = self.shared.work.notified();
            {
                let mut state = self.shared.lock();
                let found = find(&mut state);
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
        let Known { role, index } = self.admit_any_attempt(request.caller.as_ref())?;
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
        let index = self.admit_role(request.caller.as_ref(), "LeaseGroups", Role::Rollout)?;
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
        self.admit_role(request.caller.as_ref(), "SubmitTrajectories", Role::Rollout)?;
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
        let index = self.admit_role(request.caller.as_ref(), "LeaseScoring", Role::Reward)?;
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
        self.admit_role(request.caller.as_ref(), "SubmitScores", Role::Reward)?;
        if let Some(score) = request.scores.iter().find(|score| !score.is_intact(&self.token)) {
            return Err(Status::invalid_argument(format!(
                "scores: {}/{}/{}: the seal is broken: the score was altered in transit",
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
        // A refused episode can be leased again.
        self.shared.work.notify_waiters();
        Ok(Response::new(SubmitScoresResponse {}))
    }

    type FetchWeightsStream = Pin<Box<dyn Stream<Item = Result<WeightsChunk, Status>> + Send>>;

    async fn fetch_weights(
        &self,
        request: Request<FetchWeightsRequest>,
    ) -> Result<Response<Self::FetchWeightsStream>, Status> {
        let request = request.into_inner();
        self.admit(request.caller.as_ref())?;
        let published = self.shared.lock().published.clone();
        let published =
            published.filter(|published| published.version == request.version).ok_or_else(
                || Status::not_found(format!("weights {} are not published", request.version)),
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
        self.admit_any_attempt(request.into_inner().caller.as_ref())?;
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
    async fn requests_of_another_job_or_attempt_are_refused() {
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
        // A registration learns the attempt.
        let request =
            RegisterRequest { caller: caller("job-1", 0, "rollout"), ..RegisterRequest::default() };
        let answer = service.register(Request::new(request)).await.expect("registers");
        assert_eq!(answer.into_inner().attempt, 2);
    }

    #[tokio::test]
    async fn each_rpc_serves_only_the_roles_that_need_it() {
        let service = service();
        let call = async |rpc: &str, role: &str| {
            let caller = caller("job-1", 2, role);
            let answer = match rpc {
                "Register" => {
                    let request = RegisterRequest { caller, ..RegisterRequest::default() };
                    service.register(Request::new(request)).await.map(drop)
                }
                "LeaseGroups" => {
                    let request = LeaseGroupsRequest { caller, ..LeaseGroupsRequest::default() };
                    service.lease_groups(Request::new(request)).await.map(drop)
                }
                "SubmitTrajectories" => {
                    let request = SubmitTrajectoriesRequest { caller, trajectories: Vec::new() };
                    service.submit_trajectories(Request::new(request)).await.map(drop)
                }
                "LeaseScoring" => {
                    let request = LeaseScoringRequest { caller, ..LeaseScoringRequest::default() };
                    service.lease_scoring(Request::new(request)).await.map(drop)
                }
                "SubmitScores" => {
                    let request = SubmitScoresRequest { caller, scores: Vec::new() };
                    service.submit_scores(Request::new(request)).await.map(drop)
                }
                "FetchWeights" => {
                    let request = FetchWeightsRequest { caller, version: 3 };
                    service.fetch_weights(Request::new(request)).await.map(drop)
                }
                _ => {
                    let request = GetProgressRequest { caller };
                    service.get_progress(Request::new(request)).await.map(drop)
                }
            };
            answer.map_err(|status| (status.code(), status.message().to_owned()))
        };
        for (rpc, only) in [
            ("LeaseGroups", Some("rollout")),
            ("SubmitTrajectories", Some("rollout")),
            ("LeaseScoring", Some("reward")),
            ("SubmitScores", Some("reward")),
            ("Register", None),
            ("FetchWeights", None),
            ("GetProgress", None),
        ] {
            for role in Role::ALL.map(Role::name) {
                let expected = match only {
                    Some(only) if only != role => Err((
                        Code::PermissionDenied,
                        format!("caller.role: {role} may not call {rpc}; only {only} may"),
                    )),
                    _ => Ok(()),
                };
                assert_eq!(call(rpc, role).await, expected, "{rpc} by {role}");
            }
        }
    }

    #[tokio::test]
    async fn weights_come_in_checked_chunks_and_other_versions_are_not_found() {
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
