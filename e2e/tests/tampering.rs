//! Somebody between the trainer and a reward worker alters trajectories: none of them is trained on, and the job says so.

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

/// Relays everything between a reward worker and the trainer, and alters the first token of what is to be scored.
struct Tamperer {
    trainer: ControllerClient<Channel>,
    altered: &'static AtomicUsize,
}

/// The same request, with its token, for the trainer.
fn relay<Q>(request: Request<Q>) -> Request<Q> {
    let (metadata, _, message) = request.into_parts();
    Request::from_parts(metadata, tonic::Extensions::default(), message)
}

fn unwanted<A>(what: &str) -> Result<A, Status> {
    Err(Status::unimplemented(format!("a reward worker does not ask for {what}")))
}

#[tonic::async_trait]
impl Controller for Tamperer {
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
        unwanted("groups")
    }

    async fn submit_trajectories(
        &self,
        _: Request<SubmitTrajectoriesRequest>,
    ) -> Result<Response<SubmitTrajectoriesResponse>, Status> {
        unwanted("submissions")
    }

    type FetchWeightsStream = Pin<Box<dyn Stream<Item = Result<WeightsChunk, Status>> + Send>>;

    async fn fetch_weights(
        &self,
        _: Request<FetchWeightsRequest>,
    ) -> Result<Response<Self::FetchWeightsStream>, Status> {
        unwanted("weights")
    }

    async fn get_progress(
        &self,
        _: Request<GetProgressRequest>,
    ) -> Result<Response<GetProgressResponse>, Status> {
        unwanted("progress")
    }
}

/// A reward worker that takes `trainer` for the trainer. It leaves when its standard input closes, at the latest with this test.
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
async fn an_altered_trajectory_is_refused_and_the_job_ends_naming_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("job.yaml");
    // The reward worker is not the supervisor's: it dials the man in the middle.
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
    let service =
        Tamperer { trainer: ControllerClient::new(channel.connect_lazy()), altered: &ALTERED };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let middle = listener.local_addr().expect("its address").to_string();
    let server = tonic::transport::Server::builder().add_service(ControllerServer::new(service));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let mut worker = reward_worker(&run.folder, &middle);

    let metrics = run.folder.join("metrics.jsonl");
    let end = Instant::now() + Duration::from_secs(100);
    let (code, said) = tokio::task::spawn_blocking(move || {
        run.wait_until("the refusal", |run| {
            assert!(Instant::now() < end, "the job neither ended nor said anything");
            fs::read_to_string(run.with_extension("out")).unwrap_or_default().contains("refused")
        });
        shoprl_e2e::kill("TERM", run.id());
        let out = run.folder.with_extension("out");
        (run.finish(), fs::read_to_string(out).unwrap_or_default())
    })
    .await
    .expect("the run is watched");
    worker.kill().expect("the worker can be killed");
    worker.wait().expect("the worker can be waited for");

    assert!(ALTERED.load(Ordering::Relaxed) > 0, "nothing was altered");
    assert!(said.contains("the seal is broken"), "{code:?}\n{said}");
    let learned = fs::read_to_string(metrics).unwrap_or_default();
    assert_eq!(learned, "", "nothing that was altered is learned from");
}
