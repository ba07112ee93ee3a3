//! The only module that writes what belongs to a job. Every step may be repeated.

use std::cmp::Ordering;
use std::fmt::Debug;

use futures::future::{join, join4};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use shoprl_crds::ShopRLJob;
use shoprl_plan::cluster::{Children, Effect, INCARNATION_LABEL, Surroundings, generation};

use crate::context::Context;
use crate::metrics::EffectKind;
use crate::reconcile::Error;

/// Does one step of a plan.
pub(crate) async fn apply(
    effect: Effect,
    namespace: &str,
    job_uid: &str,
    context: &Context,
) -> Result<(), Error> {
    let kind = match &effect {
        Effect::Surround(_) => EffectKind::Surround,
        Effect::Prepare(_) => EffectKind::Prepare,
        Effect::Create(_) => EffectKind::CreatePod,
        Effect::Delete { .. } => EffectKind::DeletePod,
        Effect::DeleteJob { .. } => EffectKind::DeleteJob,
    };
    done(effect, namespace, job_uid, context).await?;
    context.metrics.applied(kind);
    Ok(())
}

async fn done(
    effect: Effect,
    namespace: &str,
    job_uid: &str,
    context: &Context,
) -> Result<(), Error> {
    let client = &context.client;
    match effect {
        Effect::Surround(surroundings) => surround(&surroundings, namespace, job_uid, client).await,
        Effect::Prepare(children) => prepare(&children, namespace, job_uid, client).await,
        Effect::Create(pod) => {
            let pods = Api::namespaced(client.clone(), namespace);
            let mark = context.pods.mark();
            if let Some(made) = make(&pods, pod.as_ref(), "create a pod").await? {
                tracing::info!(namespace, pod = made.name_any(), "created");
                // Or the next pass, which may begin before the watch tells, makes it again.
                context.pods.see_made(&made, mark);
                return Ok(());
            }
            let name = pod.name_any();
            let found = pods.get_opt(&name).await.map_err(api_error("read a pod"))?;
            match found {
                Some(found) if !is_owned(&found.metadata, job_uid) => {
                    Err(Error::NotOurs { kind: "Pod", name })
                }
                // It is ours, or it went meanwhile: the next pass sees which.
                _ => Ok(()),
            }
        }
        Effect::Delete { name, uid } => {
            let pods: Api<k8s_openapi::api::core::v1::Pod> =
                Api::namespaced(client.clone(), namespace);
            if let Some(leaves) = delete(&pods, &name, uid, None, "delete a pod").await? {
                // Or the next pass, which may begin before the watch tells, asks it again.
                context.pods.see_leaving(&leaves);
            }
            Ok(())
        }
        Effect::DeleteJob { name, uid, version } => {
            let jobs: Api<ShopRLJob> = Api::namespaced(client.clone(), namespace);
            delete(&jobs, &name, uid, version, "delete a job whose time has passed").await?;
            Ok(())
        }
    }
}

async fn surround(
    surroundings: &Surroundings,
    namespace: &str,
    job_uid: &str,
    client: &Client,
) -> Result<(), Error> {
    let policies = Api::<NetworkPolicy>::namespaced(client.clone(), namespace);
    let budgets = Api::<PodDisruptionBudget>::namespaced(client.clone(), namespace);
    let policy = surround_with(&policies, &surroundings.policy, job_uid, |found, wanted| {
        found.spec.clone_from(&wanted.spec);
    });
    let budget = surround_with(&budgets, &surroundings.budget, job_uid, |found, wanted| {
        found.spec.clone_from(&wanted.spec);
    });
    let (policy, budget) = join(policy, budget).await;
    policy.and(budget)
}

/// Makes an object, or changes the one that is there to what is wanted, unless a later generation of the spec asked for that:
/// an operator with an old view, slower than the one that leads now, would open again what was closed. So it is read, and
/// changed only as it was read. Mostly it is new, and nothing is read.
async fn surround_with<K>(
    api: &Api<K>,
    wanted: &K,
    job_uid: &str,
    renew: impl FnOnce(&mut K, &K),
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
    if create(api, wanted, "create what surrounds the pods").await? {
        return Ok(());
    }
    let name = wanted.name_any();
    let found = api.get_opt(&name).await.map_err(api_error("read what surrounds the pods"))?;
    // Gone between the two.
    let found = found.ok_or(Error::Overtaken)?;
    if !is_owned(found.meta(), job_uid) {
        return Err(Error::NotOurs { kind: K::KIND, name });
    }
    if generation(found.meta()) > generation(wanted.meta()) {
        return Err(Error::Overtaken);
    }
    let mut next = found.clone();
    renew(&mut next, wanted);
    next.labels_mut().extend(wanted.labels().clone());
    next.annotations_mut().extend(wanted.annotations().clone());
    if next == found {
        return Ok(());
    }
    match api.replace(&name, &PostParams::default(), &next).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Err(Error::Overtaken),
        Err(source) => Err(Error::Api { what: "change what surrounds the pods", source }),
    }
}

