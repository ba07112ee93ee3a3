//! Objects, their versions, and the history for watches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Change, failure, not_found};
use super::managed::Paths;
use super::{Answer, Call, Kind, Verb, selector, text};

/// The key of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Plural and group.
    pub kind: (&'static str, &'static str),
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Key {
    /// The key of an object.
    pub fn new(kind: &Kind, namespace: &str, name: &str) -> Self {
        Self {
            kind: (kind.plural, kind.group),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// A watch event.
#[derive(Debug, Clone)]
pub enum Event {
    /// The object is new for the watch, or changed.
    Applied(Arc<Value>),
    /// The last state of an object that was deleted or no longer matches.
    Deleted(Arc<Value>),
}

/// One change in the history of a kind.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Resource version of the change.
    pub version: u64,
    before: Option<Arc<Value>>,
    after: Option<Arc<Value>>,
    /// The last state of a deleted object, with the version of its deletion.
    last: Option<Arc<Value>>,
}

/// The version of a watch was compacted (410): the client must list again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired;

/// The API server and its etcd.
#[derive(Debug, Default)]
pub struct Server {
    pub(super) objects: BTreeMap<Key, Arc<Value>>,
    /// The last apply of each manager.
    pub(super) applied: BTreeMap<(Key, String), Value>,
    /// The fields set by other requests.
    pub(super) updated: BTreeMap<Key, Paths>,
    /// Objects to which the server added a finalizer. The next write gets a new version although it changes nothing: any write
    /// of a new claim, a status write of a job in foreground deletion. Recorded from a real server; the reason is unknown.
    pub(super) finalized: BTreeSet<Key>,
    history: BTreeMap<(&'static str, &'static str), Vec<Entry>>,
    version: u64,
    /// Changes up to this version are compacted.
    compacted: u64,
    ids: u64,
    /// Time of the server.
    pub now: Timestamp,
}

impl Server {
    /// The newest resource version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// One object.
    pub fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.objects.get(&Key::new(kind, namespace, name))
    }

    /// All objects of a kind, in the order of their names.
    pub fn all(&self, kind: &Kind) -> impl Iterator<Item = &Arc<Value>> {
        let first = Key::new(kind, "", "");
        let same = first.kind;
        self.objects
            .range(first..)
            .take_while(move |(key, _)| key.kind == same)
            .map(|(_, object)| object)
    }

    /// All objects of all kinds.
    pub fn everything(&self) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.objects.iter()
    }

    /// Answers a request.
    pub fn answer(&mut self, call: &Call) -> Answer {
        match call.verb {
            Verb::Get => match self.get(call.kind, &call.namespace, &call.name) {
                Some(object) => Answer::ok(object.clone()),
                None => not_found(call),
            },
            Verb::List => self.list(call),
            Verb::Create => self.create(call),
            Verb::Update | Verb::Merge => self.update(call),
            Verb::Apply => self.apply(call),
            Verb::Delete => self.delete(call),
        }
    }

    fn list(&self, call: &Call) -> Answer {
        let matching = self
            .all(call.kind)
            .filter(|object| {
                call.namespace.is_empty()
                    || text(object, &["metadata", "namespace"]) == call.namespace
            })
            .filter(|object| selector::matches(&call.selector, object));
        let items: Vec<Value> = matching.map(|object| Value::clone(object)).collect();
        Answer::ok(Arc::new(json!({
            "kind": format!("{}List", call.kind.kind), "apiVersion": call.kind.api_version(),
            "metadata": {"resourceVersion": self.version.to_string()}, "items": items,
        })))
    }

    /// The first event after `version` for a watch with `selector`, with its version.
    ///
    /// # Errors
    /// When the history does not reach back that far.
    pub fn next_event(
        &self,
        kind: &Kind,
        selector: &str,
        version: u64,
    ) -> Result<Option<(u64, Event)>, Expired> {
        if version < self.compacted {
            return Err(Expired);
        }
        let Some(history) = self.history.get(&(kind.plural, kind.group)) else { return Ok(None) };
        let first = history.partition_point(|entry| entry.version <= version);
        let matching = |object: &Option<Arc<Value>>| {
            object.as_ref().filter(|object| selector::matches(selector, object)).cloned()
        };
        let next = history[first..].iter().find_map(|entry| {
            let event = match (matching(&entry.before), matching(&entry.after)) {
                (_, Some(after)) => Event::Applied(after),
                (Some(before), None) => Event::Deleted(entry.last.clone().unwrap_or(before)),
                (None, None) => return None,
            };
            Some((entry.version, event))
        });
        Ok(next)
    }

    /// Compacts the history: watches that are not up to date expire.
    pub fn compact(&mut self) {
        self.history.clear();
        self.compacted = self.version;
    }

    pub(super) fn new_uid(&mut self) -> String {
        self.ids += 1;
        // The names of some children contain its first eight characters.
        format!(
            "{:08x}-0000-4000-8000-{:012x}",
            self.ids.wrapping_mul(0x9e37_79b1) & 0xffff_ffff,
            self.ids
        )
    }

    /// Stores a state with the next version, or removes the object.
    pub(super) fn store(
        &mut self,
        kind: &'static Kind,
        key: &Key,
        object: Option<Value>,
    ) -> (Option<Arc<Value>>, Change) {
        self.version += 1;
        let version = Value::from(self.version.to_string());
        let stamp = |mut object: Value| {
            object["metadata"]["resourceVersion"] = version.clone();
            Arc::new(object)
        };
        let after = object.map(stamp);
        let before = match &after {
            Some(after) => self.objects.insert(key.clone(), after.clone()),
            None => self.objects.remove(key),
        };
        let last = match &after {
            None => before.as_ref().map(|before| stamp(Value::clone(before))),
            Some(_) => None,
        };
        if after.is_none() {
            self.applied.retain(|(of, _), _| of != key);
            self.updated.remove(key);
            self.finalized.remove(key);
        }
        self.history.entry(key.kind).or_default().push(Entry {
            version: self.version,
            before: before.clone(),
            after: after.clone(),
            last: last.clone(),
        });
        (after.clone().or(last), Change { kind, before, after })
    }

    /// The answer for a path that the model does not support.
    pub fn unknown() -> Answer {
        let message = "the server could not find the requested resource";
        failure(404, "NotFound", message, json!({}))
    }
}
