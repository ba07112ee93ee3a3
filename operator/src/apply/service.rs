//! The Service that leads to the trainer of the current attempt.

use std::cmp::Ordering;

use k8s_openapi::api::core::v1::Service;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use shoprl_plan::cluster::INCARNATION_LABEL;

use super::write::{api_error, create, is_owned};
use crate::error::Error;

/// Points the Service at the trainer of an attempt, and never back at an earlier one: a stale leader would send every worker
/// to a trainer that is gone. Hence read-modify-write with the version that was read.
pub(super) async fn point_service(
    service: &Service,
    namespace: &str,
    job_uid: &str,
    client: &Client,
) -> Result<(), Error> {
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    let name = service.name_any();
    // The first attempt finds none in most cases, so it creates before it reads.
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
        Err(source) => Err(Error::Api { action: "change the Service", source }),
    }
}

/// The attempt whose trainer the Service selects; 0 if a user removed the selector.
fn attempt(service: &Service) -> i32 {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    selector.and_then(|labels| labels.get(INCARNATION_LABEL)?.parse().ok()).unwrap_or(0)
}
