//! Load on a running `shoprl environment` of a large shop: whole episodes in many concurrent sessions.
//!
//! `cargo run --release -p shoprl-worker --example environment_load -- ADDRESS [SESSIONS [SECONDS [expert|random]]]`
//! prints a table row. With `hold` as the last argument it opens SESSIONS sessions, each with a listing and an open product, and
//! leaves them open.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use shoprl_contract::v1::environment_client::EnvironmentClient;
use shoprl_contract::v1::{
    CloseEpisodeRequest, EndReason, OpenEpisodeRequest, StepEpisodeRequest, TaskKey,
};
use shoprl_simulator::mall::agent;
use tonic::transport::{Channel, Endpoint};

type Client = EnvironmentClient<Channel>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sessions per connection.
const SHARING: u64 = 8;

/// Measurements of one session: step times in nanoseconds, and the number of episodes.
#[derive(Default)]
struct Measured {
    steps: Vec<u64>,
    episodes: usize,
}

/// Two threads, as many as on the measured server.
#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let address = arguments.first().ok_or("give the server's address")?;
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let (sessions, seconds): (u64, u64) = (number(1, 32)?, number(2, 5)?);
    let agent = arguments.get(3).map_or("expert", String::as_str);
    if !["expert", "random", "hold"].contains(&agent) {
        return Err(format!("{agent}: write expert, random or hold").into());
    }
    let mut channels = Vec::new();
    for _ in 0..sessions.div_ceil(SHARING).min(64) {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
        channels.push(endpoint.connect().await?);
    }
    let start = Instant::now();
    let length = Duration::from_secs(seconds);
    let expert = agent == "expert";
    let players: Vec<_> = (0..sessions)
        .map(|number| {
            let channel = channels[number as usize % channels.len()].clone();
            let client = EnvironmentClient::new(channel);
            if agent == "hold" {
                tokio::spawn(hold(client, number))
            } else {
                tokio::spawn(play(client, expert, number, sessions, length))
            }
        })
        .collect();
    let mut measured = Measured::default();
    for player in players {
        let one = player.await??;
        measured.steps.extend(one.steps);
        measured.episodes += one.episodes;
    }
    if agent == "hold" {
        println!("{sessions} sessions are open");
    } else {
        report(agent, sessions, measured, start.elapsed());
    }
    Ok(())
}

fn report(agent: &str, sessions: u64, mut measured: Measured, elapsed: Duration) {
    measured.steps.sort_unstable();
    let at = |share: usize| {
        measured
            .steps
            .get(measured.steps.len() * share / 100)
            .map_or(0.0, |nanos| *nanos as f64 / 1e6)
    };
    let rate = |count: usize| count as f64 / elapsed.as_secs_f64();
    println!(
        "| {agent} | {sessions} | {:.0} | {:.0} | {:.2} | {:.2} |",
        rate(measured.episodes),
        rate(measured.steps.len()),
        at(50),
        at(99)
    );
}

fn opening(session: &str, seed: u64) -> OpenEpisodeRequest {
    // Scenarios are numbered from 1.
    let task = TaskKey { split: 1, scenario: (seed % 4) as i32 + 1, seed };
    OpenEpisodeRequest {
        session: session.to_owned(),
        task: Some(task),
        actions: Vec::new(),
        words: HashMap::new(),
    }
}

/// Plays episodes of all scenarios in turn until the time is over.
async fn play(
    mut client: Client,
    expert: bool,
    first: u64,
    stride: u64,
    length: Duration,
) -> Result<Measured, Failure> {
    let (mut measured, begin) = (Measured::default(), Instant::now());
    let mut seed = first;
    while begin.elapsed() < length {
        let session = format!("load-{seed}");
        let mut observation = client.open(opening(&session, seed)).await?.into_inner().observation;
        let mut actor = if expert { agent::expert() } else { agent::random(seed) };
        for turn in 1.. {
            let action = actor.act(&observation);
            let request = StepEpisodeRequest { session: session.clone(), turn, action };
            let start = Instant::now();
            let reply = client.step(request).await?.into_inner();
            measured.steps.push(start.elapsed().as_nanos() as u64);
            if reply.end() != EndReason::Unspecified {
                break;
            }
            observation = reply.observation;
        }
        client.close(CloseEpisodeRequest { session }).await?;
        measured.episodes += 1;
        seed += stride;
    }
    Ok(measured)
}

/// Opens a session and leaves it open.
async fn hold(mut client: Client, seed: u64) -> Result<Measured, Failure> {
    let session = format!("held-{seed}");
    client.open(opening(&session, seed)).await?;
    for (turn, action) in [(1, "搜索乳胶枕"), (2, "打开#1")] {
        let (session, action) = (session.clone(), action.to_owned());
        client.step(StepEpisodeRequest { session, turn, action }).await?;
    }
    Ok(Measured::default())
}
