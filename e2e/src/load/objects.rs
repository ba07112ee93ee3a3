//! The jobs of a load, and what an operator makes of one.

use anyhow::{Context, bail};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
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

use super::NAMESPACE;

/// The image of every pod; nobody pulls it.
const IMAGE: &str =
    "localhost/shoprl@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// A job of eight pods: a trainer, two simulators, a reward worker, four rollouts. All share a claim that is there:
/// nobody provides volumes here.
///
/// # Errors
/// When the kind has changed so that this is none.
pub(super) fn job(name: &str) -> anyhow::Result<ShopRLJob> {
    let spec: ShopRLJobSpec = serde_json::from_value(json!({
        "checkpoint": {"store": {"existingClaim": {"name": "store"}}},
        "roles": {"simulator": {"replicas": 2}, "reward": {"replicas": 1}, "rollout": {"replicas": 4}},
    }))?;
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    Ok(ShopRLJob { metadata, spec, status: None })
}

/// What belongs to a job.
#[derive(Debug, Clone)]
pub(super) enum Child {
    Policy(Box<NetworkPolicy>),
    Budget(Box<PodDisruptionBudget>),
    Config(Box<ConfigMap>),
    Token(Box<Secret>),
    Service(Box<Service>),
    Pod(Box<Pod>),
}

/// What the operator makes of a new job, in the order in which it is needed: from the operator's own plan.
///
/// # Errors
/// When the plan makes something else of it.
pub(super) fn children(job: &ShopRLJob) -> anyhow::Result<Vec<Child>> {
    let name = job.metadata.name.as_deref().context("a job without a name")?;
    let validated = validate(&job.spec, name)
        .map_err(|mistakes| anyhow::anyhow!("the job is not valid: {mistakes:?}"))?;
    // As long as a real one.
    let token = "0".repeat(64);
    let (nothing, now) = (Observed::default(), Timestamp::UNIX_EPOCH);
    let mut status = job.status.clone().unwrap_or_default();
    let mut children = Vec::new();
    // Once for what is wanted, once for what follows from it.
    for _ in 0..2 {
        let facts = JobFacts {
            namespace: NAMESPACE,
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
                other => bail!("a new job is answered by {other:?}"),
            }
        }
        status = plan.intent.unwrap_or(status);
    }
    Ok(children)
}

impl Child {
    /// Creates it.
    ///
    /// # Errors
    /// When the API server does not take it.
    pub(super) async fn create(&self, client: &Client) -> anyhow::Result<()> {
        match self {
            Self::Policy(it) => create(client, it.as_ref()).await,
            Self::Budget(it) => create(client, it.as_ref()).await,
            Self::Config(it) => create(client, it.as_ref()).await,
            Self::Token(it) => create(client, it.as_ref()).await,
            Self::Service(it) => create(client, it.as_ref()).await,
            Self::Pod(it) => create(client, it.as_ref()).await,
        }
    }
}

/// Creates an object.
pub(super) async fn create<K>(client: &Client, object: &K) -> anyhow::Result<()>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), NAMESPACE);
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
    fn a_job_of_the_load_has_eight_pods_and_what_they_need() {
        let mut job = job("b-0000").expect("a job");
        job.metadata.uid = Some("11111111-2222-3333-4444-555555555555".to_owned());
        let children = children(&job).expect("a plan");
        let pods = children.iter().filter(|child| matches!(child, Child::Pod(_))).count();
        assert_eq!((pods, children.len()), (PODS, PODS + 5), "{children:#?}");
    }
}
