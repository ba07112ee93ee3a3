//! `shoprl environment` over loopback, with one server or two.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use shoprl_contract::v1::environment_client::EnvironmentClient;
use shoprl_contract::v1::{
    CloseEpisodeRequest, DescribeRequest, EndReason, OpenEpisodeRequest, ReplayEpisodeRequest,
    Scenario, Split, StepEpisodeRequest, StepEpisodeResponse, TaskKey,
};
use shoprl_simulator::mall::{self, Mall};
use shoprl_simulator::{self as shop, Limits, Preset, Shop, agent};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

type Client = EnvironmentClient<Channel>;

/// A server that is killed at the end of its test.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoprl"));
    command.arg("environment").args(arguments).env_remove("RUST_LOG");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn serve(arguments: &[&str]) -> Server {
    let free = ["--listen", "127.0.0.1:0", "--threads", "1"];
    let mut child = command(&[arguments, &free].concat()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line
        .strip_prefix("listening on ")
        .and_then(|rest| rest.split(',').next())
        .unwrap_or_else(|| panic!("{line:?}"));
    Server { address: address.to_owned(), child }
}

impl Server {
    async fn client(&self) -> Client {
        Client::connect(format!("http://{}", self.address)).await.unwrap()
    }
}

fn key(scenario: Scenario, split: Split, seed: u64) -> TaskKey {
    TaskKey { split: split.into(), scenario: scenario.into(), seed }
}

const SIMPLE: TaskKey =
    TaskKey { split: Split::Train as i32, scenario: Scenario::SingleTurn as i32, seed: 5 };

async fn open(
    client: &mut Client,
    session: &str,
    task: TaskKey,
    actions: &[String],
) -> Result<String, Status> {
    let (session, actions) = (session.to_owned(), actions.to_vec());
    let request = OpenEpisodeRequest { session, task: Some(task), actions, words: HashMap::new() };
    client.open(request).await.map(|reply| reply.into_inner().observation)
}

async fn step(
    client: &mut Client,
    session: &str,
    turn: u32,
    action: &str,
) -> Result<StepEpisodeResponse, Status> {
    let (session, action) = (session.to_owned(), action.to_owned());
    let request = StepEpisodeRequest { session, turn, action };
    client.step(request).await.map(tonic::Response::into_inner)
}

/// A shop in this process, whose replays give the expected answers.
enum Reference {
    Mini(Arc<Shop>),
    Fine(Arc<Mall>),
}

impl Reference {
    fn products(&self) -> u64 {
        match self {
            Self::Mini(shop) => shop.catalog().len() as u64,
            Self::Fine(mall) => mall.catalog().len() as u64,
        }
    }

    fn expert(&self) -> Box<dyn agent::Actor> {
        match self {
            Self::Mini(_) => agent::expert(0),
            Self::Fine(_) => mall::agent::expert(),
        }
    }

    fn replay(&self, key: &shop::TaskKey, actions: &[String]) -> (Vec<String>, shop::Outcome) {
        match self {
            Self::Mini(shop) => {
                let replay = shop::replay(shop, key, Limits::default(), actions).unwrap();
                (replay.observations, replay.outcome)
            }
            Self::Fine(mall) => {
                let replay = mall::replay(mall, key, actions).unwrap();
                (replay.observations, replay.outcome)
            }
        }
    }
}

/// Two servers give the same answers and scores as a replay in this process, and a session can move between them.
async fn two_processes(catalog: &str, reference: &Reference) {
    let servers = [serve(&["--catalog", catalog]), serve(&["--catalog", catalog])];
    let [mut one, mut two] = [servers[0].client().await, servers[1].client().await];
    let described = one.describe(DescribeRequest {}).await.unwrap().into_inner();
    assert_eq!(two.describe(DescribeRequest {}).await.unwrap().into_inner(), described);
    assert_eq!((described.catalog.as_str(), described.products), (catalog, reference.products()));
    assert_eq!((described.sessions, described.lease_ms), (4096, 600_000));
    for (number, scenario) in shop::Scenario::ALL.into_iter().enumerate() {
        for split in [shop::Split::Train, shop::Split::HeldOut] {
            let seed = 40 + number as u64;
            let wire = [
                Scenario::SingleTurn,
                Scenario::SingleTurnPersona,
                Scenario::MultiTurn,
                Scenario::MultiTurnPersona,
            ];
            let wire_split =
                if split == shop::Split::Train { Split::Train } else { Split::HeldOut };
            let task = key(wire[number], wire_split, seed);
            let name = format!("{catalog}-{number}-{wire_split:?}");
            let mut observations = vec![open(&mut one, &name, task, &[]).await.unwrap()];
            let limit = described.scenarios[number];
            let counter = [format!("剩{}轮", limit.turns), format!("剩余{}轮", limit.turns)];
            assert_eq!(limit.scenario(), wire[number]);
            assert!(
                counter.iter().any(|end| observations[0].ends_with(end)),
                "{}: {}",
                limit.turns,
                observations[0]
            );
            let mut actor = reference.expert();
            let (mut actions, mut end) = (Vec::new(), EndReason::Unspecified);
            while end == EndReason::Unspecified {
                let action = actor.act(&observations[actions.len()]);
                // Before each turn the session is reopened on the other server, which plays the same turn.
                let elsewhere = open(&mut two, &name, task, &actions).await.unwrap();
                assert_eq!(&elsewhere, observations.last().unwrap());
                let turn = actions.len() as u32 + 1;
                let answer = step(&mut one, &name, turn, &action).await.unwrap();
                assert_eq!(step(&mut two, &name, turn, &action).await.unwrap(), answer);
                end = answer.end();
                observations.push(answer.observation);
                actions.push(action);
            }
            let (expected, outcome) =
                reference.replay(&shop::TaskKey { split, scenario, seed }, &actions);
            assert_eq!(observations, expected, "{name}");
            let request = ReplayEpisodeRequest {
                task: Some(task),
                actions: actions.clone(),
                words: HashMap::new(),
            };
            let replays = [one.replay(request.clone()).await, two.replay(request).await];
            let [replay, other] = replays.map(|reply| reply.unwrap().into_inner());
            assert_eq!(replay, other);
            assert_eq!((replay.end(), &replay.catalog_digest), (end, &described.catalog_digest));
            assert_eq!(replay.kinds.len(), actions.len());
            let metrics = replay.metrics.unwrap();
            let found = [
                metrics.success,
                metrics.strict,
                metrics.loose,
                metrics.finish,
                metrics.category,
                metrics.attribute,
                metrics.option,
                metrics.price,
            ];
            let expected = [
                outcome.success,
                outcome.strict,
                outcome.loose,
                outcome.finish,
                outcome.category,
                outcome.attribute,
                outcome.option,
                outcome.price,
            ];
            assert_eq!(found, expected, "{name}");
            assert_eq!(found[3], 1.0, "the expert ends its episodes: {name}");
        }
    }
}

#[tokio::test]
async fn two_mini_servers_answer_and_score_like_a_replay() {
    let reference = Reference::Mini(Arc::new(Shop::open(Preset::Mini, 0).unwrap()));
    two_processes("mini", &reference).await;
}

#[tokio::test]
async fn two_fine_servers_answer_and_score_like_a_replay() {
    let reference = Reference::Fine(Arc::new(Mall::generate(mall::Preset::Fine, 0).unwrap()));
    two_processes("fine", &reference).await;
}

#[tokio::test]
async fn refused_requests_name_the_remedy() {
    let server = serve(&["--catalog", "mini", "--sessions", "2"]);
    let mut client = server.client().await;
    open(&mut client, "a", SIMPLE, &[]).await.unwrap();
    let first = step(&mut client, "a", 1, "搜索枕头").await.unwrap();
    assert_eq!(step(&mut client, "a", 1, "搜索枕头").await.unwrap(), first, "repeated");

    let refused = |status: Status, code, part: &str| {
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(part), "{part} in {}", status.message());
    };
    let invalid = Code::InvalidArgument;
    for (session, turn, action, code, part) in [
        ("a", 1, "搜索被子", Code::FailedPrecondition, "open the session again"),
        ("a", 4, "返回", Code::FailedPrecondition, "turn 2 of session a is next"),
        ("b", 1, "返回", Code::NotFound, "open it again with the actions"),
        ("a", 2, &"好".repeat(6000), invalid, "action: 18000 bytes; send at most 16384"),
    ] {
        refused(step(&mut client, session, turn, action).await.unwrap_err(), code, part);
    }
    let unset = TaskKey { scenario: 0, ..SIMPLE };
    let unknown = TaskKey { scenario: 9, ..SIMPLE };
    let no_split = TaskKey { split: 7, ..SIMPLE };
    let other = TaskKey { seed: 6, ..SIMPLE };
    let two = ["没有合适".to_owned(), "返回".to_owned()];
    let many = vec!["返回".to_owned(); 13];
    let long = "n".repeat(65);
    for (session, task, actions, code, part) in [
        ("", SIMPLE, &[][..], invalid, "session: \"\" is not a valid name; use 1 to 64"),
        (&long, SIMPLE, &[], invalid, "use 1 to 64"),
        ("a b", SIMPLE, &[], invalid, "session: \"a b\" is not a valid name"),
        ("c", unset, &[], invalid, "task.scenario: 0 is not one of 1..4"),
        ("c", unknown, &[], invalid, "task.scenario: 9 is not one of 1..4"),
        ("c", no_split, &[], invalid, "task.split: 7 is not one of 1, 2"),
        ("c", SIMPLE, &two, invalid, "actions[1]: comes after the end"),
        ("c", SIMPLE, &many, invalid, "actions: 13 exceed the scenario's 12 turns"),
        ("a", other, &[], Code::AlreadyExists, "plays another task; close it"),
    ] {
        refused(open(&mut client, session, task, actions).await.unwrap_err(), code, part);
    }
    open(&mut client, "c", SIMPLE, &[]).await.unwrap();
    let full = open(&mut client, "d", SIMPLE, &[]).await.unwrap_err();
    refused(full, Code::ResourceExhausted, "all 2 sessions are in use; close some");
    client.close(CloseEpisodeRequest { session: "c".into() }).await.unwrap();
    client.close(CloseEpisodeRequest { session: "c".into() }).await.unwrap();
    open(&mut client, "d", SIMPLE, &[]).await.unwrap();
    let replay =
        ReplayEpisodeRequest { task: Some(SIMPLE), actions: two.to_vec(), words: HashMap::new() };
    let after = client.replay(replay).await.unwrap_err();
    refused(after, invalid, "action 1 of 2 comes after the end of the episode");
}

