//! How much a new status differs from the one before. It decides how soon the status is written.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use shoprl_crds::ShopRLJobStatus;

/// The largest change between two statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// The trainer's progress.
    Progress,
    /// Counts of pods, their nodes, and messages of conditions.
    Numbers,
    /// The status or reason of a condition, the phase, the intent or the failures.
    State,
}

impl Change {
    /// The largest change from `before` to `after`.
    pub fn between(before: &ShopRLJobStatus, after: &ShopRLJobStatus) -> Self {
        if before == after {
            return Self::None;
        }
        let without_progress =
            ShopRLJobStatus { progress: before.progress.clone(), ..after.clone() };
        if *before == without_progress {
            return Self::Progress;
        }
        let conditions =
            after.conditions.iter().map(|condition| with_message_of(before, condition));
        let without_numbers = ShopRLJobStatus {
            conditions: conditions.collect(),
            roles: before.roles.clone(),
            rollouts: before.rollouts,
            ..without_progress
        };
        if *before == without_numbers { Self::Numbers } else { Self::State }
    }
}

/// A condition with the message that its type had before.
fn with_message_of(before: &ShopRLJobStatus, condition: &Condition) -> Condition {
    let previous = before.conditions.iter().find(|previous| previous.type_ == condition.type_);
    let message = previous.unwrap_or(condition).message.clone();
    Condition { message, ..condition.clone() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shoprl_crds::ShopRLJobStatus;

    use super::Change;

    #[test]
    fn progress_is_a_smaller_change_than_numbers_and_numbers_than_state() {
        let condition = |status: &str, reason: &str, message: &str| {
            json!({"type": "RolesReady", "status": status, "reason": reason, "message": message,
                "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let waiting = condition("False", "Waiting", "rollout 1/4");
        let base = json!({
            "phase": "Starting", "attempt": 1, "rollouts": 4, "conditions": [waiting],
            "roles": [{"name": "rollout", "desired": 4, "ready": 1, "nodes": []}],
        });
        let read = |value: &Value| -> ShopRLJobStatus {
            serde_json::from_value(value.clone()).expect("a status")
        };
        let check = |changes: &[(&str, Value)], expected: Change| {
            let mut after = base.clone();
            for (field, value) in changes {
                after[field] = value.clone();
            }
            let found = Change::between(&read(&base), &read(&after));
            assert_eq!(found, expected, "{changes:?}");
        };
        let progress = json!({"phase": "training", "step": 3, "targetSteps": 10, "steps": "3/10",
            "weightsVersion": 7});
        let roles = json!([{"name": "rollout", "desired": 4, "ready": 2, "nodes": ["a"]}]);
        let message = json!([condition("False", "Waiting", "rollout 2/4")]);
        check(&[], Change::None);
        check(&[("progress", progress.clone())], Change::Progress);
        check(&[("roles", roles.clone())], Change::Numbers);
        check(&[("rollouts", json!(3))], Change::Numbers);
        check(&[("conditions", message.clone())], Change::Numbers);
        check(
            &[("roles", roles), ("conditions", message), ("progress", progress)],
            Change::Numbers,
        );
        check(&[("phase", json!("Running"))], Change::State);
        check(&[("attempt", json!(2))], Change::State);
        check(&[("conditions", json!([]))], Change::State);
        let refused = json!([condition("False", "Refused", "rollout 1/4")]);
        check(&[("conditions", refused)], Change::State);
        let ready = json!([condition("True", "AllReady", "every worker is ready")]);
        check(&[("conditions", ready), ("rollouts", json!(3))], Change::State);
    }
}
