//! What happened to a job, for `kubectl describe`: the difference between the persisted status and the one that was
//! written in its place. So a write that was lost gives no event, and a pass that is repeated no second one.

mod news;

use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Resource, ResourceExt};
use sha2::{Digest, Sha256};
use shoprl_crds::ShopRLJob;
use tracing::Instrument;

pub use news::{News, Reason, news};

use crate::context::Context;

/// Who reports.
const CONTROLLER: &str = "shoprl.dev/operator";
/// Longest note, in bytes: what the API server takes.
const NOTE: usize = 1024;

/// Posts what the status that was just written tells, in a task of its own: nothing waits for it. Events are a courtesy:
/// one that cannot be posted is not tried again.
pub(crate) fn post(before: &ShopRLJob, written: &ShopRLJob, context: &Arc<Context>) {
    let old = before.status.clone().unwrap_or_default();
    let Some(new) = &written.status else { return };
    let Some(namespace) = written.metadata.namespace.as_deref() else { return };
    let told = news(&old, new).into_iter();
    let told: Vec<_> = told.map(|news| (event(&news, written, context), news)).collect();
    if told.is_empty() {
        return;
    }
    let events: Api<Event> = Api::namespaced(context.client.clone(), namespace);
    let context = Arc::clone(context);
    let posts = async move {
        let _turn = context.turns.events().await;
        for (event, news) in told {
            match events.create(&PostParams::default(), &event).await {
                Ok(_) => context.metrics.posted(news.reason),
                // Told already, by another operator or before.
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => {
                    let reason = news.reason.name();
                    tracing::warn!(%error, reason, note = news.note, "an event was not posted");
                }
            }
        }
    };
    tokio::spawn(posts.in_current_span());
}

/// Its name follows from what it tells, so that the same is told once.
fn event(news: &News, job: &ShopRLJob, context: &Context) -> Event {
    let uid = job.metadata.uid.clone().unwrap_or_default();
    let generation = job.metadata.generation.unwrap_or_default();
    let told = format!("{uid}/{generation}/{}/{}", news.reason.name(), news.note);
    let digest = Sha256::digest(told.as_bytes());
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let regarding = ObjectReference { field_path: None, ..job.object_ref(&()) };
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{digest}", job.name_any())),
            namespace: job.metadata.namespace.clone(),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime((context.clock)())),
        type_: Some(if news.reason.is_warning() { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(news.reason.name().to_owned()),
        action: Some("Reconcile".to_owned()),
        note: Some(shortened(&news.note)),
        regarding: Some(regarding),
        reporting_controller: Some(CONTROLLER.to_owned()),
        // At most 128 characters.
        reporting_instance: Some(context.identity.chars().take(128).collect()),
        ..Event::default()
    }
}

fn shortened(note: &str) -> String {
    let mut end = note.len().min(NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note[..end].to_owned()
}

#[cfg(test)]
mod tests;
