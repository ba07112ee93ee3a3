//! Conversions between wire and shop: task keys, limits, end reasons and metrics.

use shoprl_contract::{RunConfig, ScenarioName, v1};
use shoprl_simulator::{ActionKind, End, Limits, Outcome, Scenario, Split, TaskKey};

/// The shop's scenario for a configured name.
pub(crate) fn scenario(name: ScenarioName) -> Scenario {
    match name {
        ScenarioName::SingleTurn => Scenario::SingleTurn,
        ScenarioName::SingleTurnPersona => Scenario::SingleTurnPersona,
        ScenarioName::MultiTurn => Scenario::MultiTurn,
        ScenarioName::MultiTurnPersona => Scenario::MultiTurnPersona,
    }
}

/// The configured name for a shop's scenario.
pub(crate) fn scenario_name(scenario: Scenario) -> ScenarioName {
    match scenario {
        Scenario::SingleTurn => ScenarioName::SingleTurn,
        Scenario::SingleTurnPersona => ScenarioName::SingleTurnPersona,
        Scenario::MultiTurn => ScenarioName::MultiTurn,
        Scenario::MultiTurnPersona => ScenarioName::MultiTurnPersona,
    }
}

/// A scenario as its wire value.
pub(crate) fn scenario_to_wire(scenario: Scenario) -> v1::Scenario {
    match scenario {
        Scenario::SingleTurn => v1::Scenario::SingleTurn,
        Scenario::SingleTurnPersona => v1::Scenario::SingleTurnPersona,
        Scenario::MultiTurn => v1::Scenario::MultiTurn,
        Scenario::MultiTurnPersona => v1::Scenario::MultiTurnPersona,
    }
}

/// A task key as its wire message.
pub(crate) fn to_wire(key: &TaskKey) -> v1::TaskKey {
    let scenario = scenario_to_wire(key.scenario);
    let split = match key.split {
        Split::Train => v1::Split::Train,
        Split::HeldOut => v1::Split::HeldOut,
    };
    v1::TaskKey { split: split.into(), scenario: scenario.into(), seed: key.seed }
}

/// The task key in a wire message; `Err` names the missing or invalid field.
pub(crate) fn from_wire(key: Option<&v1::TaskKey>) -> Result<TaskKey, String> {
    let key = key.ok_or("task: missing")?;
    let scenario = match key.scenario() {
        v1::Scenario::SingleTurn => Scenario::SingleTurn,
        v1::Scenario::SingleTurnPersona => Scenario::SingleTurnPersona,
        v1::Scenario::MultiTurn => Scenario::MultiTurn,
        v1::Scenario::MultiTurnPersona => Scenario::MultiTurnPersona,
        v1::Scenario::Unspecified => {
            return Err(format!("task.scenario: {} is not one of 1..4", key.scenario));
        }
    };
    let split = match key.split() {
        v1::Split::Train => Split::Train,
        v1::Split::HeldOut => Split::HeldOut,
        v1::Split::Unspecified => {
            return Err(format!("task.split: {} is not one of 1, 2", key.split));
        }
    };
    Ok(TaskKey { split, scenario, seed: key.seed })
}

/// The end reason of a session as its wire value.
pub(crate) fn end_to_wire(end: Option<End>) -> v1::EndReason {
    match end {
        None => v1::EndReason::Unspecified,
        Some(End::Bought) => v1::EndReason::Bought,
        Some(End::Declined) => v1::EndReason::Declined,
        Some(End::TurnLimit) => v1::EndReason::TurnLimit,
    }
}

/// Wire name of an action kind, equal to that of `shoprl_rl::credit::Kind`.
pub(crate) fn kind_name(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Search => "search",
        ActionKind::Open => "open",
        ActionKind::Details => "details",
        ActionKind::Option => "option",
        ActionKind::Page => "page",
        ActionKind::Back => "back",
        ActionKind::Ask => "ask",
        ActionKind::Buy => "buy",
        ActionKind::Decline => "decline",
        ActionKind::Invalid => "invalid",
    }
}

/// The metrics of an episode as their wire message.
pub(crate) fn metrics_to_wire(outcome: &Outcome) -> v1::Metrics {
    v1::Metrics {
        success: outcome.success,
        strict: outcome.strict,
        loose: outcome.loose,
        finish: outcome.finish,
        category: outcome.category,
        attribute: outcome.attribute,
        option: outcome.option,
        price: outcome.price,
    }
}

/// The job's turn limits.
pub(crate) fn limits(config: &RunConfig) -> Limits {
    Limits {
        single_turn: config.environment.max_turns_single,
        multi_turn: config.environment.max_turns_multi,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_key_survives_the_wire() {
        for split in [Split::Train, Split::HeldOut] {
            for scenario in Scenario::ALL {
                let key = TaskKey { split, scenario, seed: u64::MAX - 7 };
                assert_eq!(from_wire(Some(&to_wire(&key))), Ok(key));
            }
        }
        assert!(from_wire(None).is_err());
        assert!(from_wire(Some(&v1::TaskKey::default())).is_err());
    }
}
