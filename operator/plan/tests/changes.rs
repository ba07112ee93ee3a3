//! What may change while a job exists: manifests/changes.json, by the rules of the CRD. The end-to-end tests try the
//! same changes on a real API server.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

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
    serde_json::from_str(include_str!("manifests/changes.json")).unwrap()
}

/// The object as the API server keeps it.
fn object(schema: &Value, spec: &Value) -> Value {
    let written = json!({
        "apiVersion": "shoprl.dev/v1alpha1", "kind": "ShopRLJob", "metadata": {"name": "job"}, "spec": spec,
    });
    apply_defaults(schema, &written)
}

#[test]
fn every_change_is_taken_or_refused_as_the_table_says() {
    let schema = schema();
    for Change { change, was, now, refused } in changes() {
        let (was, now) = (object(&schema, &was), object(&schema, &now));
        let said = Validator::new().validate(&schema, &now, Some(&was)).err();
        let said: Vec<String> = said
            .map(|errors| errors.into_vec().into_iter().map(|error| error.message).collect())
            .unwrap_or_default();
        match refused {
            None => assert!(said.is_empty(), "{change}: {said:?}"),
            Some(words) => {
                assert!(said.iter().any(|said| said.starts_with(&words)), "{change}: {said:?}");
                let ways = ["apply the change under another name", "set spec.suspend to true"];
                let way_out = |said: &String| ways.iter().any(|way| said.contains(way));
                assert!(said.iter().all(way_out), "{change}: {said:?}");
            }
        }
    }
}

#[test]
fn every_field_that_is_fixed_or_fixed_while_running_is_in_the_table() {
    let changes = changes();
    let refused: BTreeSet<String> =
        changes.iter().filter_map(|change| change.refused.clone()).collect();
    for fixed in FIXED.iter().filter(|fixed| fixed.field != "policy") {
        let begins = format!("spec.{} ", fixed.field);
        assert!(refused.iter().any(|words| words.starts_with(&begins)), "{begins}");
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
    assert_eq!(known, decided, "a new field of the spec is in no row of the table");
    for role in ["simulator", "rollout", "reward", "trainer"] {
        let fields = spec["roles"]["properties"][role]["properties"].clone();
        let fields = fields.as_object().unwrap().keys().filter(|field| *field != "replicas");
        assert!(fields.map(String::as_str).eq(sorted(&OVERLAY)), "{role}");
    }
}

fn sorted<'a>(fields: &[&'a str]) -> Vec<&'a str> {
    fields.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}
