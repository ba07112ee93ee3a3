//! The only module that writes what belongs to a job. Every step may be repeated.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shoprl_plan::cluster::{Children, Effect};

use crate::metrics::{EffectKind, Metrics};
use crate::reconcile::Error;

/// Who applies, for server-side apply.
const MANAGER: &str = "shoprl-operator";

/// Does one step of a plan.
pub(crate) async fn apply(
    effect: Effect,
    namespace: &str,
    job_uid: &str,
    client: &Client,
    metrics: &Metrics,
) -> Result<(), Error> {
    let kind = match &effect {
        Effect::Prepare(_) => EffectKind::Prepare,
        Effect::Create(_) => EffectKind::CreatePod,
        Effect::Delete { .. } => EffectKind::DeletePod,
    };
    done(effect, namespace, job_uid, client).await?;
    metrics.applied(kind);
    Ok(())
}

async fn done(
    effect: Effect,
    namespace: &str,
    job_uid: &str,
    client: &Client,
) -> Result<(), Error> {
    match effect {
        Effect::Prepare(children) => prepare(&children, namespace, client).await,
        Effect::Create(pod) => {
            let pods = Api::namespaced(client.clone(), namespace);
            if create(&pods, pod.as_ref(), "create a pod").await? {
                tracing::info!(namespace, pod = pod.name_any(), "created");
                return Ok(());
            }
            let name = pod.name_any();
            let found = pods.get_opt(&name).await.map_err(api("read a pod"))?;
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
            let exactly = Preconditions { uid: Some(uid), resource_version: None };
            let parameters =
                DeleteParams { preconditions: Some(exactly), ..DeleteParams::default() };
            match pods.delete(&name, &parameters).await {
                Ok(_) => {
                    tracing::info!(namespace, pod = name, "deleted");
                    Ok(())
                }
                // Gone, or another one of the name.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
                Err(source) => Err(Error::Api { what: "delete a pod", source }),
            }
        }
    }
}

async fn prepare(children: &Children, namespace: &str, client: &Client) -> Result<(), Error> {
    // The names of these two hold the job's id, and the claim is kept for whoever comes next: there is fine.
    create(&Api::namespaced(client.clone(), namespace), &children.config, "create the ConfigMap")
        .await?;
    create(&Api::namespaced(client.clone(), namespace), &children.token, "create the Secret")
        .await?;
    create(&Api::namespaced(client.clone(), namespace), &children.store, "create the claim")
        .await?;
    let services: Api<k8s_openapi::api::core::v1::Service> =
        Api::namespaced(client.clone(), namespace);
    let name = children.service.name_any();
    services
        .patch(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&children.service))
        .await
        .map_err(api("apply the Service"))?;
    Ok(())
}

/// Creates an object; `false` when one of the name is there.
async fn create<K>(api: &Api<K>, object: &K, what: &'static str) -> Result<bool, Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
{
    match api.create(&PostParams::default(), object).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(false),
        Err(source) => Err(Error::Api { what, source }),
    }
}

/// Whether the job with this unique id owns the object.
pub(crate) fn is_owned(metadata: &ObjectMeta, job_uid: &str) -> bool {
    metadata.owner_references.iter().flatten().any(|owner| owner.uid == job_uid)
}

fn api(what: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |source| Error::Api { what, source }
}
