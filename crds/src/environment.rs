//! `spec.environment`: the shop, its products and its shoppers.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{limit, union};

/// The shop, its products and its shoppers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Environment {
    /// The product catalog.
    pub catalog: Catalog,
    /// Scenarios to train and evaluate on, in rotation.
    /// singleTurn: the first message states the whole request.
    /// multiTurn: the shopper answers questions about the request.
    /// singleTurnPersona, multiTurnPersona: the shopper's persona implies part of the request.
    #[schemars(transform = scenario_list)]
    pub scenarios: Vec<Scenario>,
    /// Turns after which an episode ends without a purchase.
    pub max_turns: MaxTurns,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            catalog: Catalog::default(),
            scenarios: Scenario::ALL.to_vec(),
            max_turns: MaxTurns::default(),
        }
    }
}

fn scenario_list(schema: &mut Schema) {
    schema.insert("maxItems".into(), json!(Scenario::ALL.len()));
    schema.insert("x-kubernetes-list-type".into(), json!("set"));
    limit::add_rule(schema, "size(self) >= 1", limit::SCENARIOS_REMEDY);
}

/// The product catalog: a function of its preset and its seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::CATALOG.rule())]
pub struct Catalog {
    /// Generated products with Chinese texts. mini: about 2,400 products in families of near-identical ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CatalogPreset")]
    pub preset: Option<CatalogPreset>,
    /// Seed of the generated products. A different seed gives a different shop.
    #[serde(default = "catalog_seed")]
    #[schemars(transform = limit::SEED.rule())]
    pub seed: i64,
}

fn catalog_seed() -> i64 {
    1
}

impl Default for Catalog {
    fn default() -> Self {
        Self { preset: Some(CatalogPreset::Mini), seed: catalog_seed() }
    }
}

/// A generated catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CatalogPreset {
    /// About 2,400 products.
    #[default]
    Mini,
}

/// The kind of a task.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Scenario {
    /// The first message states the whole request.
    SingleTurn,
    /// The first message states part of the request; the persona implies the rest.
    SingleTurnPersona,
    /// The shopper answers questions about the request.
    MultiTurn,
    /// The shopper answers questions, and the persona implies part of the request.
    MultiTurnPersona,
}

impl Scenario {
    /// All scenarios, in the default order.
    pub const ALL: [Self; 4] =
        [Self::SingleTurn, Self::SingleTurnPersona, Self::MultiTurn, Self::MultiTurnPersona];
}

/// Turns after which an episode ends without a purchase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MaxTurns {
    /// Limit in singleTurn and singleTurnPersona.
    #[schemars(transform = limit::TURNS.rule())]
    pub single_turn: i32,
    /// Limit in multiTurn and multiTurnPersona. A question takes a turn too.
    #[schemars(transform = limit::TURNS.rule())]
    pub multi_turn: i32,
}

impl Default for MaxTurns {
    fn default() -> Self {
        Self { single_turn: 12, multi_turn: 12 }
    }
}
