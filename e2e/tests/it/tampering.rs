//! A proxy between the trainer and a reward worker alters trajectories: none is used for training, and the job reports it.

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::Stream;
use shoprl_contract::v1::controller_client::ControllerClient;
use shoprl_contract::v1::controller_server::{Controller, ControllerServer};
use shoprl_contract::v1::{
    FetchWeightsRequest, GetProgressRequest, GetProgressResponse, LeaseGroupsRequest,
    LeaseGroupsResponse, LeaseScoringRequest, LeaseScoringResponse, RegisterRequest,
    RegisterResponse, SubmitScoresRequest, SubmitScoresResponse, SubmitTrajectoriesRequest,
    SubmitTrajectoriesResponse, WeightsChunk,
};
use shoprl_e2e::{Run, SMALL, shoprl};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

/// A proxy between a reward worker and the trainer that alters the first token of each trajectory.
struct TamperingProxy {
    trainer: ControllerClient<Channel>,
    altered: &'static AtomicUsize,
}

/// The request for the trainer, with the same metadata.
fn relay<Q>(request: Request<Q>) -> Request<Q> {
    let (metadata, _, message) = request.into_parts();
    Request::from_parts(metadata, tonic::Extensions::default(), message)
}

fn unexpected<A>(what: &str) -> Result<A, Status> {
    Err(Status::unimplemented(format!("a reward worker does not request {what}")))
}

#[tonic::async_trait]
impl Controller for TamperingProxy {
    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<RegisterResponse>, Status> {
        self.trainer.clone().register(relay(request)).await
    }

    async fn lease_scoring(
        &self,
        request: Request<LeaseScoringRequest>,
    ) -> Result<Response<LeaseScoringResponse>, Status> {
        let mut lease = self.trainer.clone().lease_scoring(relay(request)).await?.into_inner();
        for trajectory in &mut lease.trajectories {
            trajectory.tokens[0] += 1;
            self.altered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Response::new(lease))
    }

    async fn submit_scores(
        &self,
        request: Request<SubmitScoresRequest>,
    ) -> Result<Response<SubmitScoresResponse>, Status> {
        self.trainer.clone().submit_scores(relay(request)).await
    }

    async fn lease_groups(
        &self,
        _: Request<LeaseGroupsRequest>,
    ) -> Result<Response<LeaseGroupsResponse>, Status> {
        unexpected("groups")
    }

    async fn submit_trajectories(
        &self,
        _: Request<SubmitTrajectoriesRequest>,
    ) -> Result<Response<SubmitTrajectoriesResponse>, Status> {
        unexpected("submissions")
    }

    type FetchWeightsStream = Pin<Box<dyn Stream<Item = Result<WeightsChunk, Status>> + Send>>;

    async fn fetch_weights(
        &self,
        _: Request<FetchWeightsRequest>,
    ) -> Result<Response<Self::FetchWeightsStream>, Status> {
        unexpected("weights")
    }

    async fn get_progress(
        &self,
        _: Request<GetProgressRequest>,
    ) -> Result<Response<GetProgressResponse>, Status> {
        unexpected("progress")
    }
}

/// A reward worker with the trainer's address `trainer`. It exits when its standard input closes, at the end of this test.
fn reward_worker(run: &Path, trainer: &str) -> Child {
    Command::new(shoprl())
        .args(["worker", "reward", "--exit-with-stdin", "--trainer", trainer])
        .arg("--config")
        .arg(run.join("run.json"))
        .arg("--directory")
        .arg(run)
        .arg("--token-file")
        .arg(run.join("token"))
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a worker starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_trajectory_is_refused_and_the_job_names_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("job.yaml");
    // The test starts the only reward worker, which dials the proxy.
    fs::write(&manifest, format!("{SMALL}  roles: {{reward: {{replicas: 0}}}}\n"))
        .expect("the manifest is written");
    let mut run = Run::start(&manifest, &folder.path().join("run"), &[]);
    let address = run.folder.join("logs/trainer-0.address");
    run.wait_until("the trainer's address", |_| {
        fs::read_to_string(&address).unwrap_or_default().ends_with('\n')
    });
    let trainer = fs::read_to_string(&address).expect("the trainer's address");

    static ALTERED: AtomicUsize = AtomicUsize::new(0);
    let channel = Channel::from_shared(format!("http://{}", trainer.trim())).expect("an address");
    let service = TamperingProxy {
        trainer: ControllerClient::new(channel.connect_lazy()),
        altered: &ALTERED,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = listener.local_addr().expect("its address").to_string();
    let server = tonic::transport::Server::builder().add_service(ControllerServer::new(service));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let mut worker = reward_worker(&run.folder, &proxy);

    let metrics = run.folder.join("metrics.jsonl");
    let end = Instant::now() + Duration::from_secs(100);
    let (code, printed) = tokio::task::spawn_blocking(move || {
        run.wait_until("the refusal", |run| {
            assert!(Instant::now() < end, "the job neither ended nor printed anything");
            fs::read_to_string(run.with_extension("out")).unwrap_or_default().contains("refused")
        });
        shoprl_e2e::kill("TERM", run.id());
        let out = run.folder.with_extension("out");
        (run.finish(), fs::read_to_string(out).unwrap_or_default())
    })
    .await
    .expect("the waiting task ends");
    worker.kill().expect("the worker can be killed");
    worker.wait().expect("the worker can be waited for");

    assert!(ALTERED.load(Ordering::Relaxed) > 0, "nothing was altered");
    assert!(printed.contains("the seal is broken"), "{code:?}\n{printed}");
    let learned = fs::read_to_string(metrics).unwrap_or_default();
    assert_eq!(learned, "", "no altered trajectory is used for training");
}
