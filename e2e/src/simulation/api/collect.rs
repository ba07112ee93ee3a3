//! The garbage collector: deletes objects whose owners no longer exist.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, Change, Key, Kind, Server, Verb, at, is_leaving, owners, text, uid};

/// Executes one deletion or one release; `None` without work.
pub fn collect(server: &mut Server) -> Option<Change> {
    let call = next(server)?;
    server.answer(&call).change
}

fn next(server: &Server) -> Option<Call> {
    let present: BTreeSet<&str> = server.everything().map(|(_, object)| uid(object)).collect();
    // In a foreground deletion the owner waits for its dependents.
    let waiting: BTreeSet<&str> = server
        .everything()
        .filter(|(_, object)| {
            is_leaving(object)
                && finalizers(object).any(|finalizer| finalizer == "foregroundDeletion")
        })
        .map(|(_, object)| uid(object))
        .collect();
    let mut held = BTreeSet::new();
    for (key, object) in server.everything() {
        let mut owned = false;
        let mut kept = false;
        for owner in owners(object) {
            owned = true;
            kept |= present.contains(owner) && !waiting.contains(owner);
            if waiting.contains(owner) {
                held.insert(owner);
            }
        }
        if owned && !kept && !is_leaving(object) {
            return Some(call(Verb::Delete, key, object));
        }
    }
    let free = server
        .everything()
        .find(|(_, object)| waiting.contains(uid(object)) && !held.contains(uid(object)));
    let (key, object) = free?;
    let left: Vec<&str> =
        finalizers(object).filter(|finalizer| *finalizer != "foregroundDeletion").collect();
    let mut next = call(Verb::Merge, key, object);
    next.body = json!({"metadata": {"finalizers": left}});
    Some(next)
}

fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let list = at(object, &["metadata", "finalizers"]).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

fn call(verb: Verb, key: &Key, object: &Value) -> Call {
    Call {
        verb,
        kind: Kind::find(key.kind.1, key.kind.0).expect("a key is made from a kind"),
        namespace: key.namespace.clone(),
        name: text(object, &["metadata", "name"]).to_owned(),
        subresource: String::new(),
        selector: String::new(),
        manager: String::new(),
        body: json!({"preconditions": {"uid": uid(object)}}),
    }
}
