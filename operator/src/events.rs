//! Kubernetes events of a job, for `kubectl describe`. They are derived from the difference between the previous status and
//! the one that was written. So a lost write makes no event, and a repeated reconcile makes no second one.

pub mod diff;
pub mod reason;

use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Resource, ResourceExt};
use sha2::{Digest, Sha256};
use shoprl_contract::error_chain;
use shoprl_crds::ShopRLJob;
use tracing::Instrument;

use self::diff::{Difference, differences};
use crate::context::Context;

/// Reporter of the events.
const CONTROLLER: &str = "shoprl.dev/operator";
/// Maximum length of a note in bytes, set by the API server.
const MAX_NOTE: usize = 1024;

/// Posts the events of a status that was just written, in a separate task. An event that cannot be posted is not retried.
pub(crate) fn post(before: &ShopRLJob, written: &ShopRLJob, context: &Arc<Context>) {
    let old = before.status.clone().unwrap_or_default();
    let Some(new) = &written.status else { return };
    let Some(namespace) = written.metadata.namespace.as_deref() else { return };
    let found = differences(&old, new).into_iter();
    let found: Vec<_> = found.map(|found| (event(&found, written, context), found)).collect();
    if found.is_empty() {
        return;
    }
    let events: Api<Event> = Api::namespaced(context.client.clone(), namespace);
    let context = Arc::clone(context);
    let posts = async move {
        let _permit = context.permits.events().await;
        for (event, Difference { reason, note }) in found {
            match events.create(&PostParams::default(), &event).await {
                Ok(_) => context.metrics.posted(reason),
                // Posted already, by this operator or another one.
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => {
                    let (error, reason) = (error_chain(&error), reason.name());
                    tracing::warn!(error, reason, note, "event not posted");
                }
            }
        }
    };
    tokio::spawn(posts.in_current_span());
}

/// The name is a hash of the content, so that duplicates collapse.
fn event(difference: &Difference, job: &ShopRLJob, context: &Context) -> Event {
    let uid = job.metadata.uid.clone().unwrap_or_default();
    let generation = job.metadata.generation.unwrap_or_default();
    let Difference { reason, note } = difference;
    let content = format!("{uid}/{generation}/{}/{note}", reason.name());
    let digest = Sha256::digest(content.as_bytes());
    let digest = base16ct::lower::encode_string(&digest[..8]);
    let regarding = ObjectReference { field_path: None, ..job.object_ref(&()) };
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{digest}", job.name_any())),
            namespace: job.metadata.namespace.clone(),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime((context.clock)())),
        type_: Some(if reason.is_warning() { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(reason.name().to_owned()),
        action: Some("Reconcile".to_owned()),
        note: Some(shortened(note)),
        regarding: Some(regarding),
        reporting_controller: Some(CONTROLLER.to_owned()),
        // The API server allows 128 characters.
        reporting_instance: Some(context.identity.chars().take(128).collect()),
        ..Event::default()
    }
}

fn shortened(note: &str) -> String {
    let mut end = note.len().min(MAX_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note[..end].to_owned()
}

#[cfg(test)]
mod tests;
