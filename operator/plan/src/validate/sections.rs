//! Converts each section of a spec to its part of the workers' contract.

use std::collections::BTreeSet;
use std::time::Duration;

use shoprl_contract::{
    CheckpointConfig, CreditConfig, CreditMode, EnvironmentConfig, EvaluationConfig, GrpoConfig,
    PolicyConfig, RewardConfig, RoleConfig, RolesConfig, ScenarioName, ScorerName, TrainingConfig,
    WarmupConfig, WarmupStop,
};
use shoprl_crds::overlay::QUANTITY_REMEDY;
use shoprl_crds::{
    CLAIM_REMEDY, CatalogPreset, Checkpoint, Environment, Evaluation, Grpo, MessageWise,
    ModelPreset, Policy, Reward, Roles, Scenario, Sft, Store, Training, VolumeClaim, limit, union,
};

use super::Storage;
use super::checks::Checks;
use crate::quantity::Amount;

/// Longest action in tokens, including its end token. The longest action of the shop's grammar has 10.
pub const MAX_ACTION_TOKENS: u32 = 12;
/// Longest episode in tokens. 12 turns of the mini shop take about 130, seldom more than 300.
pub const CONTEXT: u32 = 400;

pub(super) fn environment(checks: &mut Checks, environment: &Environment) -> EnvironmentConfig {
    let catalog = checks.member(
        "spec.environment.catalog",
        environment.catalog.preset.as_ref(),
        union::CATALOG,
    );
    let turns = &environment.max_turns;
    EnvironmentConfig {
        catalog: match catalog {
            CatalogPreset::Mini => "mini".to_owned(),
        },
        catalog_seed: checks.long(
            "spec.environment.catalog.seed",
            environment.catalog.seed,
            limit::SEED,
        ),
        scenarios: scenarios(checks, &environment.scenarios),
        max_turns_single: checks.count(
            "spec.environment.maxTurns.singleTurn",
            turns.single_turn,
            limit::TURNS,
        ),
        max_turns_multi: checks.count(
            "spec.environment.maxTurns.multiTurn",
            turns.multi_turn,
            limit::TURNS,
        ),
    }
}

fn scenarios(checks: &mut Checks, scenarios: &[Scenario]) -> Vec<ScenarioName> {
    const FIELD: &str = "spec.environment.scenarios";
    if scenarios.is_empty() {
        checks.refuse(FIELD, "[]".to_owned(), limit::SCENARIOS_REMEDY);
    }
    let names: Vec<_> = scenarios.iter().copied().map(scenario).collect();
    if scenarios.iter().collect::<BTreeSet<_>>().len() < scenarios.len() {
        let written = serde_json::to_string(&names).unwrap_or_default();
        checks.refuse(FIELD, written, "name each scenario once");
    }
    names
}

fn scenario(scenario: Scenario) -> ScenarioName {
    match scenario {
        Scenario::SingleTurn => ScenarioName::SingleTurn,
        Scenario::SingleTurnPersona => ScenarioName::SingleTurnPersona,
        Scenario::MultiTurn => ScenarioName::MultiTurn,
        Scenario::MultiTurnPersona => ScenarioName::MultiTurnPersona,
    }
}

pub(super) fn policy(checks: &mut Checks, policy: &Policy) -> PolicyConfig {
    let preset = checks.member("spec.policy.model", policy.model.preset.as_ref(), union::MODEL);
    PolicyConfig {
        preset: match preset {
            ModelPreset::Nano => "nano".to_owned(),
        },
        max_action_tokens: MAX_ACTION_TOKENS,
        context: CONTEXT,
    }
}

