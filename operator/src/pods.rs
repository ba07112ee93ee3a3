//! A cache of the pods of all jobs, indexed by job, with the fields that planning reads. A reconcile costs time in the size
//! of its job, not of the cluster.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use shoprl_plan::cluster::{JOB_LABEL, ObservedPod};
use tokio::sync::watch;

/// Namespace and name.
type Place = (String, String);

/// The cached pods.
#[derive(Debug)]
pub struct Pods {
    state: RwLock<State>,
    listed: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    cache: Cache,
    /// The list that the watch is delivering. It replaces the cache when it is complete.
    list: Cache,
    /// Number of lists that started or ended.
    lists: u64,
    /// The newest version that the watch delivered.
    newest: u64,
}

/// The number of lists at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

#[derive(Debug, Default)]
struct Cache {
    /// Boxed, because a hash map allocates room for twice its entries, and for three times while it grows.
    pods: HashMap<Place, Box<Entry>>,
    /// Names of the pods of each job.
    jobs: HashMap<Place, BTreeSet<String>>,
}

#[derive(Debug)]
struct Entry {
    job: String,
    /// Uids of the owners.
    owners: Vec<String>,
    pod: ObservedPod,
    /// Version of the object that the entry was read from.
    version: Option<u64>,
}

impl Default for Pods {
    fn default() -> Self {
        Self { state: RwLock::default(), listed: watch::Sender::new(false) }
    }
}

impl Pods {
    /// Applies an event of the watch. `false` if it changes no field that planning reads. Most writes of the kubelet do not, and
    /// a pod that this process created is cached already.
    pub fn observe(&self, event: &Event<Pod>) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => {
                state.list = Cache::default();
                state.lists += 1;
            }
            Event::InitApply(pod) => {
                state.list.put(pod);
            }
            Event::InitDone => {
                state.cache = std::mem::take(&mut state.list);
                state.lists += 1;
                self.listed.send_replace(true);
            }
            Event::Apply(pod) => {
                state.newest = state.newest.max(version(&pod.metadata).unwrap_or(0));
                return state.cache.put(pod);
            }
            Event::Delete(pod) => {
                state.newest = state.newest.max(version(&pod.metadata).unwrap_or(0));
                let at = place(pod);
                // The deletion of an earlier pod may arrive after its successor with the same name was noted.
                return !state.cache.is_newer(&at, pod) && state.cache.remove(&at);
            }
        }
        true
    }

    /// The mark for `note_created`; to be taken before the request to create the pod.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.state.read().unwrap_or_else(PoisonError::into_inner).lists)
    }

    /// Caches a pod that this process created until the watch reports it; otherwise the next reconcile would create it again.
    /// Nothing is noted if the watch may already have reported its deletion, because the entry would never be removed. The
    /// watch delivers versions in order (KEP-5504), so that is the case if it delivered a newer version, or listed since `mark`.
    pub(crate) fn note_created(&self, pod: &Pod, mark: Mark) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let is_pending = version(&pod.metadata).is_some_and(|version| version > state.newest);
        if is_pending && Mark(state.lists) == mark {
            state.cache.put(pod);
        }
    }

    /// Notes that a pod is being deleted. A pod that is no longer cached is gone already.
    pub(crate) fn note_deleting(&self, pod: &Pod) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let cached = state.cache.pods.get_mut(&place(pod));
        let cached = cached.filter(|entry| pod.metadata.uid.as_ref() == Some(&entry.pod.uid));
        if let (Some(entry), Some(gone_by)) = (cached, &pod.metadata.deletion_timestamp) {
            entry.pod.gone_by = Some(gone_by.0);
        }
    }

    /// Returns when the first list is complete.
    pub async fn wait_until_listed(&self) {
        // `self` owns the sender, so the channel is open.
        let _ = self.listed.subscribe().wait_for(|listed| *listed).await;
    }

    /// Whether the first list is complete.
    pub fn are_listed(&self) -> bool {
        *self.listed.borrow()
    }

    /// The pods of a job, ordered by name.
    pub fn of(&self, namespace: &str, job: &str, job_uid: &str) -> Vec<ObservedPod> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let cache = &state.cache;
        let names = cache.jobs.get(&(namespace.to_owned(), job.to_owned())).into_iter().flatten();
        let entries =
            names.filter_map(|name| cache.pods.get(&(namespace.to_owned(), name.clone())));
        let ours = entries.filter(|entry| entry.owners.iter().any(|owner| owner == job_uid));
        ours.map(|entry| entry.pod.clone()).collect()
    }
}

impl Cache {
    /// Stores a pod, or removes it if it lacks the operator's labels. Returns whether anything changed.
    fn put(&mut self, pod: &Pod) -> bool {
        let at = place(pod);
        if self.is_newer(&at, pod) {
            return false;
        }
        let (Some(job), Some(observed)) = (pod.labels().get(JOB_LABEL), ObservedPod::of(pod))
        else {
            return self.remove(&at);
        };
        let owners: Vec<_> = pod.owner_references().iter().map(|owner| owner.uid.clone()).collect();
        let version = version(&pod.metadata);
        if let Some(cached) = self.pods.get_mut(&at)
            && (&cached.job, &cached.owners, &cached.pod) == (job, &owners, &observed)
        {
            cached.version = version;
            return false;
        }
        self.remove(&at);
        self.jobs.entry((at.0.clone(), job.clone())).or_default().insert(at.1.clone());
        let entry = Entry { job: job.clone(), owners, pod: observed, version };
        self.pods.insert(at, Box::new(entry));
        true
    }

    /// Whether the cached version is newer than the delivered one.
    fn is_newer(&self, at: &Place, delivered: &Pod) -> bool {
        let cached = self.pods.get(at).and_then(|entry| entry.version);
        cached.zip(version(&delivered.metadata)).is_some_and(|(cached, new)| cached > new)
    }

    /// Removes a pod. Returns whether it was cached.
    fn remove(&mut self, at: &Place) -> bool {
        let Some(entry) = self.pods.remove(at) else { return false };
        let job = (at.0.clone(), entry.job);
        if let Some(names) = self.jobs.get_mut(&job) {
            names.remove(&at.1);
            if names.is_empty() {
                self.jobs.remove(&job);
            }
        }
        true
    }
}

/// Resource versions of one kind are comparable numbers (KEP-5504; docs/decisions/0008-numeric-resource-versions.md).
pub(crate) fn version(object: &ObjectMeta) -> Option<u64> {
    object.resource_version.as_ref()?.parse().ok()
}

fn place(pod: &Pod) -> Place {
    (pod.namespace().unwrap_or_default(), pod.name_any())
}

#[cfg(test)]
mod tests;
