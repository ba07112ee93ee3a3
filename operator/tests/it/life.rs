//! A namespace with an operator of limited rights, and the life of a job in it: a foreign pod has a needed name and is
//! deleted, all pods run, the rollouts are scaled down, the trainer stops and the next one finishes, the job's TTL passes.
//! There are no nodes; the test writes the pod statuses that a kubelet would write.

use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::core::v1::{Container, Namespace, Pod, PodSpec};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use shoprl_crds::{Progress, ShopRLJob};
use shoprl_operator::metrics::{Answer, Metrics};
use shoprl_operator::rights::{Kind, Place, RIGHTS, Right, Verb};
use shoprl_operator::{AskTrainer, Operator, OperatorKey, client, lease};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::rules;
use crate::server::ApiServer;

/// Longest wait for a state, also on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The end of the test.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// The job was complete, and was deleted after its TTL.
    End,
    /// A request was forbidden.
    Forbidden(Verb, Kind),
}

pub(crate) struct World {
    pub(crate) admin: Client,
    name: String,
    config: kube::Config,
}

pub(crate) struct Running {
    pub(crate) metrics: Metrics,
    address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

/// There are no trainers.
struct NoTrainers;

impl AskTrainer for NoTrainers {
    fn ask<'a>(&'a self, _: &'a str, _: &'a str, _: &'a str) -> BoxFuture<'a, Option<Progress>> {
        Box::pin(std::future::ready(None))
    }
}

impl World {
    pub(crate) async fn make(
        server: &ApiServer,
        name: &str,
        namespaced: bool,
        missing: Option<Right>,
    ) -> Self {
        let admin = Client::try_from(server.config(None).await).expect("a client");
        let user = format!("system:serviceaccount:{name}:shoprl-operator");
        let config = server.config(Some(user.clone())).await;
        let world = Self { admin, name: name.to_owned(), config };
        let namespace = Namespace { metadata: world.metadata(name), ..Namespace::default() };
        let namespaces: Api<Namespace> = Api::all(world.admin.clone());
        namespaces.create(&PostParams::default(), &namespace).await.expect("a namespace");
        world.grant_here("lease", rules(Place::Own, missing)).await;
        let mut everywhere = rules(Place::Cluster, missing);
        if namespaced {
            world.grant_here("jobs", rules(Place::Jobs, missing)).await;
        } else {
            everywhere.extend(rules(Place::Jobs, missing));
        }
        world.grant(everywhere).await;
        world.wait_until_granted(&user, missing).await;
        world
    }

    /// The API server watches roles and bindings, so it grants new ones with a delay.
    async fn wait_until_granted(&self, user: &str, missing: Option<Right>) {
        let reviews: Api<SubjectAccessReview> = Api::all(self.admin.clone());
        let end = Instant::now() + TIMEOUT;
        for place in [Place::Own, Place::Jobs, Place::Cluster] {
            let is_granted = |right: &&Right| right.place == place && Some(**right) != missing;
            let Some(right) = RIGHTS.iter().find(is_granted) else { continue };
            let review = json!({"spec": {"user": user, "resourceAttributes": {
                "namespace": self.name, "verb": right.verb.name(), "group": right.kind.group(),
                "resource": right.kind.name(), "name": "shoprl-operator",
            }}});
            let review = serde_json::from_value(review).expect("a review");
            let allows = async || {
                let answer = reviews.create(&PostParams::default(), &review).await;
                answer.expect("an answer").status.is_some_and(|status| status.allowed)
            };
            while !allows().await {
                assert!(Instant::now() < end, "{}: {right:?} is not granted", self.name);
                sleep(Duration::from_millis(20)).await;
            }
        }
    }

    fn metadata(&self, name: &str) -> ObjectMeta {
        ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
    }

