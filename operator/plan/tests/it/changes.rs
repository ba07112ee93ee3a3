//! Changes of an existing job, from manifests/changes.json, by the rules of the CRD. The cluster tests try the same
//! changes on a real API server.

use std::collections::BTreeSet;

use kube_cel::{Validator, apply_defaults};
use serde::Deserialize;
use serde_json::{Value, json};
use shoprl_crds::schema;
use shoprl_crds::transition::{FIXED, OVERLAY};

#[derive(Deserialize)]
struct Change {
    change: String,
    was: Value,
    now: Value,
    refused: Option<String>,
}

fn changes() -> Vec<Change> {
    serde_json::from_str(include_str!("../manifests/changes.json")).unwrap()
}

/// The object as the API server stores it.
fn object(schema: &Value, spec: &Value) -> Value {
    let written = json!({
        "apiVersion": "shoprl.dev/v1alpha1", "kind": "ShopRLJob", "metadata": {"name": "job"}, "spec": spec,
    });
    apply_defaults(schema, &written)
}

#[test]
fn every_change_is_accepted_or_refused_as_listed() {
    let schema = schema();
    for Change { change, was, now, refused } in changes() {
        let (was, now) = (object(&schema, &was), object(&schema, &now));
        let errors = Validator::new().validate(&schema, &now, Some(&was)).err();
        let messages: Vec<String> = errors
            .map(|errors| errors.into_vec().into_iter().map(|error| error.message).collect())
            .unwrap_or_default();
        match refused {
            None => assert!(messages.is_empty(), "{change}: {messages:?}"),
            Some(start) => {
                assert!(messages.iter().any(|it| it.starts_with(&start)), "{change}: {messages:?}");
                let remedies =
                    ["create a job with another name instead", "set spec.suspend to true"];
                let has_remedy = |message: &String| remedies.iter().any(|it| message.contains(it));
                assert!(messages.iter().all(has_remedy), "{change}: {messages:?}");
            }
        }
    }
}

#[test]
fn every_restricted_field_is_listed() {
    let changes = changes();
    let refused: BTreeSet<String> =
        changes.iter().filter_map(|change| change.refused.clone()).collect();
    for fixed in FIXED.iter().filter(|fixed| fixed.field != "policy") {
        let start = format!("spec.{} ", fixed.field);
        assert!(refused.iter().any(|message| message.starts_with(&start)), "{start}");
    }
    let text: String =
        changes.iter().map(|change| format!("{}{}", change.was, change.now)).collect();
    for field in OVERLAY {
        assert!(text.contains(&format!("\"{field}\"")), "{field}");
    }
    let spec = schema()["properties"]["spec"]["properties"].clone();
    let known: BTreeSet<String> = spec.as_object().unwrap().keys().cloned().collect();
    let any_time = ["suspend", "ttlSecondsAfterFinished"];
    let decided = FIXED.iter().map(|fixed| fixed.field).chain(any_time);
    let decided: BTreeSet<String> =
        decided.chain(["roles", "imagePullSecrets"]).map(str::to_owned).collect();
    assert_eq!(known, decided, "a new field of the spec is not listed");
    for role in ["simulator", "rollout", "reward", "trainer"] {
        let fields = spec["roles"]["properties"][role]["properties"].clone();
        let fields = fields.as_object().unwrap().keys().filter(|field| *field != "replicas");
        assert!(fields.map(String::as_str).eq(sorted(&OVERLAY)), "{role}");
    }
}

fn sorted<'a>(fields: &[&'a str]) -> Vec<&'a str> {
    fields.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}
