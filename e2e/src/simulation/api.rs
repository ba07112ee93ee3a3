//! A model of kube-apiserver: storage, versions, watches and answers.
//!
//! It models what a controller can observe: resource versions, generations, preconditions, conflicts, graceful deletion,
//! owners and finalizers. It validates nothing and sets defaults only for `ShopRLJob` and pods. `e2e/tests/it/recorded.rs`
//! compares its answers with those of a real API server.

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

use serde_json::Value;

pub use self::answer::{Answer, Change, failure};
pub use self::call::{Call, Verb};
pub use self::collect::collect;
pub use self::kind::{KINDS, Kind};
pub use self::server::{Entry, Event, Expired, Key, Server};

/// The string at `path` of an object; empty if there is none.
pub fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The value at `path` of an object.
pub fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name))
}

/// The UID of an object.
pub fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

/// Whether an object is being deleted.
pub fn is_leaving(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}

/// UIDs of the owners of an object.
pub fn owners(object: &Value) -> impl Iterator<Item = &str> {
    let owners = at(object, &["metadata", "ownerReferences"]).and_then(Value::as_array);
    owners.into_iter().flatten().map(|owner| text(owner, &["uid"]))
}
