//! The operator on a real API server. With the chart's rules it runs a job through its life and no request is forbidden.
//! Each rule is needed.

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
    // The API server refuses a rule without verbs.
    rules.retain(|rule| !rule.verbs.is_empty());
    rules
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_of_the_chart_are_sufficient_and_each_is_needed() {
    let server = ApiServer::start().await;
    // For all namespaces. It runs alone, because it would reconcile the other tests' jobs too.
    works_without_a_denial(&server, "everywhere", false).await;
    let whole = works_without_a_denial(&server, "one-namespace", true);
    let without = RIGHTS.iter().enumerate().map(|(index, right)| {
        let name = format!("without-{index}");
        let server = &server;
        async move { needs(server, &name, *right).await }
    });
    let ((), faults) = futures::join!(whole, join_all(without));
    let faults: Vec<String> = faults.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

async fn works_without_a_denial(server: &ApiServer, name: &str, namespaced: bool) {
    let world = World::make(server, name, namespaced, None).await;
    let running = world.start(namespaced, !namespaced).await;
    world.live_until(&running, Reach::End).await.unwrap_or_else(|state| panic!("{name}: {state}"));
    let metrics = running.get("/metrics").await;
    assert!(metrics.contains("shoprl_operator_leader 1\n"), "{metrics}");
    assert!(metrics.contains("shoprl_operator_jobs{phase=\"Complete\"} 0\n"), "{metrics}");
    assert!(running.get("/readyz").await.ends_with("ok\n"));
    assert!(running.get("/healthz").await.ends_with("ok\n"));
    let metrics = running.metrics.clone();
    running.stop().await;
    // An operator of one namespace watches no nodes.
    for right in RIGHTS.iter().filter(|right| !namespaced || right.place != Place::Cluster) {
        let (verb, kind) = (right.verb, right.kind);
        // A lease that does not exist yet may be read too.
        let done =
            [Answer::Ok, Answer::NotFound].map(|answer| metrics.requests(verb, kind, answer));
        assert!(done.iter().sum::<u64>() > 0, "{name}: {right:?} was never used");
        assert_eq!(metrics.requests(verb, kind, Answer::Forbidden), 0, "{name}: {right:?}");
    }
    let leases: Api<Lease> = Api::namespaced(world.admin.clone(), name);
    let lease = leases.get("shoprl-operator").await.expect("the lease is there");
    let holder = lease.spec.and_then(|spec| spec.holder_identity);
    assert_eq!(holder.as_deref(), Some(""), "it was not released");
    let events: Api<Event> = Api::namespaced(world.admin.clone(), name);
    let events = events.list(&ListParams::default()).await.expect("events");
    let reasons: Vec<String> = events.iter().filter_map(|event| event.reason.clone()).collect();
    let once: BTreeSet<&str> = reasons.iter().map(String::as_str).collect();
    let expected = ["AttemptStarted", "Complete", "Refused", "WorkerReplaced"];
    assert_eq!(once, BTreeSet::from(expected));
    // Two attempts started.
    assert_eq!(reasons.len(), expected.len() + 1, "{reasons:?}");
}

/// A description of the state if the operator works without the right.
async fn needs(server: &ApiServer, name: &str, right: Right) -> Option<String> {
    let world = World::make(server, name, true, Some(right)).await;
    let running = world.start(true, true).await;
    let (verb, kind) = (right.verb, right.kind);
    let missed = world.live_until(&running, Reach::Forbidden(verb, kind)).await;
    // Without rights on the lease, the release fails.
    let _ = tokio::time::timeout(Duration::from_secs(10), running.stop()).await;
    missed.err().map(|state| format!("{right:?} is not needed: {state}"))
}