/// Deletes exactly the object with this unique id and, if one is named, of this version; returns it when it takes its time.
async fn delete<K>(
    api: &Api<K>,
    name: &str,
    uid: String,
    version: Option<String>,
    what: &'static str,
) -> Result<Option<K>, Error>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let exactly = Preconditions { uid: Some(uid), resource_version: version };
    let parameters = DeleteParams { preconditions: Some(exactly), ..DeleteParams::default() };
    match api.delete(name, &parameters).await {
        Ok(answer) => {
            tracing::info!(name, "{what}");
            Ok(answer.left())
        }
        // Gone, another one of the name, or it changed: the next pass sees which.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
        Err(source) => Err(Error::Api { what, source }),
    }
}

async fn prepare(
    children: &Children,
    namespace: &str,
    job_uid: &str,
    client: &Client,
) -> Result<(), Error> {
    let (configs, tokens) =
        (Api::namespaced(client.clone(), namespace), Api::namespaced(client.clone(), namespace));
    // The names of these two hold the job's id, and the claim is kept for whoever comes next: there is fine.
    let config = create(&configs, &children.config, "create the ConfigMap");
    let token = create(&tokens, &children.token, "create the Secret");
    let store = async {
        let Some(store) = &children.store else { return Ok(true) };
        create(&Api::namespaced(client.clone(), namespace), store, "create the claim").await
    };
    let service = lead_to_the_trainer(&children.service, namespace, job_uid, client);
    let (config, token, store, service) = join4(config, token, store, service).await;
    config.and(token).and(store).and(service)
}

/// Points the Service at the trainer of an attempt, and never back: an operator with an old view, slower than the one that
/// leads now, would send every worker to a trainer that is gone. So it is read, and changed only as it was read.
async fn lead_to_the_trainer(
    service: &Service,
    namespace: &str,
    job_uid: &str,
    client: &Client,
) -> Result<(), Error> {
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    let name = service.name_any();
    // A first attempt mostly finds none, so nothing is read before.
    if attempt(service) == 1 && create(&services, service, "create the Service").await? {
        return Ok(());
    }
    let Some(found) = services.get_opt(&name).await.map_err(api_error("read the Service"))? else {
        return match create(&services, service, "create the Service").await? {
            true => Ok(()),
            false => Err(Error::Overtaken),
        };
    };
    if !is_owned(&found.metadata, job_uid) {
        return Err(Error::NotOurs { kind: "Service", name });
    }
    match attempt(&found).cmp(&attempt(service)) {
        Ordering::Greater => return Err(Error::Overtaken),
        Ordering::Equal => return Ok(()),
        Ordering::Less => {}
    }
    let change = json!({
        "metadata": {"resourceVersion": found.metadata.resource_version},
        "spec": {"selector": service.spec.as_ref().and_then(|spec| spec.selector.as_ref())},
    });
    match services.patch(&name, &PatchParams::default(), &Patch::Merge(&change)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Err(Error::Overtaken),
        Err(source) => Err(Error::Api { what: "change the Service", source }),
    }
}

/// The attempt whose trainer a Service leads to; 0 when somebody changed it to none.
fn attempt(service: &Service) -> i32 {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    selector.and_then(|labels| labels.get(INCARNATION_LABEL)?.parse().ok()).unwrap_or(0)
}

/// Creates an object; `false` when one of the name is there.
async fn create<K>(api: &Api<K>, object: &K, what: &'static str) -> Result<bool, Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
{
    Ok(make(api, object, what).await?.is_some())
}

/// Creates an object and returns it as it is there now; `None` when one of the name was.
async fn make<K>(api: &Api<K>, object: &K, what: &'static str) -> Result<Option<K>, Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
{
    match api.create(&PostParams::default(), object).await {
        Ok(made) => Ok(Some(made)),
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(None),
        Err(source) => Err(Error::Api { what, source }),
    }
}

/// Whether the job with this unique id owns the object.
fn is_owned(metadata: &ObjectMeta, job_uid: &str) -> bool {
    metadata.owner_references.iter().flatten().any(|owner| owner.uid == job_uid)
}

fn api_error(what: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |source| Error::Api { what, source }
}
