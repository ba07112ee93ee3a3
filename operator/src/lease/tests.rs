//! The election against a model of an API server with one Lease, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tower::service_fn;

use super::{Candidate, Holder, Lost, Options};

/// The API server.
#[derive(Debug, Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    /// The process whose requests are dropped.
    drops: Option<&'static str>,
    /// The next request is executed, but its answer is lost.
    loses_answer: bool,
}

type Shared = Arc<Mutex<Server>>;

impl Server {
    fn answer(&mut self, method: &str, body: Option<Value>) -> (u16, Value) {
        let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
        match (method, self.lease.as_ref(), body) {
            ("GET", Some(lease), _) => (200, lease.clone()),
            ("GET" | "PUT", None, _) => (404, status("NotFound", 404)),
            ("POST", Some(_), _) => (409, status("AlreadyExists", 409)),
            ("PUT", Some(known), Some(new)) if version(known) != version(&new) => {
                (409, status("Conflict", 409))
            }
            ("POST" | "PUT", _, Some(mut new)) => {
                self.version += 1;
                new["metadata"]["resourceVersion"] = json!(self.version.to_string());
                self.lease = Some(new.clone());
                (200, new)
            }
            _ => (405, status("MethodNotAllowed", 405)),
        }
    }

    fn holder(&self) -> String {
        self.lease.as_ref().map_or(String::new(), |lease| {
            lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
        })
    }
}

fn status(reason: &str, code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason, "code": code})
}

fn client(server: &Shared, who: &'static str) -> Client {
    let server = Arc::clone(server);
    let service = service_fn(move |request: Request<Body>| {
        let server = Arc::clone(&server);
        async move {
            let method = request.method().as_str().to_owned();
            let body = request.into_body().collect().await.expect("a whole body").to_bytes();
            let (lost, (code, answer)) = {
                let mut server = server.lock().expect("no thread panicked");
                if server.drops == Some(who) {
                    (true, (200, Value::Null))
                } else {
                    let answer = server.answer(&method, serde_json::from_slice(&body).ok());
                    (std::mem::take(&mut server.loses_answer), answer)
                }
            };
            if lost {
                sleep(Duration::from_secs(3600)).await;
            }
            let code = StatusCode::from_u16(code).expect("a status");
            let response = Response::builder().status(code);
            Ok::<_, std::convert::Infallible>(
                response.body(Body::from(answer.to_string().into_bytes())).expect("a response"),
            )
        }
    });
    Client::new(service, "default")
}

fn candidate(server: &Shared, who: &'static str) -> Candidate {
    let seconds = Duration::from_secs;
    let options = Options {
        namespace: "default".to_owned(),
        name: "operator".to_owned(),
        identity: who.to_owned(),
        duration: seconds(15),
        give_up: seconds(10),
        retry: seconds(2),
    };
    Candidate::new(client(server, who), options).expect("consistent times")
}

