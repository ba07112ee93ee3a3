//! Single writes to the API server.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Creates an object. `false` if one with its name exists.
pub(super) async fn create<K>(api: &Api<K>, object: &K, action: &'static str) -> Result<bool, Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
{
    Ok(try_create(api, object, action).await?.is_some())
}

/// Creates an object and returns it as it was stored. `None` if one with its name exists.
pub(super) async fn try_create<K>(
    api: &Api<K>,
    object: &K,
    action: &'static str,
) -> Result<Option<K>, Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
{
    match api.create(&PostParams::default(), object).await {
        Ok(created) => Ok(Some(created)),
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(None),
        Err(source) => Err(Error::Api { action, source }),
    }
}

/// Deletes the object with this uid and, if given, this version. Returns the object if its deletion takes time.
pub(super) async fn delete<K>(
    api: &Api<K>,
    name: &str,
    uid: String,
    version: Option<String>,
    action: &'static str,
) -> Result<Option<K>, Error>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let exactly = Preconditions { uid: Some(uid), resource_version: version };
    let parameters = DeleteParams { preconditions: Some(exactly), ..DeleteParams::default() };
    match api.delete(name, &parameters).await {
        Ok(answer) => {
            tracing::info!(name, action, "object deleted");
            Ok(answer.left())
        }
        // It is gone, replaced or changed; the next reconcile finds out.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
        Err(source) => Err(Error::Api { action, source }),
    }
}

/// Whether the job with this uid owns the object.
pub(super) fn is_owned(metadata: &ObjectMeta, job_uid: &str) -> bool {
    metadata.owner_references.iter().flatten().any(|owner| owner.uid == job_uid)
}

pub(super) fn api_error(action: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |source| Error::Api { action, source }
}
