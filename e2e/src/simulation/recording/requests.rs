//! The next request of a sequence.

use serde_json::{Value, json};

use super::super::api::{Kind, text};
use super::{NAMESPACE, Request, Sequence};

/// The kinds of the sequences. Repetition is weight.
pub(super) const KINDS: [&str; 14] = [
    "shoprljobs",
    "shoprljobs",
    "shoprljobs",
    "shoprljobs",
    "pods",
    "pods",
    "pods",
    "services",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "networkpolicies",
    "poddisruptionbudgets",
    "leases",
];

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
/// A UID of no object.
const WRONG: &str = "00000000-0000-0000-0000-000000000000";

impl Sequence {
    /// The next request; `None` at the end.
    #[allow(
        clippy::should_implement_trait,
        reason = "the next request depends on the answers in between"
    )]
    pub fn next(&mut self) -> Option<Request> {
        self.left = self.left.checked_sub(1)?;
        let name = format!("r{}-{}", self.number, ["a", "b"][self.random.below(2)]);
        Some(match self.random.below(20) {
            0..=4 => self.create(&name),
            5 => self.send("GET", &format!("/{name}"), "", Value::Null),
            6..=7 => self.list(),
            8..=10 => self.update(&name),
            11..=13 => self.update_status(&name),
            14 => self.merge(&name),
            15 => self.apply(&name),
            _ => self.delete(&name),
        })
    }

    fn send(
        &self,
        method: &'static str,
        rest: &str,
        content_type: &'static str,
        body: Value,
    ) -> Request {
        let path = format!("{}{rest}", self.kind.path(NAMESPACE));
        Request { method, path, content_type, body }
    }

    fn create(&mut self, name: &str) -> Request {
        let body = self.object(name);
        self.send("POST", "", JSON, body)
    }

    /// A small object that the real server accepts.
    fn object(&mut self, name: &str) -> Value {
        let label = ["x", "y"][self.random.below(2)];
        let labels = json!({"sequence": format!("r{}", self.number), "l": label});
        let number = self.random.below(3) + 1;
        let mut object = json!({
            "apiVersion": self.kind.api_version(), "kind": self.kind.kind,
            "metadata": {"name": name, "labels": labels},
        });
        if let Some((field, value)) = content(self.kind, number) {
            object[field] = value;
        }
        // Bound from the start or never, because the spec of a pod cannot change.
        if self.kind.plural == "pods" && name.ends_with('a') {
            object["spec"]["nodeName"] = "node1".into();
            object["spec"]["terminationGracePeriodSeconds"] = 20.into();
        }
        object
    }

    fn list(&mut self) -> Request {
        let more = ["", ",l=x", ",l!=x", ",l in (x,y)", ",!l", ",l"][self.random.below(6)];
        let selector = format!("sequence=r{}{more}", self.number);
        let encoded: String = selector
            .chars()
            .map(|letter| match letter {
                '=' | ',' | '!' | ' ' | '(' | ')' => format!("%{:02X}", u32::from(letter)),
                other => other.to_string(),
            })
            .collect();
        self.send("GET", &format!("?labelSelector={encoded}"), "", Value::Null)
    }

    /// A state from an earlier answer, the newest or an older one, or a new object.
    fn known(&mut self, name: &str) -> Value {
        let back = if self.random.once_in(3) { self.random.below(4) } else { 0 };
        let states = self.states.get(name).map_or(&[][..], Vec::as_slice);
        match states.len().checked_sub(back + 1).and_then(|at| states.get(at)) {
            Some(state) => state.clone(),
            None => self.object(name),
        }
    }

    fn update(&mut self, name: &str) -> Request {
        // The operator never updates claims with PUT.
        if self.kind.plural == "persistentvolumeclaims" {
            return self.merge(name);
        }
        let mut object = self.known(name);
        let number = self.random.below(3) + 1;
        match self.random.below(6) {
            0 => {
                drop(
                    object["metadata"]
                        .as_object_mut()
                        .and_then(|fields| fields.remove("resourceVersion")),
                );
            }
            1 => object["metadata"]["uid"] = WRONG.into(),
            2 => object["metadata"]["labels"]["l"] = "z".into(),
            _ if self.kind.plural == "shoprljobs" => {
                object["spec"]["roles"]["rollout"]["replicas"] = number.into();
            }
            _ if matches!(self.kind.plural, "configmaps" | "secrets") => {
                if let Some((field, value)) = content(self.kind, number) {
                    object[field] = value;
                }
            }
            _ => object["metadata"]["labels"]["l"] = format!("l{number}").into(),
        }
        self.send("PUT", &format!("/{name}"), JSON, object)
    }

    fn update_status(&mut self, name: &str) -> Request {
        if !matches!(self.kind.plural, "shoprljobs" | "pods") {
            return self.update(name);
        }
        let mut object = self.known(name);
        match self.random.below(6) {
            0 => {
                drop(
                    object["metadata"]
                        .as_object_mut()
                        .and_then(|fields| fields.remove("resourceVersion")),
                );
            }
            1 => object["metadata"]["uid"] = WRONG.into(),
            2 => object["metadata"]["labels"]["l"] = "status".into(),
            3 if self.kind.plural == "shoprljobs" => object["spec"]["suspend"] = true.into(),
            _ => {}
        }
        let phase = ["Pending", "Running", "Failed"][self.random.below(3)];
        object["status"]["phase"] = phase.into();
        self.send("PUT", &format!("/{name}/status"), JSON, object)
    }

    fn merge(&mut self, name: &str) -> Request {
        let patch = match self.random.below(4) {
            0 => json!({"metadata": {"labels": {"l": null}}}),
            1 => json!({"metadata": {"labels": {"l": "x"}}}),
            2 if self.kind.plural == "shoprljobs" => json!({"spec": {"suspend": true}}),
            _ => json!({"metadata": {"finalizers": null}}),
        };
        self.send("PATCH", &format!("/{name}"), MERGE, patch)
    }

    fn apply(&mut self, name: &str) -> Request {
        let mut object = self.object(name);
        if self.random.once_in(3) {
            object["metadata"]["labels"] = json!({"sequence": format!("r{}", self.number)});
        }
        self.send("PATCH", &format!("/{name}?force=true&fieldManager=recorder"), APPLY, object)
    }

    fn delete(&mut self, name: &str) -> Request {
        let known = self.known(name);
        let field = |field: &str| text(&known, &["metadata", field]).to_owned();
        let options = match self.random.below(8) {
            0 => json!({"preconditions": {"uid": WRONG}}),
            1..=2 if !field("uid").is_empty() => json!({"preconditions": {"uid": field("uid")}}),
            3 if !field("resourceVersion").is_empty() => {
                json!({"preconditions": {"resourceVersion": field("resourceVersion")}})
            }
            4 => json!({"propagationPolicy": "Foreground"}),
            5 => json!({"gracePeriodSeconds": 0}),
            6 => json!({"gracePeriodSeconds": 5}),
            _ => json!({}),
        };
        self.send("DELETE", &format!("/{name}"), JSON, options)
    }
}

/// The content of an object of a kind, in addition to its metadata.
fn content(kind: &Kind, number: usize) -> Option<(&'static str, Value)> {
    let value = format!("v{number}");
    Some(match kind.plural {
        "shoprljobs" => ("spec", json!({"roles": {"rollout": {"replicas": number}}})),
        "pods" => ("spec", json!({"containers": [{"name": "c", "image": "i"}]})),
        "services" => ("spec", json!({"selector": {"s": value}, "ports": [{"port": 80}]})),
        "configmaps" => ("data", json!({"k": value})),
        "secrets" => ("data", json!({"k": (["djE=", "djI=", "djM="][number - 1])})),
        "persistentvolumeclaims" => (
            "spec",
            json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}),
        ),
        "networkpolicies" => ("spec", json!({"podSelector": {"matchLabels": {"s": value}}})),
        "poddisruptionbudgets" => {
            ("spec", json!({"minAvailable": number, "selector": {"matchLabels": {"s": "v"}}}))
        }
        "leases" => ("spec", json!({"holderIdentity": value, "leaseDurationSeconds": 15})),
        _ => return None,
    })
}