/// The sleep is the lease time itself.
#[tokio::test]
async fn a_session_with_an_expired_lease_can_be_opened_again() {
    let server = serve(&["--catalog", "mini", "--lease", "1"]);
    let mut client = server.client().await;
    open(&mut client, "a", SIMPLE, &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1001)).await;
    let gone = step(&mut client, "a", 1, "搜索枕头").await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    assert!(gone.message().contains("was unused for 1 s"), "{}", gone.message());
    open(&mut client, "a", SIMPLE, &["搜索枕头".to_owned()]).await.unwrap();
}

#[tokio::test]
async fn requests_without_the_configured_token_are_refused() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let server = serve(&["--catalog", "mini", "--token-file", file.to_str().unwrap()]);
    let mut client = server.client().await;
    for (token, expected) in [
        (None, Err("no token; send metadata `authorization: Bearer TOKEN`")),
        (Some("fedcba9876543210fedcba9876543210"), Err("the token is not this server's")),
        (Some(TOKEN), Ok(())),
    ] {
        let mut request = Request::new(DescribeRequest {});
        if let Some(token) = token {
            let bearer = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", bearer);
        }
        let answer = client.describe(request).await;
        match (answer, expected) {
            (Ok(_), Ok(())) => {}
            (Err(status), Err(part)) => {
                assert_eq!(status.code(), Code::Unauthenticated);
                assert!(status.message().contains(part), "{}", status.message());
            }
            (answer, _) => panic!("{token:?}: {answer:?}"),
        }
    }
}

