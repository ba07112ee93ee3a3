//! Several operators as processes: which one leads, and how they exit.

use std::process::ExitStatus;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::server::ApiServer;

/// Default of --lease-duration.
const LEASE_DURATION: Duration = Duration::from_secs(15);

struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    async fn start(server: &ApiServer, name: &'static str) -> Self {
        let key = server.folder().join("key");
        std::fs::write(&key, [7; 32]).expect("a file");
        // A free port: the listener is dropped before the operator starts.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        drop(listener);
        let child = Command::new(env!("CARGO_BIN_EXE_shoprl-operator"))
            .args(["--worker-image", IMAGE, "--listen", &address])
            .args(["--identity", name, "--lease-retry", "1", "--key-file"])
            .arg(key)
            .env("KUBECONFIG", server.kubeconfig())
            .env("RUST_LOG", "warn")
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        Self { child, name }
    }

    async fn terminate(&mut self) -> ExitStatus {
        let id = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args(["-s", "TERM", &id]).status().await;
        assert!(status.expect("kill runs").success());
        self.wait(Duration::from_secs(25)).await
    }

    async fn wait(&mut self, patience: Duration) -> ExitStatus {
        let end = timeout(patience, self.child.wait()).await;
        end.unwrap_or_else(|_| panic!("{} is still running", self.name)).expect("its status")
    }
}

async fn holder(leases: &Api<Lease>) -> String {
    let lease = leases.get_opt("shoprl-operator").await.expect("an answer");
    lease.and_then(|lease| lease.spec?.holder_identity).unwrap_or_default()
}

async fn time_until_leader(leases: &Api<Lease>, name: &str) -> Duration {
    let started = Instant::now();
    while holder(leases).await != name {
        assert!(started.elapsed() < Duration::from_secs(60), "{name} never leads");
        sleep(Duration::from_millis(50)).await;
    }
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_operator_leads_another_takes_over_and_a_lost_lease_ends_it() {
    let server = ApiServer::start().await;
    let client = Client::try_from(server.config(None).await).expect("a client");
    let leases: Api<Lease> = Api::namespaced(client, "default");
    let mut first = Process::start(&server, "first").await;
    time_until_leader(&leases, "first").await;
    let mut second = Process::start(&server, "second").await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(holder(&leases).await, "first");

    // A terminated leader releases the lease: the next one does not wait for its duration.
    assert_eq!(first.terminate().await.code(), Some(0));
    let waited = time_until_leader(&leases, "second").await;
    assert!(waited < LEASE_DURATION / 2, "{waited:?}");

    // A killed leader does not: the next one waits.
    let mut third = Process::start(&server, "third").await;
    second.child.start_kill().expect("it runs");
    second.wait(LEASE_DURATION).await;
    let waited = time_until_leader(&leases, "third").await;
    assert!(waited > LEASE_DURATION / 2, "{waited:?}");

    // A leader that loses the lease exits with an error.
    let stolen = json!({"spec": {"holderIdentity": "thief"}});
    let patch = Patch::Merge(&stolen);
    leases.patch("shoprl-operator", &PatchParams::default(), &patch).await.expect("patched");
    assert_eq!(third.wait(Duration::from_secs(12)).await.code(), Some(1));
    // A standby exits as soon as it is terminated.
    let mut fourth = Process::start(&server, "fourth").await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(fourth.terminate().await.code(), Some(0));
    assert_eq!(holder(&leases).await, "thief");
}

#[tokio::test]
async fn a_bad_command_line_exits_with_64_and_says_what_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.to_string_lossy().into_owned()
    };
    let kubeconfig = file("kubeconfig", KUBECONFIG.as_bytes());
    let (key, short) = (file("key", &[7; 32]), file("short", &[7; 31]));
    let check = async |arguments: &[&str], text: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_shoprl-operator"))
            .args(arguments)
            .env("KUBECONFIG", &kubeconfig)
            .output()
            .await
            .expect("it starts");
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {log}");
        assert!(log.contains(text), "{arguments:?}: {log}");
    };
    let with = ["--worker-image", IMAGE, "--key-file"];
    check(&with[..2], "--key-file").await;
    check(&[&with[..], &["/nowhere"]].concat(), "give --key-file a readable file").await;
    check(&[&with[..], &[&short]].concat(), "write at least 32 random ones").await;
    let listen = [&with[..], &[&key, "--listen", "300.0.0.1:1"]].concat();
    let tag = ["--worker-image", "a:latest", "--key-file", &key];
    check(&tag, "name the image by digest").await;
    check(&listen, "--listen 300.0.0.1:1: give a free address").await;
    let lease = [&with[..], &[&key, "--lease-duration", "10"]].concat();
    check(&lease, "must be shorter than --lease-give-up").await;
}

const IMAGE: &str = "registry.example/shoprl@sha256:0000000000000000000000000000000000000000000000000000000000000000";
const KUBECONFIG: &str = "{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: a, user: {token: a}}]}";
