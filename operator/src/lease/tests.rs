//! The election against an API server of one Lease, in virtual time.

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

/// What the API server does with requests.
#[derive(Debug, Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    /// Whose requests are not answered.
    deaf_to: Option<&'static str>,
    /// The next answer is lost although what was asked for is done.
    forgetful: bool,
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
                let mut server = server.lock().expect("no panic beside it");
                if server.deaf_to == Some(who) {
                    (true, (200, Value::Null))
                } else {
                    let answer = server.answer(&method, serde_json::from_slice(&body).ok());
                    (std::mem::take(&mut server.forgetful), answer)
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
    Candidate::new(client(server, who), options).expect("fitting times")
}

async fn seconds_until(candidate: Candidate) -> (Holder, u64) {
    let begun = Instant::now();
    let holder = candidate.acquire().await;
    (holder, begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn one_holds_the_lease_and_the_next_one_has_it_at_once_when_it_is_given_back() {
    let server = Shared::default();
    let (mut first, waited) = seconds_until(candidate(&server, "first")).await;
    assert_eq!((waited, server.lock().expect("whole").holder().as_str()), (0, "first"));
    let mut second = std::pin::pin!(candidate(&server, "second").acquire());
    // As long as it is renewed nobody else gets it.
    let hour = async {
        tokio::select! {
            lost = first.hold() => panic!("{lost}"),
            _ = &mut second => panic!("two hold it"),
            () = sleep(Duration::from_secs(3600)) => {}
        }
    };
    hour.await;
    first.release().await.expect("it is ours");
    assert_eq!(server.lock().expect("whole").holder(), "");
    let begun = Instant::now();
    second.await;
    assert!(begun.elapsed() <= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(
        server.lock().expect("whole").lease.as_ref().expect("it is there")["spec"]["leaseTransitions"],
        2
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_holder_stops_before_another_begins() {
    let server = Shared::default();
    let (mut first, _) = seconds_until(candidate(&server, "first")).await;
    server.lock().expect("whole").deaf_to = Some("first");
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
async fn whoever_comes_back_late_sees_that_the_lease_is_taken() {
    let server = Shared::default();
    let (mut first, _) = seconds_until(candidate(&server, "first")).await;
    // The process was stopped for a while.
    let (_second, _) = seconds_until(candidate(&server, "second")).await;
    let lost = timeout(Duration::from_secs(3), first.hold()).await.expect("at its first attempt");
    assert!(
        matches!(&lost, Lost::Taken(holder) if holder == "second")
            || matches!(lost, Lost::Silent(_)),
        "{lost}"
    );
    first.release().await.expect("an answer");
    // What is not ours is not given back.
    assert_eq!(server.lock().expect("whole").holder(), "second");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_and_a_process_of_the_same_name_lose_no_lease() {
    let server = Shared::default();
    let (mut first, _) = seconds_until(candidate(&server, "first")).await;
    sleep(Duration::from_millis(10)).await;
    server.lock().expect("whole").forgetful = true;
    // The renewal was done, its answer lost; nothing else went wrong, but the time ran out: it stops.
    let lost = timeout(Duration::from_secs(60), first.hold()).await;
    assert!(matches!(lost, Ok(Lost::Silent(_))), "{lost:?}");
    // The container that is started again in the same pod need not wait.
    let (mut again, waited) = seconds_until(candidate(&server, "first")).await;
    assert_eq!(waited, 0);
    // Somebody wrote a label: another version, the same holder.
    {
        let mut server = server.lock().expect("whole");
        server.version += 1;
        let version = json!(server.version.to_string());
        server.lease.as_mut().expect("it is there")["metadata"]["resourceVersion"] = version;
    }
    assert!(timeout(Duration::from_secs(600), again.hold()).await.is_err(), "lost by a label");
    // Nobody waits for the answer of a renewal when the process leaves: what it made is given back all the same.
    server.lock().expect("whole").forgetful = true;
    assert!(timeout(Duration::from_secs(4), again.hold()).await.is_err());
    again.release().await.expect("an answer");
    assert_eq!(server.lock().expect("whole").holder(), "");
}

#[test]
fn times_that_do_not_fit_are_refused() {
    let server = Shared::default();
    let check = |duration, give_up, retry, fits: bool| {
        let times = [duration, give_up, retry].map(Duration::from_millis);
        let options = Options {
            duration: times[0],
            give_up: times[1],
            retry: times[2],
            ..candidate(&server, "a").options
        };
        assert_eq!(Candidate::new(client(&server, "a"), options).is_ok(), fits, "{times:?}");
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _inside = runtime.enter();
    check(15_000, 10_000, 2_000, true);
    check(3_000, 2_000, 500, true);
    check(10_000, 10_000, 2_000, false);
    check(15_000, 2_000, 2_000, false);
    check(15_000, 10_000, 0, false);
    // A Lease counts whole seconds.
    check(15_500, 10_000, 2_000, false);
}
