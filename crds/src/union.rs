//! One-of objects: exactly one member is named. The member's object decides, so members have no
//! default of their own; the union's default lives where the union is used. A further member then
//! only adds.

use schemars::Schema;

use crate::limit::add_rule;

/// A one-of object's members, with the advice that is printed when not exactly one is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Union {
    /// Field names of the members.
    pub members: &'static [&'static str],
    /// What to write.
    pub remedy: &'static str,
}

impl Union {
    /// The schema's rule: one member, not several, not none.
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
    remedy: "name one kind of store, for example volumeClaim: {size: 1Gi} or existingClaim: {name: results}",
};
