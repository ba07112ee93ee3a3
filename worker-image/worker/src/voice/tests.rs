//! The voice against a scripted endpoint on loopback.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use shoprl_simulator::mall::{Mall, Preset, Session};
use shoprl_simulator::{Scenario, Split, TaskKey};
use tokio::net::TcpListener;

use super::*;

static MALL: LazyLock<Arc<Mall>> =
    LazyLock::new(|| Arc::new(Mall::generate(Preset::Fine, 0).unwrap()));

/// The endpoint's next response.
#[derive(Clone, Debug)]
enum Answer {
    Says(&'static str),
    Fails(u16, &'static str),
    Raw(&'static str),
    Silence,
    /// Replies after 30 ms.
    Slow(&'static str),
}

use Answer::{Fails, Raw, Says, Silence, Slow};

/// The requests that the endpoint received.
#[derive(Default)]
struct Received {
    /// Keys and bodies.
    requests: Vec<(Option<String>, Value)>,
    in_flight: usize,
    /// Most requests in flight.
    most: usize,
}

type Log = Arc<Mutex<Received>>;

async fn endpoint(script: Vec<Answer>) -> (Uri, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap()).parse().unwrap();
    let (script, asked) = (Arc::new(Mutex::new(VecDeque::from(script))), Log::default());
    let received = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (script, received) = (script.clone(), received.clone());
            let service =
                service_fn(move |request| answer(request, script.clone(), received.clone()));
            let serve = hyper::server::conn::http1::Builder::new();
            tokio::spawn(serve.serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, asked)
}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Mutex<VecDeque<Answer>>>,
    received: Log,
) -> Result<Response<Full<Bytes>>, http::Error> {
    let key = request.headers().get("authorization").map(|it| it.to_str().unwrap().to_owned());
    assert_eq!(request.uri().path(), "/v1/chat/completions");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    {
        let mut received = received.lock().unwrap();
        received.requests.push((key, serde_json::from_slice(&body).unwrap()));
        received.in_flight += 1;
        received.most = received.most.max(received.in_flight);
    }
    let next = script.lock().unwrap().pop_front();
    let (status, body) = match next.expect("one request per scripted response") {
        Says(words) => (200, completion(words)),
        Fails(status, said) => (status, said.to_owned()),
        Raw(body) => (200, body.to_owned()),
        Silence => std::future::pending().await,
        Slow(words) => {
            sleep(Duration::from_millis(30)).await;
            (200, completion(words))
        }
    };
    received.lock().unwrap().in_flight -= 1;
    Response::builder().status(status).body(Full::from(body))
}

fn completion(words: &str) -> String {
    let message = json!({"role": "assistant", "content": words});
    json!({"choices": [{"index": 0, "message": message}]}).to_string()
}

fn options(url: Uri) -> Options {
    Options {
        url,
        model: "little".to_owned(),
        key_file: None,
        temperature: 0.7,
        seed: 7,
        attempts: 3,
        // Long enough for a busy machine where a response is scripted.
        deadline: Duration::from_secs(3),
        backoff: Duration::from_millis(1),
        concurrent: 4,
        max_tokens: 60,
    }
}

/// A question without a topic, so any attribute in the reply would be a leak.
fn cue() -> Cue {
    let key = TaskKey { split: Split::Train, scenario: Scenario::MultiTurn, seed: 1 };
    Session::start_voiced(MALL.clone(), &key).0.cue("询问您好").unwrap()
}

const PLAIN: &str = "想问哪方面？属性、品牌、规格、预算都可以问。";

async fn check(script: Vec<Answer>, expected: Result<(&str, Author), &str>) {
    let count = script.len();
    let (url, asked) = endpoint(script).await;
    let address = url.to_string();
    let said = Voice::new(options(url)).unwrap().say(&cue(), 5).await;
    match (said, expected) {
        (Ok(spoken), Ok((words, by))) => {
            assert_eq!(spoken, Spoken { words: words.to_owned(), by });
        }
        (Err(error), Err(words)) => {
            let said = error.to_string().replace(&address, "URL");
            assert_eq!(said, words);
        }
        (said, expected) => panic!("{said:?}, expected {expected:?}"),
    }
    assert_eq!(asked.lock().unwrap().requests.len(), count, "number of requests");
}

#[tokio::test]
async fn an_accepted_reply_is_used_and_a_rejected_one_is_asked_for_again() {
    let model = |unfit| Author::Model { unfit };
    check(vec![Says("您想问哪一方面呢？")], Ok(("您想问哪一方面呢？", model(0)))).await;
    check(
        vec![Says("<think>他问了什么？</think>\n“您要问什么？”")],
        Ok(("您要问什么？", model(0))),
    )
    .await;
    check(vec![Says("我只出300元"), Says("您问哪方面？")], Ok(("您问哪方面？", model(1)))).await;
    check(vec![Fails(429, "slow down"), Says("您问？")], Ok(("您问？", model(0)))).await;
    check(vec![Silence, Says("您问？")], Ok(("您问？", model(0)))).await;
    let last = "it says \"300\", which is not part of the answer".to_owned();
    check(vec![Says(""), Says(""), Says("300")], Ok((PLAIN, Author::Rules { unfit: 3, last })))
        .await;
}

#[tokio::test]
async fn an_endpoint_that_refuses_or_stays_silent_is_reported_with_a_remedy() {
    check(
        vec![Fails(401, "no such key")],
        Err("URL refuses: 401 Unauthorized, no such key; check the shopper's url, model and key file"),
    )
    .await;
    let silent = |last: &str| {
        format!(
            "URL gave no answer in 3 attempts, last failure: {last}; the turn was not played, try it again"
        )
    };
    let busy = || Fails(503, "loading");
    check(vec![busy(), busy(), busy()], Err(&silent("503 Service Unavailable, loading"))).await;
    check(vec![Silence, Silence, Silence], Err(&silent("no answer within 3s"))).await;
    let nonsense = || Raw("{}");
    check(
        vec![nonsense(), nonsense(), nonsense()],
        Err(&silent(
            "the response is not a chat completion: missing field `choices` at line 1 column 2",
        )),
    )
    .await;
}

#[tokio::test]
async fn the_key_comes_from_its_file_and_the_seed_from_the_nonce() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, "secret\n").unwrap();
    let (url, asked) = endpoint(vec![Says("您问？"); 3]).await;
    let voice = Voice::new(Options { key_file: Some(key_file), ..options(url.clone()) }).unwrap();
    for nonce in [5, 5, 6] {
        voice.say(&cue(), nonce).await.unwrap();
    }
    let asked = &asked.lock().unwrap().requests;
    assert!(asked.iter().all(|(key, _)| key.as_deref() == Some("Bearer secret")));
    let bodies: Vec<&Value> = asked.iter().map(|(_, body)| body).collect();
    assert_eq!(bodies[0], bodies[1]);
    assert_ne!(bodies[0]["seed"], bodies[2]["seed"]);
    assert_eq!((&bodies[0]["model"], &bodies[0]["max_tokens"]), (&json!("little"), &json!(60)));
    let missing = Options { key_file: Some(folder.path().join("none")), ..options(url) };
    let error = shoprl_contract::error_chain(&Voice::new(missing).err().unwrap());
    assert!(
        error.contains("none; give a readable file") && error.contains("(No such file"),
        "{error}"
    );
}

#[tokio::test]
async fn no_more_requests_are_in_flight_than_allowed() {
    let (url, endpoint) = endpoint(vec![Slow("您问？"); 6]).await;
    let two = Options { concurrent: 2, deadline: Duration::from_secs(60), ..options(url) };
    let voice = Voice::new(two).unwrap();
    let cue = cue();
    let said = futures::future::join_all((0..6).map(|nonce| voice.say(&cue, nonce))).await;
    assert!(said.iter().all(Result::is_ok), "{said:?}");
    assert_eq!(endpoint.lock().unwrap().most, 2);
}
