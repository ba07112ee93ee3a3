//! Planted bugs that need the state of a run.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::api::{Answer, Call, Event, Kind, Verb, text};
use super::super::bug::Bug;
use super::super::kubelet;
use super::super::names::NAMESPACE;
use super::World;

impl World {
    /// [`Bug::CachedDestructiveRead`].
    pub(super) fn delete_unknown(&mut self, replica: usize, jobs: bool, event: &Event) {
        let (Some(Bug::CachedDestructiveRead), false, Event::Applied(pod)) =
            (self.bug, jobs, event)
        else {
            return;
        };
        let Some(process) = &self.replicas[replica].process else { return };
        let owner = text(&pod["metadata"]["ownerReferences"][0], &["name"]);
        if process.job(owner).is_some() {
            return;
        }
        let Some(job) = self.server.get(Kind::of("shoprljobs"), NAMESPACE, owner).cloned() else {
            return;
        };
        let name = text(pod, &["metadata", "name"]);
        let call = kubelet::call(Verb::Delete, "", NAMESPACE, name, json!({}));
        self.perform(replica, &call, &job);
    }

    /// [`Bug::EffectBeforeIntent`]: a changed intent is kept in memory.
    pub(super) fn remember(&mut self, replica: usize, call: &Call) -> Option<Answer> {
        if self.bug != Some(Bug::EffectBeforeIntent) || call.subresource != "status" {
            return None;
        }
        let stored = self.server.get(call.kind, &call.namespace, &call.name)?;
        if stored["status"]["intent"] == call.body["status"]["intent"] {
            return None;
        }
        let slot = &mut self.replicas[replica];
        slot.memory.insert(call.name.clone(), call.body["status"].clone());
        if let Some(process) = &mut slot.process {
            process.enqueue(&call.name, self.now);
        }
        Some(Answer { code: 200, body: Arc::new(call.body.clone()), change: None })
    }

    /// [`Bug::DoubleCountAfterLostReply`].
    pub(super) fn count_again(&mut self, replica: usize, call: &Call, job: &Arc<Value>) {
        let failed = &call.body["status"]["failures"]["application"];
        if self.bug != Some(Bug::DoubleCountAfterLostReply)
            || call.subresource != "status"
            || *failed == job["status"]["failures"]["application"]
        {
            return;
        }
        let Some(stored) = self.server.get(call.kind, &call.namespace, &call.name).cloned() else {
            return;
        };
        let mut again = status_write(&stored);
        again.body["status"]["failures"]["application"] = (failed.as_i64().unwrap_or(0) + 1).into();
        self.perform(replica, &again, job);
    }
}

/// A status update with the stored job.
pub(super) fn status_write(job: &Value) -> Call {
    Call {
        verb: Verb::Update,
        kind: Kind::of("shoprljobs"),
        namespace: NAMESPACE.to_owned(),
        name: text(job, &["metadata", "name"]).to_owned(),
        subresource: "status".to_owned(),
        selector: String::new(),
        manager: String::new(),
        body: job.clone(),
    }
}
