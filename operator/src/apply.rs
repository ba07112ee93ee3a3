//! Applies the effects of a plan. No other module writes the objects of a job. Every effect is idempotent.

mod service;
mod surround;
mod write;

use futures::future::join4;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, ResourceExt};
use shoprl_crds::ShopRLJob;
use shoprl_plan::cluster::{Children, Effect};

use self::service::point_service;
use self::surround::surround;
use self::write::{api_error, create, delete, is_owned, try_create};
use crate::context::Context;
use crate::error::Error;
use crate::metrics::EffectKind;

/// Applies one effect and counts it.
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
    let client = &context.client;
    match effect {
        Effect::Surround(surroundings) => {
            surround(&surroundings, namespace, job_uid, client).await?;
        }
        Effect::Prepare(children) => prepare(&children, namespace, job_uid, client).await?,
        Effect::Create(pod) => create_pod(&pod, namespace, job_uid, context).await?,
        Effect::Delete { name, uid } => {
            let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
            if let Some(deleting) = delete(&pods, &name, uid, None, "delete a pod").await? {
                // The next reconcile may start before the watch reports the deletion, and would delete it again.
                context.pods.note_deleting(&deleting);
            }
        }
        Effect::DeleteJob { name, uid, version } => {
            let jobs: Api<ShopRLJob> = Api::namespaced(client.clone(), namespace);
            delete(&jobs, &name, uid, version, "delete a finished job").await?;
        }
    }
    context.metrics.applied(kind);
    Ok(())
}

async fn create_pod(
    pod: &Pod,
    namespace: &str,
    job_uid: &str,
    context: &Context,
) -> Result<(), Error> {
    let pods = Api::namespaced(context.client.clone(), namespace);
    let mark = context.pods.mark();
    if let Some(created) = try_create(&pods, pod, "create a pod").await? {
        tracing::info!(namespace, pod = created.name_any(), "pod created");
        // The next reconcile may start before the watch reports the pod, and would create it again.
        context.pods.note_created(&created, mark);
        return Ok(());
    }
    let name = pod.name_any();
    let found = pods.get_opt(&name).await.map_err(api_error("read a pod"))?;
    match found {
        Some(found) if !is_owned(&found.metadata, job_uid) => {
            Err(Error::NotOurs { kind: "Pod", name })
        }
        // It belongs to the job, or it is gone by now; the next reconcile finds out.
        _ => Ok(()),
    }
}

/// Creates the objects that the pods of an attempt need.
async fn prepare(
    children: &Children,
    namespace: &str,
    job_uid: &str,
    client: &Client,
) -> Result<(), Error> {
    let (configs, tokens) =
        (Api::namespaced(client.clone(), namespace), Api::namespaced(client.clone(), namespace));
    // These may exist: the names of the first two contain the job's uid, and a retained claim is reused.
    let config = create(&configs, &children.config, "create the ConfigMap");
    let token = create(&tokens, &children.token, "create the Secret");
    let store = async {
        let Some(store) = &children.store else { return Ok(true) };
        let claims = Api::namespaced(client.clone(), namespace);
        create(&claims, store, "create the PersistentVolumeClaim").await
    };
    let service = point_service(&children.service, namespace, job_uid, client);
    let (config, token, store, service) = join4(config, token, store, service).await;
    config.and(token).and(store).and(service)
}
