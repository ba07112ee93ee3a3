//! The pods of all jobs, as far as a plan looks at them, by job: a pass costs what its job has, not what the cluster has.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use shoprl_plan::cluster::{JOB_LABEL, ObservedPod};
use tokio::sync::watch;

/// A name in a namespace.
type Place = (String, String);

/// What the watch of pods told so far.
#[derive(Debug)]
pub struct Pods {
    state: RwLock<State>,
    listed: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    known: Known,
    /// A list that is on its way; what is known stays until it is whole.
    list: Known,
    /// How often a list began or ended.
    lists: u64,
    /// The newest version that the watch told of.
    newest: u64,
}

/// Where the watch was at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

#[derive(Debug, Default)]
struct Known {
    /// On the heap one by one: a table has room for twice as many, and for a while for three times.
    pods: HashMap<Place, Box<Entry>>,
    /// Names of the pods of each job.
    jobs: HashMap<Place, BTreeSet<String>>,
}

#[derive(Debug)]
struct Entry {
    job: String,
    /// Unique ids.
    owners: Vec<String>,
    pod: ObservedPod,
    /// The version of the object that it was read from.
    version: Option<u64>,
}

impl Default for Pods {
    fn default() -> Self {
        Self { state: RwLock::default(), listed: watch::Sender::new(false) }
    }
}

impl Pods {
    /// Takes in what the watch tells; `false` when it changes nothing that a plan looks at: the kubelet writes much more about
    /// a pod than that, and a pod that was made here is known already.
    pub fn see(&self, event: &Event<Pod>) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => {
                state.list = Known::default();
                state.lists += 1;
            }
            Event::InitApply(pod) => {
                state.list.put(pod);
            }
            Event::InitDone => {
                state.known = std::mem::take(&mut state.list);
                state.lists += 1;
                self.listed.send_replace(true);
            }
            Event::Apply(pod) => {
                state.newest = state.newest.max(version(&pod.metadata).unwrap_or(0));
                return state.known.put(pod);
            }
            Event::Delete(pod) => {
                state.newest = state.newest.max(version(&pod.metadata).unwrap_or(0));
                let at = place(pod);
                // The end of an earlier one of the name is told after the next one was made.
                return !state.known.is_newer(&at, pod) && state.known.take(&at);
            }
        }
        true
    }

    /// To be taken before a pod is asked for.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.state.read().unwrap_or_else(PoisonError::into_inner).lists)
    }

    /// A pod that was made since `mark`, before the watch tells of it: a pass that begins meanwhile would make it again. The
    /// watch tells in the order of versions (KEP-5504), so it may have told of this one and of its end already, in which case
    /// nothing would ever take it away again; and so may a list, which is why nothing is noted when one came in between.
    pub(crate) fn see_made(&self, pod: &Pod, mark: Mark) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let is_to_come = version(&pod.metadata).is_some_and(|version| version > state.newest);
        if is_to_come && Mark(state.lists) == mark {
            state.known.put(pod);
        }
    }

    /// A pod that was asked to leave. One that is not known any more is gone: what the watch told is newer.
    pub(crate) fn see_leaving(&self, pod: &Pod) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let known = state.known.pods.get_mut(&place(pod));
        let known = known.filter(|entry| pod.metadata.uid.as_ref() == Some(&entry.pod.uid));
        if let (Some(entry), Some(gone_by)) = (known, &pod.metadata.deletion_timestamp) {
            entry.pod.gone_by = Some(gone_by.0);
        }
    }

    /// Returns once they were listed.
    pub async fn wait_until_listed(&self) {
        // The sender is ours: it does not close before we are gone.
        let _ = self.listed.subscribe().wait_for(|listed| *listed).await;
    }

    /// Whether they were listed.
    pub fn are_listed(&self) -> bool {
        *self.listed.borrow()
    }

    /// Those of a job, by name.
    pub fn of(&self, namespace: &str, job: &str, job_uid: &str) -> Vec<ObservedPod> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let known = &state.known;
        let names = known.jobs.get(&(namespace.to_owned(), job.to_owned())).into_iter().flatten();
        let entries = names.filter_map(|it| known.pods.get(&(namespace.to_owned(), it.clone())));
        let ours = entries.filter(|entry| entry.owners.iter().any(|owner| owner == job_uid));
        ours.map(|entry| entry.pod.clone()).collect()
    }
}

