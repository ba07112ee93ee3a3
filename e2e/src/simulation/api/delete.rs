//! DELETE: immediate, after a grace period, or when the last finalizer is removed.

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
        let requested = at(&call.body, &["gracePeriodSeconds"]).and_then(Value::as_i64);
        let mut grace = grace(call, &old, requested);
        if is_leaving(&old) {
            // A second deletion changes nothing, unless its grace period is shorter.
            let before =
                at(&old, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64);
            match (requested, before) {
                (Some(requested), Some(before)) if requested < before => grace = requested,
                _ => return Answer::ok(answer_body(call.kind, &call.name, &old, false)),
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
            // Only for pods does the answer have the deletion timestamp.
            let shown = if call.kind.plural == "pods" {
                new["metadata"]["resourceVersion"] = last["metadata"]["resourceVersion"].clone();
                Arc::new(new)
            } else {
                last
            };
            return Answer::changed(200, answer_body(call.kind, &call.name, &shown, true), change);
        }
        if call.kind.plural == "persistentvolumeclaims" {
            self.finalized.remove(&key);
        }
        let (after, change) = self.store(call.kind, &key, Some(new));
        Answer::changed(
            200,
            answer_body(call.kind, &call.name, &after.unwrap_or_default(), false),
            change,
        )
    }
}

fn refuse(call: &Call, old: &Value) -> Option<Answer> {
    let preconditions = at(&call.body, &["preconditions"])?;
    let (given, known) = (text(preconditions, &["uid"]), uid(old));
    if !given.is_empty() && given != known {
        let hint = "The object might have been deleted and then recreated";
        return Some(precondition(call, "UID", given, known, hint));
    }
    let (given, known) =
        (text(preconditions, &["resourceVersion"]), text(old, &["metadata", "resourceVersion"]));
    if !given.is_empty() && given != known {
        let hint = "The object might have been modified";
        return Some(precondition(call, "ResourceVersion", given, known, hint));
    }
    None
}

/// Grace period in seconds of a running pod; 0 for anything else.
fn grace(call: &Call, old: &Value, requested: Option<i64>) -> i64 {
    if call.kind.plural != "pods"
        || text(old, &["spec", "nodeName"]).is_empty()
        || matches!(text(old, &["status", "phase"]), "Succeeded" | "Failed")
    {
        return 0;
    }
    let own = at(old, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
    requested.or(own).unwrap_or(30)
}

fn answer_body(kind: &Kind, name: &str, object: &Arc<Value>, gone: bool) -> Arc<Value> {
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
