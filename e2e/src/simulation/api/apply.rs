//! Server-side apply, modelled for one forcing manager per object.

use serde_json::Value;

use super::answer::another;
use super::managed::Paths;
use super::write::{bump, remove};
use super::{Answer, Call, Key, Server, uid};

impl Server {
    pub(super) fn apply(&mut self, call: &Call) -> Answer {
        let key = Key::new(call.kind, &call.namespace, &call.name);
        let owned = (key.clone(), call.manager.clone());
        let Some(old) = self.objects.get(&key).cloned() else {
            if !uid(&call.body).is_empty() {
                return another(call, uid(&call.body), "");
            }
            self.applied.insert(owned, call.body.clone());
            return self.store_new(call.kind, &key, call.body.clone());
        };
        let mut new = Value::clone(&old);
        // Fields that this manager no longer applies are removed, unless another client set them.
        let before = self.applied.insert(owned, call.body.clone());
        let touched = before.as_ref() != Some(&call.body);
        self.finalized.remove(&key);
        self.set_by_apply(&key, &old, &call.body);
        if let Some(before) = before {
            let none = Paths::new();
            let others = self.updated.get(&key).unwrap_or(&none);
            withdraw(&mut new, &before, &call.body, others, &mut Vec::new());
        }
        overlay(&mut new, &call.body);
        bump(call.kind, &old, &mut new);
        self.store_changed(call.kind, &old, new, touched)
    }
}

fn withdraw(
    object: &mut Value,
    before: &Value,
    now: &Value,
    others: &Paths,
    path: &mut Vec<String>,
) {
    let Some(before) = before.as_object() else { return };
    for (name, old) in before {
        path.push(name.clone());
        match (now.get(name), object.get_mut(name)) {
            (Some(now), Some(inner)) => withdraw(inner, old, now, others, path),
            (None, Some(_)) if !others.contains(path) => remove(object, name),
            _ => {}
        }
        path.pop();
    }
}

fn overlay(object: &mut Value, applied: &Value) {
    match (object, applied) {
        (Value::Object(object), Value::Object(applied)) => {
            for (name, value) in applied {
                overlay(object.entry(name).or_insert(Value::Null), value);
            }
        }
        (object, applied) => *object = applied.clone(),
    }
}
