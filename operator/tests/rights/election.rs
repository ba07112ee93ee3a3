//! Two operators, as processes: who leads, and how they end.

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

/// How long the others wait for a silent holder.
const DURATION: Duration = Duration::from_secs(15);

struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    async fn start(server: &ApiServer, name: &'static str) -> Self {
        let key = server.folder().join("key");
        std::fs::write(&key, [7; 32]).expect("a file");
        // Free a moment ago.
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
        let id = self.child.id().expect("it lives").to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &id]).status().await;
        assert!(sent.expect("kill runs").success());
        self.end(Duration::from_secs(25)).await
    }

    async fn end(&mut self, patience: Duration) -> ExitStatus {
        let end = timeout(patience, self.child.wait()).await;
        end.unwrap_or_else(|_| panic!("{} still lives", self.name)).expect("its status")
    }
}

async fn holder(leases: &Api<Lease>) -> String {
    let lease = leases.get_opt("shoprl-operator").await.expect("an answer");
    lease.and_then(|lease| lease.spec?.holder_identity).unwrap_or_default()
}

async fn leads(leases: &Api<Lease>, name: &str) -> Duration {
    let begun = Instant::now();
    while holder(leases).await != name {
        assert!(begun.elapsed() < Duration::from_secs(60), "{name} never leads");
        sleep(Duration::from_millis(50)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_leads_the_other_takes_over_and_who_loses_the_lease_ends() {
    let server = ApiServer::start().await;
    let client = Client::try_from(server.config(None).await).expect("a client");
    let leases: Api<Lease> = Api::namespaced(client, "default");
    let mut first = Process::start(&server, "first").await;
    leads(&leases, "first").await;
    let mut second = Process::start(&server, "second").await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(holder(&leases).await, "first");

    // Asked to leave, it gives the lease back: nobody waits for its duration.
    assert_eq!(first.terminate().await.code(), Some(0));
    let waited = leads(&leases, "second").await;
    assert!(waited < DURATION / 2, "{waited:?}");

    // Killed, it is waited for.
    let mut third = Process::start(&server, "third").await;
    second.child.start_kill().expect("it lives");
    second.end(DURATION).await;
    let waited = leads(&leases, "third").await;
    assert!(waited > DURATION / 2, "{waited:?}");

    // Somebody else has it: whoever had it ends, and not as if all were well.
    let stolen = json!({"spec": {"holderIdentity": "thief"}});
    let patch = Patch::Merge(&stolen);
    leases.patch("shoprl-operator", &PatchParams::default(), &patch).await.expect("patched");
    assert_eq!(third.end(Duration::from_secs(12)).await.code(), Some(1));
    // One that stands by leaves at once when it is asked to.
    let mut fourth = Process::start(&server, "fourth").await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(fourth.terminate().await.code(), Some(0));
    assert_eq!(holder(&leases).await, "thief");
}

#[tokio::test]
async fn what_can_never_work_is_said_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.to_string_lossy().into_owned()
    };
    let kubeconfig = file("kubeconfig", KUBECONFIG.as_bytes());
    let (key, short) = (file("key", &[7; 32]), file("short", &[7; 31]));
    let check = async |arguments: &[&str], words: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_shoprl-operator"))
            .args(arguments)
            .env("KUBECONFIG", &kubeconfig)
            .output()
            .await
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
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
