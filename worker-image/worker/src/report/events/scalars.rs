//! The scalar series of a run.

use shoprl_contract::run_folder::{
    CreditMetric, Decoding, Evaluation, Subject, TrainingMetric, WarmupMetric,
};

use super::super::headline;
use super::super::measurement::measure;
use super::super::run::Run;

/// The values of one event.
pub(super) struct Point {
    /// Seconds since the start of the run, without evaluations.
    pub(super) seconds: f64,
    pub(super) step: u64,
    pub(super) values: Vec<(String, f64)>,
}

/// All scalars of a run: warm-up, training, then evaluations.
pub(super) fn points(run: &Run) -> Vec<Point> {
    let mut points = Vec::new();
    let mut seconds = 0.0;
    for row in &run.warmup {
        seconds += row.seconds;
        points.push(Point { seconds, step: row.step, values: tagged("warmup", warmup(row)) });
    }
    // Time at which each step ended, to place the evaluations.
    let mut done = vec![(0, seconds)];
    for row in &run.training {
        seconds += row.rollout_seconds + row.train_seconds;
        done.push((row.step, seconds));
        let mut values = tagged("training", training(row));
        values.extend(credit(&row.credit));
        points.push(Point { seconds, step: row.step, values });
    }
    let at = |step: u64| done.iter().rev().find(|(s, _)| *s <= step).map_or(0.0, |&(_, at)| at);
    let scripts = run.evaluations.values().filter(|row| row.decoding == Decoding::Scripted);
    let policy = [Decoding::Greedy, Decoding::Sampled].map(|decoding| run.policy(decoding));
    for evaluation in scripts.chain(policy.into_iter().flatten()) {
        let step = evaluation.step;
        points.push(Point { seconds: at(step), step, values: held_out(evaluation) });
    }
    points
}

fn tagged<'a>(group: &str, values: impl IntoIterator<Item = (&'a str, f64)>) -> Vec<(String, f64)> {
    values.into_iter().map(|(name, value)| (format!("{group}/{name}"), value)).collect()
}

fn warmup(row: &WarmupMetric) -> Vec<(&'static str, f64)> {
    let mut values = vec![
        ("tokens", row.tokens as f64),
        ("loss", row.loss),
        ("gradientNorm", row.gradient_norm),
        ("learningRate", row.learning_rate),
    ];
    if let Some(validation) = row.validation {
        values.push(("greedySuccess", validation.greedy_success));
        values.push(("sampledSuccess", validation.sampled_success));
    }
    values
}

fn training(row: &TrainingMetric) -> [(&'static str, f64); 15] {
    [
        ("reward", row.reward),
        ("success", row.success),
        ("finish", row.finish),
        ("turns", row.turns),
        ("episodeTokens", row.episode_tokens),
        ("entropy", row.entropy),
        ("kl", row.kl),
        ("clipShare", row.clip_share),
        ("gradientNorm", row.gradient_norm),
        ("filteredGroups", row.filtered_groups as f64),
        ("trainedTokens", row.trained_tokens as f64),
        ("sampledTokens", row.sampled_tokens as f64),
        ("creditKept", row.credit_kept),
        ("rolloutSeconds", row.rollout_seconds),
        ("trainSeconds", row.train_seconds),
    ]
}

fn credit(credit: &CreditMetric) -> Vec<(String, f64)> {
    let mut values = vec![("credit/massRatio".to_owned(), credit.mass_ratio)];
    values.extend(credit.auc.map(|auc| ("credit/auc".to_owned(), auc)));
    for (kind, of_kind) in &credit.kinds {
        values.push((format!("credit/trust/{kind}"), of_kind.trust));
        values.push((format!("credit/share/{kind}"), of_kind.share));
    }
    values
}

/// The policy's evaluations form one series per decoding, before, during and after training.
fn held_out(evaluation: &Evaluation) -> Vec<(String, f64)> {
    let Some(measured) = measure(&evaluation.episodes) else { return Vec::new() };
    let who = match evaluation.subject {
        Subject::Random => "random",
        Subject::SearchFirst => "searchFirst",
        Subject::Expert => "expert",
        Subject::Demonstrator => "demonstrator",
        Subject::Warmup | Subject::Progress | Subject::Trained => {
            headline::decoding(evaluation.decoding)
        }
    };
    let metrics = measured.metrics;
    tagged(
        &format!("heldOut/{who}"),
        [
            ("success", measured.success.mean),
            ("strict", metrics.strict),
            ("loose", metrics.loose),
            ("finish", metrics.finish),
            ("category", metrics.category),
            ("attribute", metrics.attribute),
            ("option", metrics.option),
            ("price", metrics.price),
            ("turns", measured.turns),
            ("tokens", measured.tokens),
        ],
    )
}
