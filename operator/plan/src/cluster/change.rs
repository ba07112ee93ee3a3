//! What a new status says beyond the one before: how soon it is worth a write follows from that.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use shoprl_crds::ShopRLJobStatus;

/// The most that changed between two statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// What the trainer says of its progress.
    Progress,
    /// How many pods are there and ready, on which nodes, and words about them.
    Numbers,
    /// A condition, the phase, what was intended or failed.
    State,
}

impl Change {
    /// What `after` says beyond `before`.
    pub fn between(before: &ShopRLJobStatus, after: &ShopRLJobStatus) -> Self {
        if before == after {
            return Self::None;
        }
        let told = ShopRLJobStatus { progress: before.progress.clone(), ..after.clone() };
        if *before == told {
            return Self::Progress;
        }
        let conditions = after.conditions.iter().map(|condition| with_words_of(before, condition));
        let told = ShopRLJobStatus {
            conditions: conditions.collect(),
            roles: before.roles.clone(),
            rollouts: before.rollouts,
            ..told
        };
        if *before == told { Self::Numbers } else { Self::State }
    }
}

/// A condition in the words that were used before for the same.
fn with_words_of(before: &ShopRLJobStatus, condition: &Condition) -> Condition {
    let known = before.conditions.iter().find(|known| known.type_ == condition.type_);
    let message = known.map_or_else(|| condition.message.clone(), |known| known.message.clone());
    Condition { message, ..condition.clone() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shoprl_crds::ShopRLJobStatus;

    use super::Change;

    #[test]
    fn numbers_and_the_words_about_them_are_less_than_a_condition_and_more_than_progress() {
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
        let words = json!([condition("False", "Waiting", "rollout 2/4")]);
        check(&[], Change::None);
        check(&[("progress", progress.clone())], Change::Progress);
        check(&[("roles", roles.clone())], Change::Numbers);
        check(&[("rollouts", json!(3))], Change::Numbers);
        check(&[("conditions", words.clone())], Change::Numbers);
        check(&[("roles", roles), ("conditions", words), ("progress", progress)], Change::Numbers);
        check(&[("phase", json!("Running"))], Change::State);
        check(&[("attempt", json!(2))], Change::State);
        check(&[("conditions", json!([]))], Change::State);
        let refused = json!([condition("False", "Refused", "rollout 1/4")]);
        check(&[("conditions", refused)], Change::State);
        let ready = json!([condition("True", "AllReady", "every worker is ready")]);
        check(&[("conditions", ready), ("rollouts", json!(3))], Change::State);
    }
}