pub(super) fn training(checks: &mut Checks, training: &Training) -> TrainingConfig {
    let sft = checks.member("spec.training.warmup", training.warmup.sft.as_ref(), union::WARMUP);
    let grpo = checks.member(
        "spec.training.algorithm",
        training.algorithm.grpo.as_ref(),
        union::ALGORITHM,
    );
    let credit =
        checks.member("spec.training.credit", training.credit.message_wise.as_ref(), union::CREDIT);
    let episodes = i64::from(training.tasks_per_step) * i64::from(grpo.group_size);
    if episodes > limit::EPISODES_PER_STEP {
        checks.refuse(
            "spec.training",
            format!("a step of {episodes} episodes"),
            limit::EPISODES_REMEDY,
        );
    }
    TrainingConfig {
        warmup: warmup(checks, &sft),
        grpo: algorithm(checks, &grpo),
        credit: message_wise(&credit),
        reward: reward(checks, &training.reward),
        steps: checks.count("spec.training.steps", training.steps, limit::STEPS),
        tasks_per_step: checks.count(
            "spec.training.tasksPerStep",
            training.tasks_per_step,
            limit::TASKS_PER_STEP,
        ),
        learning_rate: checks.real(
            "spec.training.learningRate",
            training.learning_rate,
            limit::LEARNING_RATE,
        ),
    }
}

fn warmup(checks: &mut Checks, sft: &Sft) -> WarmupConfig {
    let at = |field: &str| format!("spec.training.warmup.sft.{field}");
    let stop = &sft.stop;
    WarmupConfig {
        max_tokens: checks.long(&at("maxTokens"), sft.max_tokens, limit::WARMUP_TOKENS),
        batch: checks.count(&at("batch"), sft.batch, limit::WARMUP_BATCH),
        learning_rate: checks.real(&at("learningRate"), sft.learning_rate, limit::LEARNING_RATE),
        matrix_learning_rate: checks.real(
            &at("matrixLearningRate"),
            sft.matrix_learning_rate,
            limit::LEARNING_RATE,
        ),
        observation_weight: checks.real(
            &at("observationWeight"),
            sft.observation_weight,
            limit::WEIGHT,
        ),
        hastiness: checks.real(&at("hastiness"), sft.hastiness, limit::PROBABILITY),
        stop: WarmupStop {
            every_tokens: checks.long(
                &at("stop.everyTokens"),
                stop.every_tokens,
                limit::STOP_TOKENS,
            ),
            tasks: checks.count(&at("stop.tasks"), stop.tasks, limit::TASKS),
            greedy_success: checks.real(
                &at("stop.greedySuccess"),
                stop.greedy_success,
                limit::PROBABILITY,
            ),
            sampled_success: checks.real(
                &at("stop.sampledSuccess"),
                stop.sampled_success,
                limit::PROBABILITY,
            ),
        },
    }
}

fn algorithm(checks: &mut Checks, grpo: &Grpo) -> GrpoConfig {
    let at = |field: &str| format!("spec.training.algorithm.grpo.{field}");
    GrpoConfig {
        group_size: checks.count(&at("groupSize"), grpo.group_size, limit::GROUP_SIZE),
        clip_low: checks.real(&at("clipLow"), grpo.clip_low, limit::CLIP_LOW),
        clip_high: checks.real(&at("clipHigh"), grpo.clip_high, limit::CLIP_HIGH),
        kl_coefficient: checks.real(
            &at("klCoefficient"),
            grpo.kl_coefficient,
            limit::KL_COEFFICIENT,
        ),
    }
}

fn message_wise(credit: &MessageWise) -> CreditConfig {
    CreditConfig {
        mode: match credit.mode {
            shoprl_crds::CreditMode::SampleWise => CreditMode::Off,
            shoprl_crds::CreditMode::Mask => CreditMode::Mask,
            shoprl_crds::CreditMode::Conserved => CreditMode::Conserved,
            shoprl_crds::CreditMode::Gated => CreditMode::Gated,
            shoprl_crds::CreditMode::Dense => CreditMode::Dense,
        },
        scorer: match credit.scorer {
            shoprl_crds::Scorer::Rules => ScorerName::Rules,
            shoprl_crds::Scorer::Random => ScorerName::Random,
            shoprl_crds::Scorer::Inverted => ScorerName::Inverted,
        },
    }
}

