//! What a user may add to the pods of a role: Kubernetes' own types, as far as a worker has a use for them.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{Affinity, EnvVar, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::limit::add_rule;

/// Prefix of the labels and annotations that only the operator sets.
pub const OWN_PREFIX: &str = "shoprl.dev/";
/// The environment variable that only the operator sets.
pub const OWN_VARIABLE: &str = "POD_IP";
/// Advice about a label that clashes with the operator's.
pub const LABEL_REMEDY: &str =
    "labels that begin with shoprl.dev/ are the operator's own: choose another prefix";
/// Advice about an annotation that clashes with the operator's.
pub const ANNOTATION_REMEDY: &str =
    "annotations that begin with shoprl.dev/ are the operator's own: choose another prefix";
/// Advice about a variable that clashes with the operator's.
pub const VARIABLE_REMEDY: &str =
    "POD_IP is set by the operator, the worker listens there: choose another name";
/// Advice about something that is no quantity, or a negative one.
pub const QUANTITY_REMEDY: &str =
    "amounts are numbers from 0 with a unit behind them: cpu 500m, memory 2Gi, nvidia.com/gpu 1";

/// What is added to the pods of a role.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodOverlay {
    /// Beside the operator's labels.
    pub labels: BTreeMap<String, String>,
    /// Beside the operator's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Labels that a node must have; none selects every node.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that do not keep the pods away.
    pub tolerations: Vec<Toleration>,
    /// Finer wishes about nodes and neighbours.
    pub affinity: Option<Affinity>,
    /// Each amount replaces the default of that resource.
    pub resources: Resources,
    /// Beside the operator's variables.
    pub env: Vec<EnvVar>,
    /// An existing PriorityClass.
    pub priority_class_name: Option<String>,
    /// Another scheduler.
    pub scheduler_name: Option<String>,
    /// An existing RuntimeClass.
    pub runtime_class_name: Option<String>,
}

/// What a worker gets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// Set aside for the worker: what the scheduler looks for on a node.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "read_amounts")]
    #[schemars(transform = amounts)]
    pub requests: BTreeMap<String, Quantity>,
    /// The most that the worker may take. A device, for example nvidia.com/gpu, stands here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "read_amounts")]
    #[schemars(transform = amounts)]
    pub limits: BTreeMap<String, Quantity>,
}

impl Resources {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Amounts as the API server takes them in a kind of its own: whole numbers or text, no fractions.
fn read_amounts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Quantity>, D::Error> {
    let amounts = BTreeMap::<String, WholeOrText>::deserialize(deserializer)?;
    Ok(amounts.into_iter().map(|(name, amount)| (name, amount.0)).collect())
}

/// An amount as the API server takes it.
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
        f.write_str("an amount: a whole number, or text like 500m or \"0.5\" in quotes")
    }

    fn visit_i64<E>(self, number: i64) -> Result<WholeOrText, E> {
        Ok(WholeOrText(Quantity(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<WholeOrText, E> {
        Ok(WholeOrText(Quantity(number.to_string())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<WholeOrText, E> {
        // YAML's 1e3 is whole, and arrives at the API server as 1000.
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

/// A map whose keys leave the operator's prefix alone, with values of at most `longest` characters.
fn guarded(longest: usize, remedy: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| {
        bounded(longest)(schema);
        add_rule(schema, &format!("self.all(key, !key.startsWith('{OWN_PREFIX}'))"), remedy);
    }
}

fn bounded(longest: usize) -> impl FnMut(&mut Schema) {
    move |schema| {
        schema.insert("maxProperties".into(), json!(64));
        schema.insert(
            "additionalProperties".into(),
            json!({ "type": "string", "maxLength": longest }),
        );
    }
}

/// Longest value of a label.
const LABEL_VALUE: usize = 63;

pub(crate) fn labels(schema: &mut Schema) {
    guarded(LABEL_VALUE, LABEL_REMEDY)(schema);
}

pub(crate) fn annotations(schema: &mut Schema) {
    guarded(4096, ANNOTATION_REMEDY)(schema);
}

pub(crate) fn node_selector(schema: &mut Schema) {
    bounded(LABEL_VALUE)(schema);
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

/// A name of another object.
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

/// What is kept of the descriptions in Kubernetes' types. In full they would be most of the kind, four times over, and
/// `kubectl explain pod.spec` has them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nested {
    FirstSentence,
    Nothing,
}

/// Shortens every description below the top.
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
            // A field may itself be called description; its schema is an object.
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
