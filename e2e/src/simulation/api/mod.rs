//! A model of kube-apiserver: storage, versions, watches and the answers that a client sees.
//!
//! It holds what a controller can notice: resource versions, generations, preconditions, conflicts, graceful
//! deletion, owners and finalizers. It validates nothing and defaults only the kind `ShopRLJob`. That it answers like
//! the real one is shown by `e2e/tests/recorded.rs`.

mod answer;
mod apply;
mod call;
mod collect;
mod delete;
mod kind;
mod managed;
mod selector;
mod server;
mod write;

pub use answer::{Answer, Change, failure};
pub use call::{Call, Verb};
pub use collect::collect;
pub use kind::{KINDS, Kind};
pub use server::{Entry, Event, Expired, Key, Server};

use serde_json::Value;

/// A text within an object; empty when there is none.
pub fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// What lies at `path` of an object.
pub fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name))
}

/// The unique id of an object.
pub fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

/// Whether an object is being deleted.
pub fn is_leaving(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}

/// Unique ids of an object's owners.
pub fn owners(object: &Value) -> impl Iterator<Item = &str> {
    let owners = at(object, &["metadata", "ownerReferences"]).and_then(Value::as_array);
    owners.into_iter().flatten().map(|owner| text(owner, &["uid"]))
}
