//! One-of objects: a manifest names exactly one member. Members have no default of their own; the
//! object that contains the union has one. Adding a member later is therefore compatible.

use schemars::Schema;

use crate::limit::add_rule;

/// The members of a one-of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Union {
    /// Field names of the members.
    pub members: &'static [&'static str],
    /// What to write when none or several are named.
    pub remedy: &'static str,
}

impl Union {
    /// The CEL rule: exactly one member.
    pub(crate) fn rule(self) -> impl FnMut(&mut Schema) {
        move |schema| {
            let named: Vec<_> =
                self.members.iter().map(|member| format!("has(self.{member})")).collect();
            add_rule(
                schema,
                &format!("[{}].exists_one(named, named)", named.join(", ")),
                self.remedy,
            );
        }
    }
}

/// `spec.environment.catalog`.
pub const CATALOG: Union =
    Union { members: &["preset"], remedy: "name the catalog, for example preset: mini" };
/// `spec.policy.model`.
pub const MODEL: Union =
    Union { members: &["preset"], remedy: "name the model, for example preset: nano" };
/// `spec.training.warmup`.
pub const WARMUP: Union =
    Union { members: &["sft"], remedy: "name the kind of warm-up, for example sft: {}" };
/// `spec.training.algorithm`.
pub const ALGORITHM: Union =
    Union { members: &["grpo"], remedy: "name the algorithm, for example grpo: {}" };
/// `spec.training.credit`.
pub const CREDIT: Union = Union {
    members: &["messageWise"],
    remedy: "name the kind of credit, for example messageWise: {mode: gated}",
};
/// `spec.checkpoint.store`.
pub const STORE: Union = Union {
    members: &["volumeClaim", "existingClaim"],
    remedy: "name exactly one kind of store, for example volumeClaim: {size: 1Gi} or existingClaim: {name: results}",
};
