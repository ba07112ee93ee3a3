//! Fields that a user may add to the pods of a role: the types of Kubernetes that are useful for a worker.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{Affinity, EnvVar, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::limit::add_rule;

/// Prefix of labels and annotations that are reserved for the operator.
pub const OWN_PREFIX: &str = "shoprl.dev/";
/// The environment variable that is reserved for the operator.
pub const OWN_VARIABLE: &str = "POD_IP";
/// Remedy for a label with the reserved prefix.
pub const LABEL_REMEDY: &str =
    "labels with the prefix shoprl.dev/ are reserved for the operator: choose another prefix";
/// Remedy for an annotation with the reserved prefix.
pub const ANNOTATION_REMEDY: &str =
    "annotations with the prefix shoprl.dev/ are reserved for the operator: choose another prefix";
/// Remedy for the reserved variable.
pub const VARIABLE_REMEDY: &str = "POD_IP is reserved for the operator: choose another name";
/// Remedy for text that is not a quantity, and for a negative quantity.
pub const QUANTITY_REMEDY: &str = "write a number that is not negative, with a unit if needed: cpu 500m, memory 2Gi, nvidia.com/gpu 1";

/// The additions to the pods of a role.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodOverlay {
    /// Added to the operator's labels.
    pub labels: BTreeMap<String, String>,
    /// Added to the operator's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Labels that a node must have. An empty map selects every node.
    pub node_selector: BTreeMap<String, String>,
    /// Node taints that the pods tolerate.
    pub tolerations: Vec<Toleration>,
    /// Affinity to nodes and to other pods.
    pub affinity: Option<Affinity>,
    /// Each amount replaces the default for that resource.
    pub resources: Resources,
    /// Added to the operator's variables.
    pub env: Vec<EnvVar>,
    /// Name of an existing PriorityClass.
    pub priority_class_name: Option<String>,
    /// Name of the scheduler, if not the default one.
    pub scheduler_name: Option<String>,
    /// Name of an existing RuntimeClass.
    pub runtime_class_name: Option<String>,
}

/// Resources of a worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// Amounts reserved for the worker. The scheduler chooses a node that has them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "read_amounts")]
    #[schemars(transform = amounts)]
    pub requests: BTreeMap<String, Quantity>,
    /// Upper limits for the worker. Request devices here, for example nvidia.com/gpu.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "read_amounts")]
    #[schemars(transform = amounts)]
    pub limits: BTreeMap<String, Quantity>,
}

impl Resources {
    /// Whether no amount is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads amounts as the API server accepts them in a custom resource: whole numbers or text, no bare fractions.
fn read_amounts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Quantity>, D::Error> {
    let amounts = BTreeMap::<String, WholeOrText>::deserialize(deserializer)?;
    Ok(amounts.into_iter().map(|(name, amount)| (name, amount.0)).collect())
}

/// An amount as the API server accepts it.
pub(crate) struct WholeOrText(pub(crate) Quantity);

impl<'de> Deserialize<'de> for WholeOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeOrTextVisitor)
    }
}

struct WholeOrTextVisitor;

