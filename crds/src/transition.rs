//! What may change while a job exists. The API server refuses everything else, with the way out.
//!
//! | | |
//! |---|---|
//! | any time | `suspend`, `ttlSecondsAfterFinished`, the replicas of the roles |
//! | while suspended, and in the update that ends it | `imagePullSecrets`, everything else below `roles` |
//! | never | the rest |

use schemars::Schema;

use crate::limit::add_rule;

/// A field of the spec that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    /// Its name below `spec`.
    pub field: &'static str,
    /// Why.
    pub reason: &'static str,
}

const DECIDES: &str = "decides the weights and cannot change";
const READ_ONCE: &str = "is read once, when the job begins, and cannot change";

/// The fields that never change.
pub const FIXED: [Fixed; 7] = [
    Fixed { field: "seed", reason: DECIDES },
    Fixed { field: "environment", reason: DECIDES },
    Fixed { field: "policy", reason: DECIDES },
    Fixed { field: "training", reason: DECIDES },
    Fixed { field: "evaluation", reason: READ_ONCE },
    Fixed { field: "checkpoint", reason: READ_ONCE },
    Fixed { field: "image", reason: "is fixed when the job is accepted and cannot change" },
];

/// The roles.
const ROLES: [&str; 4] = ["simulator", "rollout", "reward", "trainer"];
/// What changes below a role only while the job is suspended.
pub const OVERLAY: [&str; 10] = [
    "labels",
    "annotations",
    "nodeSelector",
    "tolerations",
    "affinity",
    "resources",
    "env",
    "priorityClassName",
    "schedulerName",
    "runtimeClassName",
];

/// The rules of the spec. A rule on a field itself would not run when the field is added or removed, so they stand here
/// and ask whether it is there.
pub(crate) fn rules(schema: &mut Schema) {
    for Fixed { field, reason } in FIXED {
        let message = format!("spec.{field} {reason}: apply the change under another name");
        add_rule(schema, &same(field), &message);
    }
    let mut while_suspended = |field: &str, same: &str, except: &str| {
        let message = format!(
            "spec.{field}{except} may change only while the job is suspended: set spec.suspend to true, then change it in the update that sets it to false, or before"
        );
        add_rule(schema, &format!("oldSelf.suspend || ({same})"), &message);
    };
    while_suspended("imagePullSecrets", &same("imagePullSecrets"), "");
    for role in ROLES {
        let whole = format!("self.roles.{role} == oldSelf.roles.{role}");
        let overlay = OVERLAY.map(|field| same(&format!("roles.{role}.{field}"))).join(" && ");
        // These are asked of every status that is written, too. Nearly always the whole role is what it was, and to ask that
        // first takes an API server half of the work: 6 ms of a processor for a status instead of 10.
        let (same, except) = match role {
            "trainer" => (whole, ""),
            _ => (format!("{whole} || {overlay}"), " (other than replicas)"),
        };
        while_suspended(&format!("roles.{role}"), &same, except);
    }
}

/// Neither changed nor added nor removed.
fn same(field: &str) -> String {
    let there = format!("has(self.{field})");
    format!("{there} == has(oldSelf.{field}) && (!{there} || self.{field} == oldSelf.{field})")
}
