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
fn a_job_has_the_pods_of_its_namespace_with_its_name_and_uid() {
    let pods = Pods::default();
    let check = |job: (&str, &str, &str), expected: &[&str]| {
        let found = pods.of(job.0, job.1, job.2);
        let found: Vec<&str> = found.iter().map(|pod| pod.name.as_str()).collect();
        assert_eq!(found, expected, "{job:?}");
    };
    let a = ("here", "a", "1");
    let mut unlabelled = pod("here", "d", "a", "1");
    unlabelled.metadata.labels = None;
    for pod in [
        pod("here", "c", "a", "1"),
        pod("here", "b", "a", "1"),
        // An earlier job with the name, another job, another namespace, and no labels.
        pod("here", "old", "a", "0"),
        pod("here", "e", "b", "2"),
        pod("there", "c", "a", "1"),
        unlabelled,
    ] {
        pods.observe(&Event::Apply(pod));
    }
    check(a, &["b", "c"]);
    check(("there", "a", "1"), &["c"]);
    check(("here", "b", "2"), &["e"]);
    // A pod moves to another job, or is deleted.
    assert!(pods.observe(&Event::Apply(pod("here", "b", "b", "2"))));
    // Repeated events and changes of other fields do not count.
    let mut again = pod("here", "b", "b", "2");
    again.metadata.annotations = Some([("a".to_owned(), "b".to_owned())].into());
    assert!(!pods.observe(&Event::Apply(again)));
    check(a, &["c"]);
    check(("here", "b", "2"), &["b", "e"]);
    pods.observe(&Event::Delete(pod("here", "c", "a", "1")));
    pods.observe(&Event::Delete(pod("here", "never", "a", "1")));
    check(a, &[]);
    // A list replaces the cache when it is complete.
    pods.observe(&Event::Init);
    pods.observe(&Event::InitApply(pod("here", "f", "a", "1")));
    check(("here", "b", "2"), &["b", "e"]);
    pods.observe(&Event::InitDone);
    check(a, &["f"]);
    check(("here", "b", "2"), &[]);
}

#[test]
fn a_deletion_is_noted_unless_the_pod_is_gone_or_replaced() {
    let pods = Pods::default();
    let deleting = |name: &str, uid: &str| {
        let mut pod = pod("here", name, "a", "1");
        pod.metadata.uid = Some(uid.to_owned());
        pod.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
        pod
    };
    pods.observe(&Event::Apply(pod("here", "b", "a", "1")));
    pods.observe(&Event::Apply(pod("here", "c", "a", "1")));
    for pod in [deleting("b", "b-id"), deleting("c", "earlier"), deleting("gone", "gone-id")] {
        pods.note_deleting(&pod);
    }
    let found = pods.of("here", "a", "1");
    let found: Vec<_> = found.iter().map(|pod| (&*pod.name, pod.gone_by.is_some())).collect();
    assert_eq!(found, [("b", true), ("c", false)]);
}

#[test]
fn a_created_pod_is_noted_unless_the_watch_was_faster() {
    let of = |version: &str| {
        let mut pod = pod("here", "b", "a", "1");
        pod.metadata.resource_version = Some(version.to_owned());
        pod
    };
    let check = |version: &str, meanwhile: &[Event<Pod>], expected: bool| {
        let pods = Pods::default();
        for event in [Event::Init, Event::InitDone, Event::Apply(of("7"))] {
            pods.observe(&event);
        }
        pods.observe(&Event::Delete(of("8")));
        let mark = pods.mark();
        for event in meanwhile {
            pods.observe(event);
        }
        pods.note_created(&of(version), mark);
        assert_eq!(pods.of("here", "a", "1").len() == 1, expected, "{version} {meanwhile:?}");
    };
    check("9", &[], true);
    check("9", &[Event::Apply(of("9"))], true);
    // It is gone already, a newer pod was observed, or its version is not a number.
    check("9", &[Event::Apply(of("9")), Event::Delete(of("10"))], false);
    check("9", &[Event::Delete(of("10"))], false);
    check("of old", &[], false);
    // It may have been created and deleted before the list.
    check("9", &[Event::Init, Event::InitDone], false);
    // Late events of an earlier pod with its name are ignored. Its own deletion is not.
    let pods = Pods::default();
    pods.note_created(&of("9"), pods.mark());
    let mut earlier = of("8");
    earlier.metadata.uid = Some("earlier".to_owned());
    for event in [Event::Apply(earlier.clone()), Event::Delete(earlier)] {
        assert!(!pods.observe(&event));
    }
    assert_eq!(pods.of("here", "a", "1").first().map(|pod| &*pod.uid), Some("b-id"));
    assert!(pods.observe(&Event::Delete(of("10"))));
    assert_eq!(pods.of("here", "a", "1"), []);
}

#[tokio::test]
async fn readers_wait_until_the_first_list_is_complete() {
    let pods = Pods::default();
    pods.observe(&Event::Apply(pod("here", "a", "a", "1")));
    assert!(pods.wait_until_listed().now_or_never().is_none() && !pods.are_listed());
    pods.observe(&Event::InitDone);
    let long = Duration::from_secs(5);
    timeout(long, pods.wait_until_listed()).await.expect("the list is complete");
    assert!(pods.are_listed());
}
