//! The jobs of the load tests, and the objects that the operator creates for one.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{
    ConfigMap, Namespace, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service,
    ServiceAccount,
};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use shoprl_crds::{ShopRLJob, ShopRLJobSpec};
use shoprl_plan::cluster::{Effect, JobFacts, Observed, plan};
use shoprl_plan::validate;
use tokio::time::{Instant, sleep};

/// The image of all pods. It is never pulled.
const IMAGE: &str =
    "localhost/shoprl@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The claim that all jobs of a namespace share.
const CLAIM: &str = "store";
/// Timeout for the namespace's claim and account.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A job of eight pods: a trainer, two simulators, a reward worker, four rollouts. All jobs of a namespace share an existing
/// claim, because the cluster has no volume provisioner.
///
/// # Errors
/// When the manifest no longer fits the CRD.
pub(super) fn job(namespace: &str, name: &str) -> anyhow::Result<ShopRLJob> {
    let spec: ShopRLJobSpec = serde_json::from_value(json!({
        "checkpoint": {"store": {"existingClaim": {"name": CLAIM}}},
        "roles": {"simulator": {"replicas": 2}, "reward": {"replicas": 1}, "rollout": {"replicas": 4}},
    }))?;
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        ..ObjectMeta::default()
    };
    Ok(ShopRLJob { metadata, spec, status: None })
}

/// Creates a namespace with a bound claim and a service account.
///
/// # Errors
/// When the API server refuses a request, or its controllers do not bind the claim in time.
pub(super) async fn open(client: &Client, namespace: &str) -> anyhow::Result<()> {
    let spaces: Api<Namespace> = Api::all(client.clone());
    let space: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))?;
    spaces.create(&PostParams::default(), &space).await.context("creating a namespace")?;
    let size = json!({"storage": "1Gi"});
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    let volume = serde_json::from_value(json!({
        "metadata": {"name": namespace},
        "spec": {
            "accessModes": ["ReadWriteMany"], "capacity": size, "storageClassName": "",
            "claimRef": {"namespace": namespace, "name": CLAIM}, "hostPath": {"path": "/nowhere"},
        },
    }))?;
    volumes.create(&PostParams::default(), &volume).await.context("creating a volume")?;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
    let claim = serde_json::from_value(json!({
        "metadata": {"name": CLAIM},
        "spec": {
            "accessModes": ["ReadWriteMany"], "resources": {"requests": size},
            "storageClassName": "", "volumeName": namespace,
        },
    }))?;
    claims.create(&PostParams::default(), &claim).await.context("creating a claim")?;
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let end = Instant::now() + TIMEOUT;
    loop {
        let claim = claims.get(CLAIM).await.context("reading a claim")?;
        let bound = claim.status.and_then(|status| status.phase).as_deref() == Some("Bound");
        let account = accounts.get_opt("default").await.context("reading an account")?;
        if bound && account.is_some() {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{namespace}: no bound claim and account after {TIMEOUT:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// A child object of a job.
#[derive(Debug, Clone)]
pub(super) enum Child {
    Policy(Box<NetworkPolicy>),
    Budget(Box<PodDisruptionBudget>),
    Config(Box<ConfigMap>),
    Token(Box<Secret>),
    Service(Box<Service>),
    Pod(Box<Pod>),
}

/// The objects that the operator's own plan creates for a new job, in order.
///
/// # Errors
/// When the plan has other effects.
pub(super) fn children(job: &ShopRLJob) -> anyhow::Result<Vec<Child>> {
    let namespace = job.metadata.namespace.as_deref().context("a job without a namespace")?;
    let name = job.metadata.name.as_deref().context("a job without a name")?;
    let validated = validate(&job.spec, name)
        .map_err(|mistakes| anyhow::anyhow!("the job is not valid: {mistakes:?}"))?;
    // The length of a real token.
    let token = "0".repeat(64);
    let (nothing, now) = (Observed::default(), Timestamp::UNIX_EPOCH);
    let mut status = job.status.clone().unwrap_or_default();
    let mut children = Vec::new();
    // The first plan decides the intent, the second its effects.
    for _ in 0..2 {
        let facts = JobFacts {
            namespace,
            uid: job.metadata.uid.as_deref().context("a job without an id")?,
            generation: job.metadata.generation,
            version: job.metadata.resource_version.as_deref(),
            owner: job.controller_owner_ref(&()).context("a job without an id")?,
            image: IMAGE,
            operator: None,
            token: &token,
            validated: &validated,
            status: &status,
        };
        let plan = plan(&facts, &nothing, now);
        for effect in plan.effects {
            match effect {
                Effect::Surround(surroundings) => {
                    children.push(Child::Policy(Box::new(surroundings.policy)));
                    children.push(Child::Budget(Box::new(surroundings.budget)));
                }
                Effect::Prepare(prepared) => children.extend([
                    Child::Config(Box::new(prepared.config)),
                    Child::Token(Box::new(prepared.token)),
                    Child::Service(Box::new(prepared.service)),
                ]),
                Effect::Create(pod) => children.push(Child::Pod(pod)),
                other => bail!("unexpected effect for a new job: {other:?}"),
            }
        }
        status = plan.intent.unwrap_or(status);
    }
    Ok(children)
}

impl Child {
    /// Creates the object.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub(super) async fn create(&self, client: &Client) -> anyhow::Result<()> {
        match self {
            Self::Policy(object) => create(client, object.as_ref()).await,
            Self::Budget(object) => create(client, object.as_ref()).await,
            Self::Config(object) => create(client, object.as_ref()).await,
            Self::Token(object) => create(client, object.as_ref()).await,
            Self::Service(object) => create(client, object.as_ref()).await,
            Self::Pod(object) => create(client, object.as_ref()).await,
        }
    }
}

/// Creates an object in its namespace.
pub(super) async fn create<K>(client: &Client, object: &K) -> anyhow::Result<()>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned,
{
    let namespace = object.meta().namespace.as_deref().unwrap_or_default();
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let name = object.meta().name.as_deref().unwrap_or_default();
    api.create(&PostParams::default(), object)
        .await
        .with_context(|| format!("creating {} {name}", K::kind(&())))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::PODS;
    use super::{Child, children, job};

    #[test]
    fn a_job_of_the_load_test_has_eight_pods_and_five_other_objects() {
        let mut job = job("load", "b-0000").expect("a job");
        job.metadata.uid = Some("11111111-2222-3333-4444-555555555555".to_owned());
        let children = children(&job).expect("a plan");
        let pods = children.iter().filter(|child| matches!(child, Child::Pod(_))).count();
        assert_eq!((pods, children.len()), (PODS, PODS + 5), "{children:#?}");
    }
}