impl Known {
    /// A pod without the operator's labels is nobody's. Returns whether anything changes.
    fn put(&mut self, pod: &Pod) -> bool {
        let at = place(pod);
        if self.is_newer(&at, pod) {
            return false;
        }
        let (Some(job), Some(seen)) = (pod.labels().get(JOB_LABEL), ObservedPod::of(pod)) else {
            return self.take(&at);
        };
        let owners: Vec<_> = pod.owner_references().iter().map(|it| it.uid.clone()).collect();
        let version = version(&pod.metadata);
        if let Some(known) = self.pods.get_mut(&at)
            && (&known.job, &known.owners, &known.pod) == (job, &owners, &seen)
        {
            known.version = version;
            return false;
        }
        self.take(&at);
        self.jobs.entry((at.0.clone(), job.clone())).or_default().insert(at.1.clone());
        let entry = Entry { job: job.clone(), owners, pod: seen, version };
        self.pods.insert(at, Box::new(entry));
        true
    }

    /// Whether what is known of a name is newer than what is told of it.
    fn is_newer(&self, at: &Place, told: &Pod) -> bool {
        let known = self.pods.get(at).and_then(|entry| entry.version);
        known.zip(version(&told.metadata)).is_some_and(|(known, told)| known > told)
    }

    /// Forgets one; returns whether it was known.
    fn take(&mut self, at: &Place) -> bool {
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

/// Resource versions of one kind are comparable numbers (KEP-5504).
pub(crate) fn version(object: &ObjectMeta) -> Option<u64> {
    object.resource_version.as_ref()?.parse().ok()
}

fn place(pod: &Pod) -> Place {
    (pod.namespace().unwrap_or_default(), pod.name_any())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;
    use k8s_openapi::api::core::v1::Pod;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;
    use kube::runtime::watcher::Event;
    use serde_json::json;
    use tokio::time::timeout;

    use super::Pods;

    fn pod(namespace: &str, name: &str, job: &str, owner: &str) -> Pod {
        let labels = json!({
            "shoprl.dev/job": job, "shoprl.dev/role": "rollout", "shoprl.dev/index": "0",
            "shoprl.dev/incarnation": "1",
        });
        let owners = json!([{"apiVersion": "v1", "kind": "J", "name": job, "uid": owner}]);
        let metadata = json!({
            "namespace": namespace, "name": name, "uid": format!("{name}-id"), "labels": labels,
            "ownerReferences": owners,
        });
        serde_json::from_value(json!({"metadata": metadata})).expect("a pod")
    }

    #[test]
    fn a_job_has_the_pods_that_carry_its_name_and_its_id_where_it_is() {
        let pods = Pods::default();
        let check = |job: (&str, &str, &str), expected: &[&str]| {
            let found = pods.of(job.0, job.1, job.2);
            let found: Vec<&str> = found.iter().map(|pod| pod.name.as_str()).collect();
            assert_eq!(found, expected, "{job:?}");
        };
        let a = ("here", "a", "1");
        let mut stranger = pod("here", "d", "a", "1");
        stranger.metadata.labels = None;
        for pod in [
            pod("here", "c", "a", "1"),
            pod("here", "b", "a", "1"),
            // An earlier job of the name, another job, another namespace, and no label.
            pod("here", "old", "a", "0"),
            pod("here", "e", "b", "2"),
            pod("there", "c", "a", "1"),
            stranger,
        ] {
            pods.see(&Event::Apply(pod));
        }
        check(a, &["b", "c"]);
        check(("there", "a", "1"), &["c"]);
        check(("here", "b", "2"), &["e"]);
        // It changes hands, or goes.
        assert!(pods.see(&Event::Apply(pod("here", "b", "b", "2"))));
        // Told again, and what no plan looks at.
        let mut again = pod("here", "b", "b", "2");
        again.metadata.annotations = Some([("a".to_owned(), "b".to_owned())].into());
        assert!(!pods.see(&Event::Apply(again)));
        check(a, &["c"]);
        check(("here", "b", "2"), &["b", "e"]);
        pods.see(&Event::Delete(pod("here", "c", "a", "1")));
        pods.see(&Event::Delete(pod("here", "never", "a", "1")));
        check(a, &[]);
        // A list replaces what is known, once it is whole.
        pods.see(&Event::Init);
        pods.see(&Event::InitApply(pod("here", "f", "a", "1")));
        check(("here", "b", "2"), &["b", "e"]);
        pods.see(&Event::InitDone);
        check(a, &["f"]);
        check(("here", "b", "2"), &[]);
    }

    #[test]
    fn a_pod_that_was_asked_to_leave_leaves_unless_it_is_gone_or_another_one() {
        let pods = Pods::default();
        let leaving = |name: &str, uid: &str| {
            let mut pod = pod("here", name, "a", "1");
            pod.metadata.uid = Some(uid.to_owned());
            pod.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
            pod
        };
        pods.see(&Event::Apply(pod("here", "b", "a", "1")));
        pods.see(&Event::Apply(pod("here", "c", "a", "1")));
        for pod in [leaving("b", "b-id"), leaving("c", "earlier"), leaving("gone", "gone-id")] {
            pods.see_leaving(&pod);
        }
        let found = pods.of("here", "a", "1");
        let found: Vec<_> = found.iter().map(|pod| (&*pod.name, pod.gone_by.is_some())).collect();
        assert_eq!(found, [("b", true), ("c", false)]);
    }

    #[test]
    fn a_pod_that_was_made_is_known_unless_the_watch_told_of_it_or_listed_since() {
        let of = |version: &str| {
            let mut pod = pod("here", "b", "a", "1");
            pod.metadata.resource_version = Some(version.to_owned());
            pod
        };
        let check = |version: &str, meanwhile: &[Event<Pod>], expected: bool| {
            let pods = Pods::default();
            for event in [Event::Init, Event::InitDone, Event::Apply(of("7"))] {
                pods.see(&event);
            }
            pods.see(&Event::Delete(of("8")));
            let mark = pods.mark();
            for event in meanwhile {
                pods.see(event);
            }
            pods.see_made(&of(version), mark);
            assert_eq!(pods.of("here", "a", "1").len() == 1, expected, "{version} {meanwhile:?}");
        };
        check("9", &[], true);
        check("9", &[Event::Apply(of("9"))], true);
        // It is gone already, another is newer, or its version says nothing.
        check("9", &[Event::Apply(of("9")), Event::Delete(of("10"))], false);
        check("9", &[Event::Delete(of("10"))], false);
        check("of old", &[], false);
        // It may have come and gone before the list.
        check("9", &[Event::Init, Event::InitDone], false);
        // What is told late of an earlier one of the name does not touch it; it goes as any other.
        let pods = Pods::default();
        pods.see_made(&of("9"), pods.mark());
        let mut earlier = of("8");
        earlier.metadata.uid = Some("earlier".to_owned());
        for event in [Event::Apply(earlier.clone()), Event::Delete(earlier)] {
            assert!(!pods.see(&event));
        }
        assert_eq!(pods.of("here", "a", "1").first().map(|pod| &*pod.uid), Some("b-id"));
        assert!(pods.see(&Event::Delete(of("10"))));
        assert_eq!(pods.of("here", "a", "1"), []);
    }

    #[tokio::test]
    async fn nobody_goes_on_before_the_first_list_is_whole() {
        let pods = Pods::default();
        pods.see(&Event::Apply(pod("here", "a", "a", "1")));
        assert!(pods.wait_until_listed().now_or_never().is_none() && !pods.are_listed());
        pods.see(&Event::InitDone);
        let long = Duration::from_secs(5);
        timeout(long, pods.wait_until_listed()).await.expect("it is");
        assert!(pods.are_listed());
    }
}
