//! The garbage collector: what has owners and none of them is there any more goes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, Change, Key, Kind, Server, Verb, at, is_leaving, owners, text, uid};

/// One piece of its work; `None` when there is nothing to do.
pub fn collect(server: &mut Server) -> Option<Change> {
    let call = next(server)?;
    server.answer(&call).change
}

fn next(server: &Server) -> Option<Call> {
    let present: BTreeSet<&str> = server.everything().map(|(_, object)| uid(object)).collect();
    // In foreground the owner waits for its dependents.
    let waits: BTreeSet<&str> = server
        .everything()
        .filter(|(_, object)| {
            is_leaving(object) && finalizers(object).any(|it| it == "foregroundDeletion")
        })
        .map(|(_, object)| uid(object))
        .collect();
    let mut held = BTreeSet::new();
    for (key, object) in server.everything() {
        let mut owned = false;
        let mut kept = false;
        for owner in owners(object) {
            owned = true;
            kept |= present.contains(owner) && !waits.contains(owner);
            if waits.contains(owner) {
                held.insert(owner);
            }
        }
        if owned && !kept && !is_leaving(object) {
            return Some(call(Verb::Delete, key, object));
        }
    }
    let free = server
        .everything()
        .find(|(_, object)| waits.contains(uid(object)) && !held.contains(uid(object)));
    let (key, object) = free?;
    let left: Vec<&str> = finalizers(object).filter(|it| *it != "foregroundDeletion").collect();
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
