//! DELETE: at once, after a grace period, or when the last finalizer is gone.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::answer::{details, not_found, precondition};
use super::write::has_finalizers;
use super::{Answer, Call, Key, Kind, Server, at, is_leaving, text, uid};

const FOREGROUND: &str = "foregroundDeletion";

impl Server {
    pub(super) fn delete(&mut self, call: &Call) -> Answer {
        let key = Key::new(call.kind, &call.namespace, &call.name);
        let Some(old) = self.objects.get(&key).cloned() else { return not_found(call) };
        if let Some(refusal) = refuse(call, &old) {
            return refusal;
        }
        let mut new = Value::clone(&old);
        if text(&call.body, &["propagationPolicy"]) == "Foreground" && !is_leaving(&old) {
            let mut finalizers =
                at(&old, &["metadata", "finalizers"]).cloned().unwrap_or_else(|| json!([]));
            if let Some(finalizers) = finalizers.as_array_mut() {
                finalizers.push(FOREGROUND.into());
            }
            new["metadata"]["finalizers"] = finalizers;
            if call.kind.group == "shoprl.dev" {
                self.finalized.insert(key.clone());
            }
        }
        let asked = at(&call.body, &["gracePeriodSeconds"]).and_then(Value::as_i64);
        let mut grace = grace(call, &old, asked);
        if is_leaving(&old) {
            // Once more changes nothing, unless somebody asks for it to go faster.
            let before =
                at(&old, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64);
            match (asked, before) {
                (Some(asked), Some(before)) if asked < before => grace = asked,
                _ => return Answer::ok(said(call.kind, &call.name, &old, false)),
            }
        } else if let Some(generation) =
            at(&old, &["metadata", "generation"]).and_then(Value::as_i64)
        {
            new["metadata"]["generation"] = (generation + 1).into();
        }
        let gone = grace == 0 && !has_finalizers(&new);
        let by = self.now + Duration::from_secs(grace.unsigned_abs());
        new["metadata"]["deletionTimestamp"] = json!(Time(by));
        new["metadata"]["deletionGracePeriodSeconds"] = grace.into();
        if gone {
            let (last, change) = self.store(call.kind, &key, None);
            let last = last.unwrap_or_default();
            // Only of a pod the answer says that it leaves.
            let shown = if call.kind.plural == "pods" {
                new["metadata"]["resourceVersion"] = last["metadata"]["resourceVersion"].clone();
                Arc::new(new)
            } else {
                last
            };
            return Answer::changed(200, said(call.kind, &call.name, &shown, true), change);
        }
        if call.kind.plural == "persistentvolumeclaims" {
            self.finalized.remove(&key);
        }
        let (after, change) = self.store(call.kind, &key, Some(new));
        Answer::changed(200, said(call.kind, &call.name, &after.unwrap_or_default(), false), change)
    }
}

fn refuse(call: &Call, old: &Value) -> Option<Answer> {
    let exactly = at(&call.body, &["preconditions"])?;
    let (given, known) = (text(exactly, &["uid"]), uid(old));
    if !given.is_empty() && given != known {
        let hint = "The object might have been deleted and then recreated";
        return Some(precondition(call, "UID", given, known, hint));
    }
    let (given, known) =
        (text(exactly, &["resourceVersion"]), text(old, &["metadata", "resourceVersion"]));
    if !given.is_empty() && given != known {
        let hint = "The object might have been modified";
        return Some(precondition(call, "ResourceVersion", given, known, hint));
    }
    None
}

/// Seconds until a pod that runs must be gone; everything else goes at once.
fn grace(call: &Call, old: &Value, asked: Option<i64>) -> i64 {
    if call.kind.plural != "pods"
        || text(old, &["spec", "nodeName"]).is_empty()
        || matches!(text(old, &["status", "phase"]), "Succeeded" | "Failed")
    {
        return 0;
    }
    let own = at(old, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
    asked.or(own).unwrap_or(30)
}

fn said(kind: &Kind, name: &str, object: &Arc<Value>, gone: bool) -> Arc<Value> {
    if kind.answers_deleted || !gone {
        return object.clone();
    }
    let mut details = details(kind, name);
    details["uid"] = uid(object).into();
    Arc::new(json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details,
    }))
}
