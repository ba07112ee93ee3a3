//! POST, PUT and merge patches.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Map, Value, json};
use shoprl_crds::ShopRLJobSpec;

use super::answer::{already_exists, another, failure, invalid, modified, not_found};
use super::{Answer, Call, Key, Kind, Server, Verb, at, text, uid};

/// Metadata fields that only the server writes.
const SERVER_FIELDS: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "generation",
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

impl Server {
    pub(super) fn create(&mut self, call: &Call) -> Answer {
        let name = text(&call.body, &["metadata", "name"]).to_owned();
        if !text(&call.body, &["metadata", "resourceVersion"]).is_empty() {
            let message = "resourceVersion should not be set on objects to be created";
            return failure(500, "", message, Value::Null);
        }
        let key = Key::new(call.kind, &call.namespace, &name);
        if let Some(known) = self.objects.get(&key) {
            return already_exists(call, &name, super::is_leaving(known));
        }
        self.set_by_update(&key, &Value::Null, &call.body);
        self.store_new(call.kind, &key, call.body.clone())
    }

    /// Stores a new object.
    pub(super) fn store_new(
        &mut self,
        kind: &'static Kind,
        key: &Key,
        mut object: Value,
    ) -> Answer {
        let (id, now) = (self.new_uid(), self.time());
        object["apiVersion"] = kind.api_version().into();
        object["kind"] = kind.kind.into();
        let metadata = &mut object["metadata"];
        for field in SERVER_FIELDS {
            remove(metadata, field);
        }
        metadata["namespace"] = key.namespace.clone().into();
        metadata["uid"] = id.into();
        metadata["creationTimestamp"] = now;
        metadata["managedFields"] = json!([{"operation": "Update"}]);
        if kind.generation {
            metadata["generation"] = 1.into();
        }
        if kind.plural == "persistentvolumeclaims" {
            self.finalized.insert(key.clone());
            metadata["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
        }
        if kind.status {
            remove(&mut object, "status");
        }
        default(kind, &mut object);
        let (after, change) = self.store(kind, key, Some(object));
        Answer::changed(201, after.unwrap_or_default(), change)
    }

    pub(super) fn update(&mut self, call: &Call) -> Answer {
        let Some(old) = self.get(call.kind, &call.namespace, &call.name).cloned() else {
            return self.create_by_put(call);
        };
        let mut new = if call.verb == Verb::Merge {
            let mut merged = Value::clone(&old);
            merge(&mut merged, &call.body);
            merged
        } else {
            call.body.clone()
        };
        if let Some(refusal) = refuse(call, &old, &new) {
            return refusal;
        }
        keep(call, &old, &mut new);
        update_managers(call, &old, &mut new);
        let key = Key::new(call.kind, &call.namespace, &call.name);
        self.set_by_update(&key, &old, &new);
        let counts = call.kind.plural == "persistentvolumeclaims" || call.subresource == "status";
        let touched = counts && self.finalized.remove(&key);
        self.store_changed(call.kind, &old, new, touched)
    }

    fn create_by_put(&mut self, call: &Call) -> Answer {
        if call.verb != Verb::Update || !call.kind.created_by_put || !call.subresource.is_empty() {
            return not_found(call);
        }
        if !uid(&call.body).is_empty() {
            return another(call, uid(&call.body), "");
        }
        let key = Key::new(call.kind, &call.namespace, &call.name);
        self.set_by_update(&key, &Value::Null, &call.body);
        self.store_new(call.kind, &key, call.body.clone())
    }

    /// Stores a changed state. An equal state gets no new version, unless its managers were `touched`.
    pub(super) fn store_changed(
        &mut self,
        kind: &'static Kind,
        old: &Arc<Value>,
        new: Value,
        touched: bool,
    ) -> Answer {
        let key =
            Key::new(kind, text(old, &["metadata", "namespace"]), text(old, &["metadata", "name"]));
        if new == **old && !touched {
            return Answer::ok(old.clone());
        }
        let no_grace = new["metadata"]["deletionGracePeriodSeconds"] == 0;
        if super::is_leaving(&new) && no_grace && !has_finalizers(&new) {
            // The last finalizer was removed. The answer is the sent state with the old version.
            let (_, change) = self.store(kind, &key, None);
            return Answer::changed(200, Arc::new(new), change);
        }
        let (after, change) = self.store(kind, &key, Some(new));
        Answer::changed(200, after.unwrap_or_default(), change)
    }

    /// The current time, as in objects.
    pub(super) fn time(&self) -> Value {
        json!(Time(self.now))
    }
}

pub(super) fn has_finalizers(object: &Value) -> bool {
    at(object, &["metadata", "finalizers"])
        .and_then(Value::as_array)
        .is_some_and(|finalizers| !finalizers.is_empty())
}

fn refuse(call: &Call, old: &Value, new: &Value) -> Option<Answer> {
    let (given, known) = (uid(new), uid(old));
    if !given.is_empty() && given != known {
        return Some(another(call, given, known));
    }
    let version = text(new, &["metadata", "resourceVersion"]);
    if version.is_empty() && call.kind.conditional {
        let why = "Invalid value: 0: must be specified for an update";
        return Some(invalid(call, "metadata.resourceVersion", why));
    }
    if !version.is_empty() && version != text(old, &["metadata", "resourceVersion"]) {
        return Some(modified(call));
    }
    None
}

/// Restores the fields that a client cannot change.
fn keep(call: &Call, old: &Value, new: &mut Value) {
    if call.subresource == "status" {
        let (status, metadata) = (new.get("status").cloned(), new["metadata"].take());
        *new = old.clone();
        set(new, "status", status);
        // For a custom resource only the status is written, for core kinds also metadata such as labels.
        if call.kind.group != "shoprl.dev" {
            new["metadata"] = metadata;
            let owners = at(old, &["metadata", "ownerReferences"]).cloned();
            set(&mut new["metadata"], "ownerReferences", owners);
        }
    } else if call.kind.status {
        set(new, "status", old.get("status").cloned());
    }
    new["apiVersion"] = old["apiVersion"].clone();
    new["kind"] = old["kind"].clone();
    new["metadata"]["namespace"] = old["metadata"]["namespace"].clone();
    for field in SERVER_FIELDS {
        let value = at(old, &["metadata", field]).cloned();
        set(&mut new["metadata"], field, value);
    }
    default(call.kind, new);
    bump(call.kind, old, new);
}

/// Updates the managed fields. A client that sends an old state removes later managers, which is a change and gets a new
/// version even if no other field changes.
fn update_managers(call: &Call, old: &Value, new: &mut Value) {
    const MANAGERS: &str = "managedFields";
    let own = json!({"operation": "Update", "subresource": call.subresource});
    let changed =
        differ(old, new, "metadata") || differ(&old["metadata"], &new["metadata"], MANAGERS);
    let sent = new["metadata"][MANAGERS].as_array().filter(|sent| !sent.is_empty());
    let mut managers = sent.or(old["metadata"][MANAGERS].as_array()).cloned().unwrap_or_default();
    if changed && !managers.contains(&own) {
        managers.push(own);
    }
    new["metadata"][MANAGERS] = managers.into();
}

/// Whether two objects differ in a field other than `except`.
fn differ(one: &Value, other: &Value, except: &str) -> bool {
    let fields = |object: &'_ Value| -> usize {
        object
            .as_object()
            .map_or(0, |fields| fields.len() - usize::from(fields.contains_key(except)))
    };
    fields(one) != fields(other)
        || one
            .as_object()
            .into_iter()
            .flatten()
            .any(|(name, value)| name != except && other.get(name) != Some(value))
}

