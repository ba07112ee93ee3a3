//! `shoprl environment` with a language model for the shopper's wording: here a scripted one on loopback.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use shoprl_contract::v1::environment_client::EnvironmentClient;
use shoprl_contract::v1::{
    DescribeRequest, OpenEpisodeRequest, ReplayEpisodeRequest, Scenario, Split, StepEpisodeRequest,
    TaskKey,
};
use tonic::Code;
use tonic::transport::Channel;

/// A model that answers with the intended content after one word of its own.
fn model() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(|| answer(stream.unwrap()));
        }
    });
    url
}

/// Answers the requests of one connection.
fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        if length == 0 {
            return;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let last = asked["messages"].as_array().unwrap().last().unwrap();
        let (_, meant) = last["content"].as_str().unwrap().rsplit_once("）：").unwrap();
        let words = ["嗯，", meant].concat();
        let said = json!({"choices": [{"message": {"role": "assistant", "content": words}}]});
        let said = said.to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        write!(stream, "{head} {}\r\n\r\n{said}", said.len()).unwrap();
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn serve(arguments: &[&str]) -> (Server, EnvironmentClient<Channel>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoprl"));
    command.args(["environment", "--listen", "127.0.0.1:0", "--threads", "1"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("listening on ").unwrap().split(',').next().unwrap();
    let client = EnvironmentClient::connect(format!("http://{address}")).await.unwrap();
    (Server(child), client)
}

const TASK: TaskKey =
    TaskKey { split: Split::Train as i32, scenario: Scenario::MultiTurn as i32, seed: 5 };

fn opening(actions: &[String], words: &HashMap<u32, String>) -> OpenEpisodeRequest {
    OpenEpisodeRequest {
        session: "s".to_owned(),
        task: Some(TASK),
        actions: actions.to_vec(),
        words: words.clone(),
    }
}

#[tokio::test]
async fn the_recorded_words_of_a_model_reproduce_the_episode() {
    let url = model();
    let voiced = ["--shopper-url", &url, "--shopper-model", "little"];
    let (_one, mut one) = serve(&voiced).await;
    let described = one.describe(DescribeRequest {}).await.unwrap().into_inner();
    assert_eq!(described.shopper, "little");
    one.open(opening(&[], &HashMap::new())).await.unwrap();
    let actions = ["询问您的预算大概多少？", "搜索台灯", "询问属性", "没有合适"].map(str::to_owned);
    let (mut words, mut observations) = (HashMap::new(), Vec::new());
    for (index, action) in (0..).zip(&actions) {
        let step = || StepEpisodeRequest {
            session: "s".to_owned(),
            turn: index + 1,
            action: action.clone(),
        };
        let reply = one.step(step()).await.unwrap().into_inner();
        let again = one.step(step()).await.unwrap().into_inner();
        assert_eq!(again, reply, "a repeated step");
        if let Some(said) = reply.words {
            assert!(reply.observation.starts_with(&["顾客 ", &said].concat()), "{said}");
            assert!(said.starts_with("嗯，"), "{said}");
            words.insert(index, said);
        }
        observations.push(reply.observation);
    }
    let mut places: Vec<u32> = words.keys().copied().collect();
    places.sort_unstable();
    assert_eq!(places, [0, 2], "{words:?}");
    // Another server continues after the recorded words, and a server without a model scores them.
    let (_two, mut two) = serve(&voiced).await;
    let reopened = two.open(opening(&actions[..3], &words)).await.unwrap().into_inner();
    assert_eq!(reopened.observation, observations[2]);
    let (_ruled, mut ruled) = serve(&[]).await;
    let replay = |words: &HashMap<u32, String>| ReplayEpisodeRequest {
        task: Some(TASK),
        actions: actions.to_vec(),
        words: words.clone(),
    };
    let score = ruled.replay(replay(&words)).await.unwrap().into_inner();
    assert_eq!(score.metrics.unwrap().finish, 1.0);
    let changed = HashMap::from([(0, "三百元".to_owned())]);
    let refused = ruled.replay(replay(&changed)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("words recorded for action 0 cannot be"), "{refused}");
    let refused = ruled.open(opening(&actions[..3], &words)).await.unwrap_err();
    assert!(refused.message().contains("words[0]"), "{refused}");
}

#[tokio::test]
async fn a_model_that_does_not_answer_uses_no_turn() {
    // A port without a listener.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/v1");
    let (_server, mut client) = serve(&["--shopper-url", &url, "--shopper-model", "none"]).await;
    client.open(opening(&[], &HashMap::new())).await.unwrap();
    let step = |action: &str| StepEpisodeRequest {
        session: "s".to_owned(),
        turn: 1,
        action: action.to_owned(),
    };
    let refused = client.step(step("询问预算")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("the turn was not played, try it again"), "{refused}");
    let reply = client.step(step("搜索台灯")).await.unwrap().into_inner();
    assert!(reply.observation.starts_with("结果") && reply.words.is_none());
}

#[test]
fn invalid_arguments_are_refused_before_serving() {
    let check = |arguments: &[&str], expected: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shoprl"));
        let command = command.args(["environment", "--listen", "127.0.0.1:0"]).args(arguments);
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{errors}");
        assert!(errors.contains(expected), "{errors}");
    };
    let url = ["--shopper-url", "http://127.0.0.1:1/v1"];
    check(&url, "--shopper-model");
    let model = ["--shopper-model", "m"];
    check(
        &[&url[..], &model, &["--catalog", "mini"]].concat(),
        "omit the option, or choose --catalog fine",
    );
    check(
        &[&url[..], &model, &["--shopper-temperature", "3"]].concat(),
        "write a number from 0 to 2",
    );
    let key = ["--shopper-key-file", "/nowhere/key"];
    check(&[&url[..], &model, &key].concat(), "key file /nowhere/key;");
}