fn reward(checks: &mut Checks, reward: &Reward) -> RewardConfig {
    let config = RewardConfig {
        success: checks.real("spec.training.reward.success", reward.success, limit::WEIGHT),
        strict: checks.real("spec.training.reward.strict", reward.strict, limit::WEIGHT),
        loose: checks.real("spec.training.reward.loose", reward.loose, limit::WEIGHT),
    };
    if [config.success, config.strict, config.loose].iter().all(|weight| *weight <= 0.0) {
        let written = serde_json::to_string(&config).unwrap_or_default();
        checks.refuse("spec.training.reward", written, limit::REWARD_REMEDY);
    }
    config
}

pub(super) fn evaluation(checks: &mut Checks, evaluation: &Evaluation) -> EvaluationConfig {
    EvaluationConfig {
        every_steps: checks.count(
            "spec.evaluation.everySteps",
            evaluation.every_steps,
            limit::EVALUATION_STEPS,
        ),
        tasks: checks.count("spec.evaluation.tasks", evaluation.tasks, limit::TASKS),
        final_tasks: checks.count(
            "spec.evaluation.finalTasks",
            evaluation.final_tasks,
            limit::TASKS,
        ),
    }
}

pub(super) fn checkpoint(checks: &mut Checks, checkpoint: &Checkpoint) -> CheckpointConfig {
    CheckpointConfig {
        every_steps: checks.count(
            "spec.checkpoint.everySteps",
            checkpoint.every_steps,
            limit::CHECKPOINT_STEPS,
        ),
        keep: checks.count("spec.checkpoint.keep", checkpoint.keep, limit::CHECKPOINT_KEEP),
    }
}

pub(super) fn store(checks: &mut Checks, store: &Store) -> Storage {
    const FIELD: &str = "spec.checkpoint.store";
    match (&store.volume_claim, &store.existing_claim) {
        (Some(claim), None) => {
            if Amount::parse(&claim.size.0).is_none_or(|size| size < Amount::default()) {
                let field = format!("{FIELD}.volumeClaim.size");
                checks.refuse(&field, format!("{:?}", claim.size.0), QUANTITY_REMEDY);
            }
            let field = format!("{FIELD}.volumeClaim.storageClassName");
            checks.object_name(&field, claim.storage_class_name.as_ref());
            Storage::Claim(claim.clone())
        }
        (None, Some(claim)) => {
            let field = format!("{FIELD}.existingClaim");
            if claim.name.is_empty() {
                checks.refuse(&field, "a claim without name".to_owned(), CLAIM_REMEDY);
            } else {
                checks.object_name(&format!("{field}.name"), Some(&claim.name));
            }
            Storage::Existing(claim.name.clone())
        }
        (claim, _) => {
            let members = union::STORE.members;
            let written = match claim {
                Some(_) => format!("a store with both {}", members.join(" and ")),
                None => format!("a store with neither {}", members.join(" nor ")),
            };
            checks.refuse(FIELD, written, union::STORE.remedy);
            Storage::Claim(VolumeClaim::default())
        }
    }
}

/// How long a job is kept after it ended.
pub(super) fn ttl(checks: &mut Checks, seconds: Option<i32>) -> Option<Duration> {
    let checked = checks.count("spec.ttlSecondsAfterFinished", seconds?, limit::TTL);
    Some(Duration::from_secs(u64::from(checked)))
}

pub(super) fn roles(checks: &mut Checks, roles: &Roles) -> RolesConfig {
    let mut size = |role: &str, replicas: i32| RoleConfig {
        replicas: checks.count(&format!("spec.roles.{role}.replicas"), replicas, limit::REPLICAS),
    };
    RolesConfig {
        simulator: size("simulator", roles.simulator.replicas),
        rollout: size("rollout", roles.rollout.replicas),
        reward: size("reward", roles.reward.replicas),
        // There is exactly one trainer.
        trainer: RoleConfig { replicas: 1 },
    }
}