    fn subjects(&self) -> Option<Vec<Subject>> {
        Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: "shoprl-operator".to_owned(),
            namespace: Some(self.name.clone()),
            api_group: None,
        }])
    }

    async fn grant_here(&self, name: &str, rules: Vec<PolicyRule>) {
        let role = Role { metadata: self.metadata(name), rules: Some(rules) };
        let roles: Api<Role> = Api::namespaced(self.admin.clone(), &self.name);
        roles.create(&PostParams::default(), &role).await.expect("a role");
        let binding = RoleBinding {
            metadata: self.metadata(name),
            role_ref: role_ref("Role", name),
            subjects: self.subjects(),
        };
        let bindings: Api<RoleBinding> = Api::namespaced(self.admin.clone(), &self.name);
        bindings.create(&PostParams::default(), &binding).await.expect("a binding");
    }

    async fn grant(&self, rules: Vec<PolicyRule>) {
        let metadata = self.metadata(&self.name);
        let role = ClusterRole { metadata, rules: Some(rules), aggregation_rule: None };
        let roles: Api<ClusterRole> = Api::all(self.admin.clone());
        roles.create(&PostParams::default(), &role).await.expect("a role");
        let binding = ClusterRoleBinding {
            metadata: self.metadata(&self.name),
            role_ref: role_ref("ClusterRole", &self.name),
            subjects: self.subjects(),
        };
        let bindings: Api<ClusterRoleBinding> = Api::all(self.admin.clone());
        bindings.create(&PostParams::default(), &binding).await.expect("a binding");
    }

    pub(crate) async fn start(&self, namespaced: bool, watch_nodes: bool) -> Running {
        let metrics = Metrics::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let operator = Operator {
            client: client(&self.config, metrics.clone()).expect("a client"),
            namespace: namespaced.then(|| self.name.clone()),
            worker_image: format!("registry.example/shoprl@sha256:{}", "0".repeat(64)),
            key: OperatorKey::new(vec![7; 32]).expect("32 bytes"),
            own: None,
            watch_nodes,
            election: lease::Options {
                namespace: self.name.clone(),
                name: "shoprl-operator".to_owned(),
                identity: "tested".to_owned(),
                duration: Duration::from_secs(60),
                give_up: Duration::from_secs(50),
                retry: Duration::from_millis(500),
            },
            listener,
            metrics: metrics.clone(),
            trainers: Box::new(NoTrainers),
        };
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(operator.run(async move {
            let _ = stopped.await;
        }));
        Running { metrics, address, stop, task }
    }

    /// Runs the job until `reach`. `Err` describes the state if it does not get there.
    pub(crate) async fn live_until(&self, running: &Running, reach: Reach) -> Result<(), String> {
        let pods: Api<Pod> = Api::namespaced(self.admin.clone(), &self.name);
        let jobs: Api<ShopRLJob> = Api::namespaced(self.admin.clone(), &self.name);
        let taken = "smoke-rollout-0-1";
        pods.create(&PostParams::default(), &foreign_pod(taken)).await.expect("a pod");
        jobs.create(&PostParams::default(), &smoke()).await.expect("the job is accepted");
        let end = Instant::now() + TIMEOUT;
        loop {
            sleep(Duration::from_millis(100)).await;
            let job = jobs.get_opt("smoke").await.expect("an answer");
            let gone = job.is_none();
            let job = job.unwrap_or_else(smoke);
            let all = pods.list(&ListParams::default()).await.expect("pods").items;
            let status = job.status.unwrap_or_default();
            let is = |kind: &str| {
                status.conditions.iter().any(|it| it.type_ == kind && it.status == "True")
            };
            let reached = match reach {
                Reach::End => gone,
                Reach::Forbidden(verb, kind) => {
                    running.metrics.requests(verb, kind, Answer::Forbidden) > 0
                }
            };
            if reached {
                return Ok(());
            }
            if Instant::now() > end {
                let names: Vec<String> = all.iter().map(ResourceExt::name_any).collect();
                return Err(format!(
                    "pods {names:?}, status {status:?}\n{}",
                    running.metrics.text()
                ));
            }
            // The operator has read the pod to find its owner.
            if running.metrics.requests(Verb::Get, Kind::Pods, Answer::Ok) > 0
                && all.iter().any(|pod| pod.name_any() == taken && !is_ours(pod))
            {
                let _ = pods.delete(taken, &DeleteParams::default()).await;
            }
            let done = |verb, kind| running.metrics.requests(verb, kind, Answer::Ok) > 0;
            // Fewer rollouts change the PodDisruptionBudget.
            if job.spec.roles.rollout.replicas == 3 && is("RolesReady") {
                let fewer = json!({"spec": {"roles": {"rollout": {"replicas": 2}}}});
                let patch = Patch::Merge(&fewer);
                jobs.patch("smoke", &PatchParams::default(), &patch).await.expect("fewer");
            }
            let end_now = done(Verb::Update, Kind::Budgets)
                && done(Verb::Update, Kind::Policies)
                && is("RolesReady");
            for pod in all.iter().filter(|pod| is_ours(pod)) {
                let phase = pod.status.as_ref().and_then(|status| status.phase.clone());
                if matches!(phase.as_deref(), Some("Succeeded" | "Failed")) {
                    continue;
                }
                let next = match pod.name_any().as_str() {
                    "smoke-trainer-0-1" if end_now => ended(143, "Failed"),
                    "smoke-trainer-0-2" if end_now => ended(0, "Succeeded"),
                    _ => ready(),
                };
                if phase.as_deref() != next["status"]["phase"].as_str() {
                    let patch = Patch::Merge(&next);
                    let _ =
                        pods.patch_status(&pod.name_any(), &PatchParams::default(), &patch).await;
                }
            }
        }
    }
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef {
        api_group: "rbac.authorization.k8s.io".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
    }
}

fn smoke() -> ShopRLJob {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/smoke.yaml");
    let text = std::fs::read_to_string(path).expect("the example is there");
    let mut job: ShopRLJob = serde_yaml::from_str(&text).expect("a job");
    job.spec.roles.rollout.replicas = 3;
    job.spec.ttl_seconds_after_finished = Some(1);
    job
}

fn is_ours(pod: &Pod) -> bool {
    pod.labels().contains_key("shoprl.dev/job")
}

/// A pod without an owner.
fn foreign_pod(name: &str) -> Pod {
    let container = Container {
        name: "foreign".to_owned(),
        image: Some("foreign".to_owned()),
        ..Container::default()
    };
    Pod {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        spec: Some(PodSpec { containers: vec![container], ..PodSpec::default() }),
        status: None,
    }
}

fn ready() -> Value {
    json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn ended(exit_code: i32, phase: &str) -> Value {
    json!({"status": {"phase": phase, "containerStatuses": [{
        "name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": exit_code, "reason": "Completed"}},
    }]}})
}

impl Running {
    /// The answer of an HTTP endpoint.
    pub(crate) async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nhost: operator\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        answer
    }

    /// Stops the operator, which must end soon and without an error.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        let ended = timeout(Duration::from_secs(15), self.task).await.expect("it ends");
        ended.expect("no panic").expect("no error");
    }
}
