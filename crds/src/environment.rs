//! `spec.environment`: the shop, its products and its customers.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{limit, union};

/// The shop, its products and its customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Environment {
    /// The products.
    pub catalog: Catalog,
    /// Kinds of tasks to train and evaluate on, in cycle: singleTurn states everything at once, multiTurn has a
    /// shopper who answers what is asked; with Persona, what the customer is like implies part of the wish.
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

/// The products. A catalog is a function of its preset and its seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::CATALOG.rule())]
pub struct Catalog {
    /// Generated products in Chinese: mini has about 2,400 in families of near-identical ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CatalogPreset")]
    pub preset: Option<CatalogPreset>,
    /// Seed of the generated products; another seed is another shop.
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

/// A kind of task.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Scenario {
    /// Everything is stated at once.
    SingleTurn,
    /// A persona implies part of it.
    SingleTurnPersona,
    /// The shopper answers what is asked.
    MultiTurn,
    /// Both.
    MultiTurnPersona,
}

impl Scenario {
    /// All kinds.
    pub const ALL: [Self; 4] =
        [Self::SingleTurn, Self::SingleTurnPersona, Self::MultiTurn, Self::MultiTurnPersona];
}

/// Turns after which an episode ends without a purchase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MaxTurns {
    /// In singleTurn and singleTurnPersona.
    #[schemars(transform = limit::TURNS.rule())]
    pub single_turn: i32,
    /// In multiTurn and multiTurnPersona, where asking takes turns too.
    #[schemars(transform = limit::TURNS.rule())]
    pub multi_turn: i32,
}

impl Default for MaxTurns {
    fn default() -> Self {
        Self { single_turn: 12, multi_turn: 12 }
    }
}
