//! Field ownership, as far as server-side apply depends on it: a field that a manager no longer applies is removed only if no
//! other client set it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Key, Server, at};

pub(super) type Paths = BTreeSet<Vec<String>>;

/// The parts of an object whose field ownership is modelled.
const OWNED: [&[&str]; 3] = [&["metadata", "labels"], &["spec"], &["data"]];

impl Server {
    /// POST, PUT and merge patches own the fields that they set.
    pub(super) fn set_by_update(&mut self, key: &Key, old: &Value, new: &Value) {
        // Pods are never applied; their specs are large and never change.
        let parts = if key.kind.0 == "pods" { &OWNED[..1] } else { &OWNED[..] };
        let mut changed = Paths::new();
        for part in parts {
            if let Some(new) = at(new, part) {
                let mut path = part.iter().map(|name| (*name).to_owned()).collect();
                collect(at(old, part), new, &mut path, &mut changed);
            }
        }
        for ((of, _), applied) in &mut self.applied {
            if of == key {
                changed.iter().for_each(|path| remove(applied, path));
            }
        }
        self.updated.entry(key.clone()).or_default().extend(changed);
    }

    /// A forced apply takes over the fields whose values it changes.
    pub(super) fn set_by_apply(&mut self, key: &Key, old: &Value, applied: &Value) {
        let Some(updated) = self.updated.get_mut(key) else { return };
        let value = |of: &Value, path: &[String]| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            at(of, &path).cloned()
        };
        updated.retain(|path| {
            value(applied, path).is_none_or(|applied| Some(applied) == value(old, path))
        });
    }
}

/// Paths of the leaves of `new` that differ from `old`. Lists are leaves.
fn collect(old: Option<&Value>, new: &Value, path: &mut Vec<String>, changed: &mut Paths) {
    if old == Some(new) {
        return;
    }
    let Some(fields) = new.as_object() else {
        changed.insert(path.clone());
        return;
    };
    for (name, value) in fields {
        path.push(name.clone());
        collect(old.and_then(|old| old.get(name)), value, path, changed);
        path.pop();
    }
}

fn remove(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(object, |object, name| object.get_mut(name));
    if let Some(fields) = parent.and_then(Value::as_object_mut) {
        fields.remove(last);
    }
}
