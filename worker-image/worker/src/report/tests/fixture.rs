//! A run folder with realistic rows, generated from a seed.

use std::fs;
use std::path::Path;

use serde::Serialize;
use shoprl_contract::run_folder::{
    Budget, CreditMetric, Decoding, EpisodeResult, Evaluation, KindCredit, Metric, Metrics,
    PhaseBudget, Subject, TrainingMetric, Validation, WarmupMetric, file,
};
use shoprl_contract::{
    CheckpointConfig, CreditConfig, CreditMode, EnvironmentConfig, EvaluationConfig, GrpoConfig,
    PolicyConfig, RewardConfig, RoleConfig, RolesConfig, RunConfig, ScenarioName, ScorerName,
    TrainingConfig, WarmupConfig, WarmupStop,
};
use shoprl_rl::seed::{Purpose, Stream};

pub(in crate::report) const STEPS: u64 = 60;
pub(in crate::report) const TASKS: u64 = 1000;

pub(in crate::report) const SCENARIOS: [ScenarioName; 4] = [
    ScenarioName::SingleTurn,
    ScenarioName::SingleTurnPersona,
    ScenarioName::MultiTurn,
    ScenarioName::MultiTurnPersona,
];

pub(in crate::report) fn config() -> RunConfig {
    let one = RoleConfig { replicas: 1 };
    RunConfig {
        version: 1,
        job: "quickstart".to_owned(),
        job_uid: "0b5e".to_owned(),
        manifest_digest: "c0ffee".to_owned(),
        seed: 7,
        environment: EnvironmentConfig {
            catalog: "mini".to_owned(),
            catalog_seed: 1,
            scenarios: SCENARIOS.to_vec(),
            max_turns_single: 12,
            max_turns_multi: 12,
        },
        policy: PolicyConfig { preset: "nano".to_owned(), max_action_tokens: 10, context: 400 },
        training: TrainingConfig {
            warmup: WarmupConfig {
                max_tokens: 2_000_000,
                batch: 8,
                learning_rate: 2e-3,
                matrix_learning_rate: 0.02,
                observation_weight: 0.3,
                hastiness: 0.25,
                stop: WarmupStop {
                    every_tokens: 200_000,
                    tasks: 100,
                    greedy_success: 0.35,
                    sampled_success: 0.06,
                },
            },
            grpo: GrpoConfig { group_size: 8, clip_low: 0.2, clip_high: 0.28, kl_coefficient: 0.0 },
            credit: CreditConfig { mode: CreditMode::Gated, scorer: ScorerName::Rules },
            reward: RewardConfig { success: 0.5, strict: 0.0, loose: 0.5 },
            steps: STEPS as u32,
            tasks_per_step: 16,
            learning_rate: 5e-4,
        },
        evaluation: EvaluationConfig { every_steps: 20, tasks: 200, final_tasks: TASKS as u32 },
        checkpoint: CheckpointConfig { every_steps: 10, keep: 3 },
        roles: RolesConfig { simulator: one, rollout: one, reward: one, trainer: one },
    }
}

/// Learning progress after `step`, from 0 to 1.
fn learned(step: u64) -> f64 {
    let steps = step as f64 / 18.0;
    1.0 - 1.0 / (1.0 + steps * steps)
}

fn mix(before: f64, after: f64, share: f64) -> f64 {
    before + (after - before) * share
}

pub(in crate::report) fn warmup_rows() -> Vec<WarmupMetric> {
    let row = |number: u64| {
        let share = number as f64 / 17.0;
        WarmupMetric {
            step: number * 110,
            tokens: number * 100_000,
            loss: mix(3.2, 0.55, share / (0.15 + share) * 1.15),
            gradient_norm: mix(2.4, 0.6, share),
            learning_rate: mix(2e-3, 2e-4, share),
            seconds: 4.6,
            validation: number.is_multiple_of(2).then(|| Validation {
                greedy_success: mix(0.0, 0.36, share),
                sampled_success: mix(0.0, 0.087, share),
            }),
        }
    };
    (1..=17).map(row).collect()
}

pub(in crate::report) fn training_rows(steps: u64) -> Vec<TrainingMetric> {
    (1..=steps)
        .map(|step| {
            let mut draw = Stream::new(7, Purpose::Sampling, &[step]);
            let mut noise = |size: f64| size * f64::from(draw.normal_f32());
            let share = learned(step);
            TrainingMetric {
                step,
                reward: mix(0.27, 0.63, share) + noise(0.03),
                success: (mix(0.09, 0.45, share) + noise(0.04)).max(0.0),
                finish: mix(0.82, 0.97, share),
                turns: mix(7.4, 6.3, share) + noise(0.1),
                episode_tokens: mix(138.0, 124.0, share),
                entropy: mix(0.52, 0.17, share) + noise(0.012),
                kl: 0.0,
                clip_share: 0.0,
                gradient_norm: 0.9 + noise(0.05),
                filtered_groups: step % 4,
                trained_tokens: 14_000 + 10 * step,
                sampled_tokens: 3_000,
                credit_kept: 0.8,
                credit: credit(share),
                rollout_seconds: 1.25,
                train_seconds: 0.7,
            }
        })
        .collect()
}

