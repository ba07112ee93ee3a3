//! The table of settings.

use shoprl_contract::{CreditMode, RewardConfig, RunConfig, ScorerName};

use super::super::document::Report;
use super::table::Table;
use super::{count, headline};

/// The settings that determine the result.
pub(super) fn section(report: &Report) -> String {
    let mut table = Table::words(["setting", "value"]);
    for (name, value) in rows(&report.config) {
        table.row([name.to_owned(), value]);
    }
    format!("## Settings\n\n{table}\n")
}

fn rows(config: &RunConfig) -> Vec<(&'static str, String)> {
    let RunConfig { environment, policy, training, evaluation, roles, .. } = config;
    let (warmup, grpo) = (&training.warmup, &training.grpo);
    let scenarios: Vec<&str> =
        environment.scenarios.iter().map(|&name| headline::scenario(name)).collect();
    vec![
        ("seed", config.seed.to_string()),
        ("manifest digest", config.manifest_digest.clone()),
        ("catalog", format!("{}, seed {}", environment.catalog, environment.catalog_seed)),
        ("scenarios", scenarios.join("; ")),
        (
            "turn limits",
            format!(
                "{} single turn, {} multi turn",
                environment.max_turns_single, environment.max_turns_multi
            ),
        ),
        (
            "policy",
            format!(
                "{}, context {}, at most {} tokens per action",
                policy.preset, policy.context, policy.max_action_tokens
            ),
        ),
        (
            "warm-up",
            format!(
                "at most {} tokens, batch {}, AdamW {}, Muon {}, observation weight {}, hastiness {}",
                count(warmup.max_tokens),
                warmup.batch,
                warmup.learning_rate,
                warmup.matrix_learning_rate,
                warmup.observation_weight,
                warmup.hastiness
            ),
        ),
        (
            "GRPO",
            format!(
                "{} steps of {} tasks × {} episodes, AdamW {}, clip −{}/+{}, KL {}",
                training.steps,
                training.tasks_per_step,
                grpo.group_size,
                training.learning_rate,
                grpo.clip_low,
                grpo.clip_high,
                grpo.kl_coefficient
            ),
        ),
        ("reward", self::reward(&training.reward)),
        ("credit", credit(training.credit.mode, training.credit.scorer)),
        (
            "evaluation",
            format!(
                "every {} steps on {} tasks, finally on {}",
                evaluation.every_steps,
                count(evaluation.tasks.into()),
                count(evaluation.final_tasks.into())
            ),
        ),
        (
            "workers",
            format!(
                "{} simulator, {} rollout, {} reward, {} trainer",
                roles.simulator.replicas,
                roles.rollout.replicas,
                roles.reward.replicas,
                roles.trainer.replicas
            ),
        ),
    ]
}

/// The reward as a formula, without terms of weight 0.
pub(super) fn reward(weights: &RewardConfig) -> String {
    let terms =
        [("success", weights.success), ("strict", weights.strict), ("loose", weights.loose)];
    let terms: Vec<String> = terms
        .iter()
        .filter(|(_, weight)| *weight != 0.0)
        .map(|(name, weight)| format!("{weight} × {name}"))
        .collect();
    if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
}

fn credit(mode: CreditMode, scorer: ScorerName) -> String {
    let scorer = match scorer {
        ScorerName::Rules => "rules",
        ScorerName::Random => "random",
        ScorerName::Inverted => "inverted rules",
    };
    match mode {
        CreditMode::Off => "off: every token has the episode's advantage".to_owned(),
        CreditMode::Mask => format!("mask, scored by {scorer}"),
        CreditMode::Conserved => format!("conserved, scored by {scorer}"),
        CreditMode::Gated => format!("gated, scored by {scorer}"),
        CreditMode::Dense => format!("dense, scored by {scorer}"),
    }
}