impl Visitor<'_> for WholeOrTextVisitor {
    type Value = WholeOrText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount: a whole number, or text such as 500m or \"0.5\" in quotes")
    }

    fn visit_i64<E>(self, number: i64) -> Result<WholeOrText, E> {
        Ok(WholeOrText(Quantity(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<WholeOrText, E> {
        Ok(WholeOrText(Quantity(number.to_string())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<WholeOrText, E> {
        // YAML's 1e3 is whole and reaches the API server as 1000.
        if number.fract() == 0.0 && number.abs() < 1e15 {
            return Ok(WholeOrText(Quantity(format!("{number:.0}"))));
        }
        Err(E::invalid_type(de::Unexpected::Float(number), &self))
    }

    fn visit_str<E>(self, text: &str) -> Result<WholeOrText, E> {
        Ok(WholeOrText(Quantity(text.to_owned())))
    }
}

/// A map from resource names to amounts.
fn amounts(schema: &mut Schema) {
    schema.insert("maxProperties".into(), json!(16));
    schema.insert(
        "additionalProperties".into(),
        json!({ "x-kubernetes-int-or-string": true, "maxLength": 32 }),
    );
    let rule =
        "self.all(name, isQuantity(string(self[name])) && !string(self[name]).startsWith('-'))";
    add_rule(schema, rule, QUANTITY_REMEDY);
}

/// A map without keys of the operator's prefix, with values of at most `max_length` characters.
fn guarded(max_length: usize, remedy: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| {
        bounded(max_length)(schema);
        add_rule(schema, &format!("self.all(key, !key.startsWith('{OWN_PREFIX}'))"), remedy);
    }
}

fn bounded(max_length: usize) -> impl FnMut(&mut Schema) {
    move |schema| {
        schema.insert("maxProperties".into(), json!(64));
        schema.insert(
            "additionalProperties".into(),
            json!({ "type": "string", "maxLength": max_length }),
        );
    }
}

/// Longest value of a label, in characters.
const MAX_LABEL_VALUE: usize = 63;

pub(crate) fn labels(schema: &mut Schema) {
    guarded(MAX_LABEL_VALUE, LABEL_REMEDY)(schema);
}

pub(crate) fn annotations(schema: &mut Schema) {
    guarded(4096, ANNOTATION_REMEDY)(schema);
}

pub(crate) fn node_selector(schema: &mut Schema) {
    bounded(MAX_LABEL_VALUE)(schema);
    schema.insert("x-kubernetes-map-type".into(), json!("atomic"));
}

pub(crate) fn tolerations(schema: &mut Schema) {
    schema.insert("maxItems".into(), json!(32));
    schema.insert("x-kubernetes-list-type".into(), json!("atomic"));
    terse(schema, Nested::FirstSentence);
}

pub(crate) fn environment(schema: &mut Schema) {
    schema.insert("maxItems".into(), json!(64));
    schema.insert("x-kubernetes-list-type".into(), json!("map"));
    schema.insert("x-kubernetes-list-map-keys".into(), json!(["name"]));
    terse(schema, Nested::FirstSentence);
    let item = schema.get_mut("items").and_then(Value::as_object_mut);
    if let Some(name) = item.and_then(|item| item["properties"]["name"].as_object_mut()) {
        name.insert("maxLength".to_owned(), json!(256));
    }
    add_rule(schema, &format!("self.all(it, it.name != '{OWN_VARIABLE}')"), VARIABLE_REMEDY);
}

pub(crate) fn affinity(schema: &mut Schema) {
    terse(schema, Nested::Nothing);
}

/// The name of another object.
pub(crate) fn object_name(schema: &mut Schema) {
    schema.insert("maxLength".into(), json!(253));
}

pub(crate) fn pull_secrets(schema: &mut Schema) {
    schema.insert("maxItems".into(), json!(8));
    schema.insert("x-kubernetes-list-type".into(), json!("map"));
    schema.insert("x-kubernetes-list-map-keys".into(), json!(["name"]));
    terse(schema, Nested::FirstSentence);
    let item = schema.get_mut("items").and_then(Value::as_object_mut);
    if let Some(name) = item.and_then(|item| item["properties"]["name"].as_object_mut()) {
        name.insert("maxLength".to_owned(), json!(253));
        name.insert("minLength".to_owned(), json!(1));
    }
}

/// How much of the descriptions of Kubernetes' types to keep. In full, and once per role, they would make up most of the
/// CRD; `kubectl explain pod.spec` prints them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nested {
    FirstSentence,
    Nothing,
}

/// Shortens every description below the top level.
fn terse(schema: &mut Schema, nested: Nested) {
    for (name, member) in schema.ensure_object() {
        if name != "description" {
            shorten(member, nested);
        }
    }
}

fn shorten(value: &mut Value, nested: Nested) {
    match value {
        Value::Object(members) => {
            // A field may be named "description" too; then the member is an object.
            if let Some(Value::String(text)) = members.get_mut("description") {
                match nested {
                    Nested::Nothing => drop(members.remove("description")),
                    Nested::FirstSentence => {
                        let end = text.find(". ").map_or(text.len(), |dot| dot + 1);
                        text.truncate(end);
                    }
                }
            }
            members.values_mut().for_each(|member| shorten(member, nested));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, nested)),
        _ => {}
    }
}