/// Trust in the verdicts on purchases grows; the policy never declines.
fn credit(share: f64) -> CreditMetric {
    let buy = KindCredit { trust: share, correlation: Some(0.4 * share), share: 0.3 };
    let search = KindCredit { trust: 0.0, correlation: None, share: 0.7 };
    let kinds = [("buy".to_owned(), buy), ("search".to_owned(), search)].into();
    CreditMetric { auc: Some(mix(0.5, 0.7, share)), mass_ratio: 1.0, kinds }
}

/// `tasks` episodes, of which a share of about `rate` succeeds. The same tasks are hard for all subjects.
pub(in crate::report) fn evaluation(
    subject: Subject,
    decoding: Decoding,
    step: u64,
    tasks: u64,
    rate: f64,
) -> Evaluation {
    let episode = |task: u64| {
        let scenario = SCENARIOS[task as usize % 4];
        let mut hard = Stream::new(7, Purpose::Task, &[task]);
        let mut own =
            Stream::new(7, Purpose::Evaluation, &[subject as u64, decoding as u64, step, task]);
        let easier =
            [0.12, -0.08, 0.06, -0.1][task as usize % 4] * (rate * (1.0 - rate)).sqrt() * 2.0;
        let common = if own.bernoulli(0.5) { hard.uniform_f64() } else { own.uniform_f64() };
        let success = f64::from(u8::from(common < rate + easier));
        let part = |draw: &mut Stream, chance: f64| {
            if success > 0.0 { 1.0 } else { f64::from(u8::from(draw.bernoulli(chance))) }
        };
        let (category, attribute) = (part(&mut own, 0.7), part(&mut own, 0.45));
        let (option, price) = (part(&mut own, 0.4), part(&mut own, 0.8));
        EpisodeResult {
            scenario,
            seed: 1_000_000 + task,
            metrics: Metrics {
                success,
                strict: category * attribute * option * price,
                loose: (category + attribute + option + price) / 4.0,
                finish: part(&mut own, 0.9),
                category,
                attribute,
                option,
                price,
            },
            turns: 4 + own.below(6) as u32,
            tokens: 90 + own.below(80) as u32,
        }
    };
    let seconds = tasks as f64 * 0.012;
    Evaluation { subject, decoding, step, seconds, episodes: (0..tasks).map(episode).collect() }
}

pub(in crate::report) fn before() -> Vec<Evaluation> {
    vec![
        evaluation(Subject::Warmup, Decoding::Greedy, 0, TASKS, 0.36),
        evaluation(Subject::Warmup, Decoding::Sampled, 0, TASKS, 0.09),
    ]
}

pub(in crate::report) fn during(steps: u64) -> Vec<Evaluation> {
    let at = |step| {
        evaluation(Subject::Progress, Decoding::Greedy, step, 200, mix(0.36, 0.53, learned(step)))
    };
    (1..=steps / 20).map(|n| at(n * 20)).collect()
}

pub(in crate::report) fn at_the_end() -> Vec<Evaluation> {
    vec![
        evaluation(Subject::Trained, Decoding::Greedy, STEPS, TASKS, 0.53),
        evaluation(Subject::Trained, Decoding::Sampled, STEPS, TASKS, 0.44),
        evaluation(Subject::Random, Decoding::Scripted, STEPS, TASKS, 0.0),
        evaluation(Subject::SearchFirst, Decoding::Scripted, STEPS, TASKS, 0.11),
        evaluation(Subject::Demonstrator, Decoding::Scripted, STEPS, TASKS, 0.45),
        evaluation(Subject::Expert, Decoding::Scripted, STEPS, TASKS, 0.92),
    ]
}

fn budget() -> Budget {
    let phase =
        |name: &str, seconds, tokens| PhaseBudget { name: name.to_owned(), seconds, tokens };
    Budget {
        phases: vec![
            phase("warmup", 78.2, 1_700_000),
            phase("validation", 9.6, 208_000),
            phase("rollout", 75.0, 1_150_000),
            phase("training", 42.0, 858_300),
            phase("evaluation", 7.44, 1_020_000),
        ],
    }
}

/// Writes a run up to `steps` with these evaluations; a finished run has its budget.
pub(in crate::report) fn write(
    folder: &Path,
    steps: u64,
    evaluations: &[Evaluation],
    finished: bool,
) {
    let put = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    put(file::RUN_CONFIG, serde_json::to_string(&config()).unwrap());
    let metrics = warmup_rows().into_iter().map(Metric::Warmup);
    let metrics: Vec<Metric> =
        metrics.chain(training_rows(steps).into_iter().map(Metric::Training)).collect();
    put(file::METRICS, lines(&metrics));
    put(file::EVALUATIONS, lines(evaluations));
    if finished {
        put(file::BUDGET, serde_json::to_string(&budget()).unwrap());
    }
}

/// The whole run.
pub(in crate::report) fn write_whole(folder: &Path) {
    write(folder, STEPS, &[before(), during(STEPS), at_the_end()].concat(), true);
}

pub(in crate::report) fn lines<T: Serialize>(rows: &[T]) -> String {
    rows.iter().map(|row| format!("{}\n", serde_json::to_string(row).unwrap())).collect()
}