#[test]
fn command_line_errors_name_the_argument_and_the_remedy() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().map(|address| (busy, address.to_string())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let noise = folder.path().join("noise");
    std::fs::write(&noise, "noise").unwrap();
    let noise = noise.to_str().unwrap();
    for (arguments, code, part) in [
        (
            &["--listen", busy.1.as_str()][..],
            75,
            "the port is in use; stop the process that uses it",
        ),
        (&["--listen", "nowhere"], 75, "give --listen as host:port of this machine"),
        (&["--listen", "0.0.0.0:0"], 64, "give --token-file, or listen on 127.0.0.1"),
        (&["--catalog", "grand"], 64, "possible values: mini, fine"),
        (&["--catalog-file", noise], 64, "build it again"),
        (&["--catalog-file", noise, "--catalog", "fine"], 64, "cannot be used with"),
        (&["--sessions", "0"], 64, "0 is not in 1.."),
        (&["--lease", "0"], 64, "0 is not in 1.."),
        (&["--token-file", noise], 64, "needs at least 32 letters and digits"),
    ] {
        let mini =
            if arguments[0].starts_with("--catalog") { &[][..] } else { &["--catalog", "mini"] };
        let output = command(&[arguments, mini].concat()).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(part), "{arguments:?}: {errors}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[tokio::test]
async fn sigterm_stops_the_server_although_clients_are_connected() {
    let mut server = serve(&["--catalog", "mini"]);
    let mut client = server.client().await;
    open(&mut client, "a", SIMPLE, &[]).await.unwrap();
    // A client that never closes its connection.
    let silent = std::net::TcpStream::connect(&server.address).unwrap();
    let terminate = Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert!(terminate.success());
    let ended = tokio::task::spawn_blocking(move || {
        let mut errors = String::new();
        server.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (server.child.wait().unwrap().code(), errors)
    });
    assert_eq!(ended.await.unwrap(), (Some(0), String::new()));
    drop(silent);
    step(&mut client, "a", 1, "返回").await.unwrap_err();
}