/// Increments the generation when the spec differs.
pub(super) fn bump(kind: &Kind, old: &Value, new: &mut Value) {
    if kind.generation && !kind.plural.eq("pods") && old.get("spec") != new.get("spec") {
        let generation = at(old, &["metadata", "generation"]).and_then(Value::as_i64).unwrap_or(0);
        new["metadata"]["generation"] = (generation + 1).into();
    }
}

/// Sets the defaults that the operator or the model depends on.
fn default(kind: &Kind, object: &mut Value) {
    match kind.plural {
        "shoprljobs" => {
            let given = object.get("spec").cloned().unwrap_or_else(|| json!({}));
            if let Ok(spec) = serde_json::from_value::<ShopRLJobSpec>(given) {
                object["spec"] = json!(spec);
            }
        }
        "pods" => {
            if object.get("status").is_none() {
                object["status"] = json!({"phase": "Pending"});
            }
            if object["spec"].get("terminationGracePeriodSeconds").is_none() {
                object["spec"]["terminationGracePeriodSeconds"] = 30.into();
            }
        }
        _ => {}
    }
}

pub(super) fn set(object: &mut Value, field: &str, value: Option<Value>) {
    match value {
        Some(value) => object[field] = value,
        None => remove(object, field),
    }
}

pub(super) fn remove(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}

/// JSON merge patch (RFC 7386).
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    for (name, value) in patch {
        if value.is_null() {
            remove(into, name);
        } else {
            merge(&mut into[name], value);
        }
    }
}
