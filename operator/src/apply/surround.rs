//! The NetworkPolicy and the PodDisruptionBudget of a job.

use std::fmt::Debug;

use futures::future::join;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::PostParams;
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shoprl_plan::cluster::{Surroundings, generation};

use super::write::{api_error, create, is_owned};
use crate::error::Error;

pub(super) async fn surround(
    surroundings: &Surroundings,
    namespace: &str,
    job_uid: &str,
    client: &Client,
) -> Result<(), Error> {
    let policies = Api::<NetworkPolicy>::namespaced(client.clone(), namespace);
    let budgets = Api::<PodDisruptionBudget>::namespaced(client.clone(), namespace);
    let policy = create_or_update(&policies, &surroundings.policy, job_uid, |found, desired| {
        found.spec.clone_from(&desired.spec);
    });
    let budget = create_or_update(&budgets, &surroundings.budget, job_uid, |found, desired| {
        found.spec.clone_from(&desired.spec);
    });
    let (policy, budget) = join(policy, budget).await;
    policy.and(budget)
}

/// Creates an object, or updates the existing one unless it is of a later generation of the spec. Without this check a stale
/// leader could revert a stricter policy; hence read-modify-write with the version that was read. The object is new in most
/// cases, so it is created before anything is read.
async fn create_or_update<K>(
    api: &Api<K>,
    desired: &K,
    job_uid: &str,
    update: impl FnOnce(&mut K, &K),
) -> Result<(), Error>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + k8s_openapi::Resource
        + Clone
        + PartialEq
        + DeserializeOwned
        + Serialize
        + Debug,
{
    if create(api, desired, "create the surroundings of the pods").await? {
        return Ok(());
    }
    let name = desired.name_any();
    let found = api.get_opt(&name).await.map_err(api_error("read the surroundings of the pods"))?;
    // It was deleted between the two requests.
    let found = found.ok_or(Error::Overtaken)?;
    if !is_owned(found.meta(), job_uid) {
        return Err(Error::NotOurs { kind: K::KIND, name });
    }
    if generation(found.meta()) > generation(desired.meta()) {
        return Err(Error::Overtaken);
    }
    let mut next = found.clone();
    update(&mut next, desired);
    next.labels_mut().extend(desired.labels().clone());
    next.annotations_mut().extend(desired.annotations().clone());
    if next == found {
        return Ok(());
    }
    match api.replace(&name, &PostParams::default(), &next).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Err(Error::Overtaken),
        Err(source) => Err(Error::Api { action: "change the surroundings of the pods", source }),
    }
}
