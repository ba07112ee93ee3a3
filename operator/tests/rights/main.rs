//! The chart's rules on a real API server: with them the operator takes a job through its life and nothing is
//! forbidden; without any one of them, that one is missed.

#![allow(clippy::disallowed_methods, reason = "a test that acts as user and kubelet, and waits")]

mod election;
mod life;
mod server;

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::Api;
use kube::api::ListParams;
use shoprl_operator::metrics::Answer;
use shoprl_operator::rights::{Place, RIGHTS, Right};

use life::{Reach, World};
use server::ApiServer;

/// The rules of a file of the chart, with or without one right.
fn rules(place: Place, missing: Option<Right>) -> Vec<PolicyRule> {
    let file = match place {
        Place::Jobs => "rules.yaml",
        Place::Cluster => "cluster-rules.yaml",
        Place::Own => "own-rules.yaml",
    };
    let path = format!("{}/../charts/shoprl/files/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the chart is there");
    let text = text.replace("{{ .Release.Name }}", "shoprl");
    let mut rules: Vec<PolicyRule> = serde_yaml::from_str(&text).expect("rules are YAML");
    if let Some(missing) = missing {
        for rule in &mut rules {
            let of_kind = rule.resources.iter().flatten().any(|it| it == missing.kind.name());
            rule.verbs.retain(|verb| !of_kind || verb != missing.verb.name());
        }
    }
    // A rule without a verb is refused.
    rules.retain(|rule| !rule.verbs.is_empty());
    rules
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chart_s_rules_are_enough_and_each_of_them_is_needed() {
    let server = ApiServer::start().await;
    // For all namespaces; alone, as it would see to the others' jobs too.
    everything_goes(&server, "everywhere", false).await;
    let whole = everything_goes(&server, "one-namespace", true);
    let without = RIGHTS.iter().enumerate().map(|(index, right)| {
        let name = format!("without-{index}");
        let server = &server;
        async move { is_missed(server, &name, *right).await }
    });
    let ((), faults) = futures::join!(whole, join_all(without));
    let faults: Vec<String> = faults.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

async fn everything_goes(server: &ApiServer, name: &str, namespaced: bool) {
    let world = World::make(server, name, namespaced, None).await;
    let running = world.start(namespaced, !namespaced).await;
    world.live_until(&running, Reach::End).await.unwrap_or_else(|stuck| panic!("{name}: {stuck}"));
    let told = running.get("/metrics").await;
    assert!(told.contains("shoprl_operator_leader 1\n"), "{told}");
    assert!(told.contains("shoprl_operator_jobs{phase=\"Complete\"} 0\n"), "{told}");
    assert!(running.get("/readyz").await.ends_with("ok\n"));
    assert!(running.get("/healthz").await.ends_with("ok\n"));
    let metrics = running.metrics.clone();
    running.stop().await;
    // An operator of one namespace sees no nodes.
    for right in RIGHTS.iter().filter(|right| !namespaced || right.place != Place::Cluster) {
        let (verb, kind) = (right.verb, right.kind);
        // A lease that is not there yet may be asked for too.
        let done =
            [Answer::Ok, Answer::NotFound].map(|answer| metrics.requests(verb, kind, answer));
        assert!(done.iter().sum::<u64>() > 0, "{name}: nobody did {right:?}");
        assert_eq!(metrics.requests(verb, kind, Answer::Forbidden), 0, "{name}: {right:?}");
    }
    let leases: Api<Lease> = Api::namespaced(world.admin.clone(), name);
    let lease = leases.get("shoprl-operator").await.expect("the lease is there");
    let holder = lease.spec.and_then(|spec| spec.holder_identity);
    assert_eq!(holder.as_deref(), Some(""), "it was not given back");
    let events: Api<Event> = Api::namespaced(world.admin.clone(), name);
    let events = events.list(&ListParams::default()).await.expect("events");
    let reasons: Vec<String> = events.iter().filter_map(|event| event.reason.clone()).collect();
    let once: BTreeSet<&str> = reasons.iter().map(String::as_str).collect();
    let expected = ["AttemptStarted", "Complete", "Refused", "WorkerReplaced"];
    assert_eq!(once, BTreeSet::from(expected));
    // Two attempts began.
    assert_eq!(reasons.len(), expected.len() + 1, "{reasons:?}");
}

/// A fault unless the operator is seen to need the right.
async fn is_missed(server: &ApiServer, name: &str, right: Right) -> Option<String> {
    let world = World::make(server, name, true, Some(right)).await;
    let running = world.start(true, true).await;
    let (verb, kind) = (right.verb, right.kind);
    let missed = world.live_until(&running, Reach::Forbidden(verb, kind)).await;
    // Without a lease, nothing is given back.
    let _ = tokio::time::timeout(Duration::from_secs(10), running.stop()).await;
    missed.err().map(|stuck| format!("nothing misses {right:?}: {stuck}"))
}