async fn seconds_until(candidate: Candidate) -> (Holder, u64) {
    let begun = Instant::now();
    let holder = candidate.acquire().await;
    (holder, begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn one_holds_the_lease_and_the_next_acquires_it_after_a_release() {
    let server = Shared::default();
    let (mut first, waited) = seconds_until(candidate(&server, "first")).await;
    assert_eq!(
        (waited, server.lock().expect("no thread panicked").holder().as_str()),
        (0, "first")
    );
    let mut second = std::pin::pin!(candidate(&server, "second").acquire());
    // While it is renewed, no other candidate acquires it.
    let hour = async {
        tokio::select! {
            lost = first.hold() => panic!("{lost}"),
            _ = &mut second => panic!("two hold it"),
            () = sleep(Duration::from_secs(3600)) => {}
        }
    };
    hour.await;
    first.release().await.expect("the first holds it");
    assert_eq!(server.lock().expect("no thread panicked").holder(), "");
    let begun = Instant::now();
    second.await;
    assert!(begun.elapsed() <= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(
        server.lock().expect("no thread panicked").lease.as_ref().expect("a lease")["spec"]["leaseTransitions"],
        2
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_holder_stops_before_another_begins() {
    let server = Shared::default();
    let (mut first, _) = seconds_until(candidate(&server, "first")).await;
    server.lock().expect("no thread panicked").drops = Some("first");
    let begun = Instant::now();
    let (lost, (_, taken)) = tokio::join!(
        async {
            let lost = first.hold().await;
            (lost, begun.elapsed().as_secs())
        },
        seconds_until(candidate(&server, "second")),
    );
    assert!(matches!(lost.0, Lost::Silent(_)), "{}", lost.0);
    assert!(lost.1 <= 10, "stopped after {} s", lost.1);
    assert!((15..=17).contains(&taken), "taken after {taken} s");
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_was_paused_too_long_finds_the_lease_taken() {
    let server = Shared::default();
    let (mut first, _) = seconds_until(candidate(&server, "first")).await;
    // The first process does not run for a while.
    let (_second, _) = seconds_until(candidate(&server, "second")).await;
    let lost =
        timeout(Duration::from_secs(3), first.hold()).await.expect("lost at the first renewal");
    assert!(
        matches!(&lost, Lost::Taken(holder) if holder == "second")
            || matches!(lost, Lost::Silent(_)),
        "{lost}"
    );
    first.release().await.expect("an answer");
    // A process releases only its own lease.
    assert_eq!(server.lock().expect("no thread panicked").holder(), "second");
}

#[tokio::test(start_paused = true)]
async fn lost_answers_labels_and_container_restarts_do_not_lose_the_lease() {
    let server = Shared::default();
    let (mut first, _) = seconds_until(candidate(&server, "first")).await;
    sleep(Duration::from_millis(10)).await;
    server.lock().expect("no thread panicked").loses_answer = true;
    // The renewal is stored but its answer is lost. The request waits until the time is up, so the holder stops.
    let lost = timeout(Duration::from_secs(60), first.hold()).await;
    assert!(matches!(lost, Ok(Lost::Silent(_))), "{lost:?}");
    // A container that restarts in the same pod need not wait.
    let (mut again, waited) = seconds_until(candidate(&server, "first")).await;
    assert_eq!(waited, 0);
    // Another client writes a label: a new version, the same holder.
    {
        let mut server = server.lock().expect("no thread panicked");
        server.version += 1;
        let version = json!(server.version.to_string());
        server.lease.as_mut().expect("a lease")["metadata"]["resourceVersion"] = version;
    }
    assert!(timeout(Duration::from_secs(600), again.hold()).await.is_err(), "lost by a label");
    // The answer of a renewal is not awaited at shutdown. The lease is released all the same.
    server.lock().expect("no thread panicked").loses_answer = true;
    assert!(timeout(Duration::from_secs(4), again.hold()).await.is_err());
    again.release().await.expect("an answer");
    assert_eq!(server.lock().expect("no thread panicked").holder(), "");
}

#[test]
fn inconsistent_times_are_refused() {
    let server = Shared::default();
    let check = |duration, give_up, retry, consistent: bool| {
        let times = [duration, give_up, retry].map(Duration::from_millis);
        let options = Options {
            duration: times[0],
            give_up: times[1],
            retry: times[2],
            ..candidate(&server, "a").options
        };
        assert_eq!(Candidate::new(client(&server, "a"), options).is_ok(), consistent, "{times:?}");
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _inside = runtime.enter();
    check(15_000, 10_000, 2_000, true);
    check(3_000, 2_000, 500, true);
    check(10_000, 10_000, 2_000, false);
    check(15_000, 2_000, 2_000, false);
    check(15_000, 10_000, 0, false);
    // The field of a Lease holds whole seconds.
    check(15_500, 10_000, 2_000, false);
}
