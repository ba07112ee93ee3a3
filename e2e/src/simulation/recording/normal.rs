//! Normal form of answers: UIDs and versions become ordinals; times and fields that the model does not store are removed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::api::{Kind, at, text};

/// Ordinals of UIDs and versions, in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Normal {
    versions: BTreeMap<String, String>,
    uids: BTreeMap<String, String>,
}

/// Fields of a kind that the model stores.
fn stored_fields(kind: &Kind) -> &'static [&'static [&'static str]] {
    match kind.plural {
        "shoprljobs" => &[
            &["spec", "seed"],
            &["spec", "suspend"],
            &["spec", "roles", "rollout", "replicas"],
            &["status"],
        ],
        "pods" => &[
            &["spec", "nodeName"],
            &["spec", "terminationGracePeriodSeconds"],
            &["status", "phase"],
        ],
        "services" => &[&["spec", "selector"]],
        "configmaps" | "secrets" => &[&["data"], &["immutable"]],
        "persistentvolumeclaims" => &[&["spec", "accessModes"]],
        "networkpolicies" => &[&["spec", "podSelector"]],
        "poddisruptionbudgets" => &[&["spec", "minAvailable"], &["spec", "selector"]],
        "leases" => &[&["spec"]],
        _ => &[],
    }
}

const METADATA: [&str; 7] = [
    "name",
    "namespace",
    "generation",
    "labels",
    "finalizers",
    "ownerReferences",
    "deletionGracePeriodSeconds",
];

impl Normal {
    /// The normal form of an answer about `kind`.
    pub(super) fn of(&mut self, kind: &Kind, body: &Value) -> Value {
        match (text(body, &["kind"]), body.get("items").and_then(Value::as_array)) {
            ("Status", _) => self.status(body),
            (name, Some(items)) => {
                let items: Vec<Value> = items.iter().map(|item| self.object(kind, item)).collect();
                json!({"kind": name, "items": items})
            }
            (name, None) => {
                let mut object = self.object(kind, body);
                object["kind"] = name.into();
                object
            }
        }
    }

    fn object(&mut self, kind: &Kind, object: &Value) -> Value {
        let mut shown = json!({});
        for field in METADATA {
            if let Some(value) = at(object, &["metadata", field]) {
                shown[field] = value.clone();
            }
        }
        shown["uid"] = named(&mut self.uids, "uid", text(object, &["metadata", "uid"])).into();
        let version = text(object, &["metadata", "resourceVersion"]);
        shown["version"] = named(&mut self.versions, "version", version).into();
        if at(object, &["metadata", "deletionTimestamp"]).is_some() {
            shown["leaves"] = true.into();
        }
        for path in stored_fields(kind) {
            if let Some(value) = at(object, path) {
                shown[path.join(".")] = value.clone();
            }
        }
        shown
    }

    fn status(&mut self, body: &Value) -> Value {
        let mut shown = Map::new();
        for field in ["status", "reason", "code", "details"] {
            if let Some(value) = body.get(field) {
                shown.insert(field.to_owned(), value.clone());
            }
        }
        let mut message = text(body, &["message"]).to_owned();
        for (names, what) in [(&mut self.uids, "uid"), (&mut self.versions, "version")] {
            if let Some(known) = shown.get_mut("details").and_then(|details| details.get_mut(what))
            {
                *known = named(names, what, known.as_str().unwrap_or_default()).into();
            }
        }
        for (raw, name) in self.uids.iter().filter(|(raw, _)| !raw.is_empty()) {
            message = message.replace(raw, name);
        }
        // Versions are short numbers that occur in other places too, so only those in parentheses are replaced.
        for (raw, name) in self.versions.iter().filter(|(raw, _)| !raw.is_empty()) {
            message = message.replace(&format!("({raw})"), &format!("({name})"));
        }
        shown.insert("message".to_owned(), message.into());
        Value::Object(shown)
    }
}

fn named(names: &mut BTreeMap<String, String>, what: &str, raw: &str) -> String {
    let next = format!("{what}{}", names.len() + 1);
    names.entry(raw.to_owned()).or_insert(next).clone()
}
