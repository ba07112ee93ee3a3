//! The results of a run in sentences, and the names of subjects, decodings and scenarios.

use shoprl_contract::ScenarioName;
use shoprl_contract::run_folder::{Decoding, Subject};
use shoprl_rl::statistics::Interval;

use super::document::{Report, SubjectResult};
use super::number::{count, percent, points};

/// The effect of reinforcement learning, greedy decoding first.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let mut sentences = Vec::new();
    for decoding in [Decoding::Greedy, Decoding::Sampled] {
        let before = report.result(Subject::Warmup, decoding);
        let after = report.result(Subject::Trained, decoding);
        match (before, after) {
            (Some(before), Some(after)) => sentences.push(change(report, before, after)),
            (Some(before), None) => sentences.push(format!(
                "After warm-up the policy solves {} of {} held-out tasks ({}). It has not been measured \
                 after reinforcement learning.",
                percent(before.pooled.success.mean),
                count(before.pooled.tasks),
                self::decoding(decoding),
            )),
            _ => {}
        }
    }
    if sentences.is_empty() {
        sentences.push("The policy has not been measured on held-out tasks.".to_owned());
    }
    if report.idle_steps > 0 {
        sentences.push(format!(
            "In {} of {} steps all episodes of each group had the same reward, so nothing was learned.",
            count(report.idle_steps),
            count(report.steps)
        ));
    }
    sentences.extend(scripts(report));
    sentences
}

/// One line, for the title of the page and the picture.
pub(super) fn title(report: &Report) -> String {
    let rate = |subject| {
        let result = report.result(subject, Decoding::Greedy)?;
        Some(percent(result.pooled.success.mean))
    };
    match (rate(Subject::Warmup), rate(Subject::Trained)) {
        (Some(before), Some(after)) => {
            format!("{}: held-out success {before} → {after}", report.job)
        }
        (Some(before), None) => format!("{}: held-out success {before} after warm-up", report.job),
        _ => report.job.clone(),
    }
}

fn change(report: &Report, before: &SubjectResult, after: &SubjectResult) -> String {
    let (from, to) = (percent(before.pooled.success.mean), percent(after.pooled.success.mean));
    let tasks = count(after.pooled.tasks);
    let how = decoding(after.decoding);
    let Some(difference) = report.difference(after.decoding) else {
        return format!(
            "Held-out success is {from} after warm-up and {to} after reinforcement learning ({how}). \
             The two measurements use different tasks."
        );
    };
    let Interval { mean, low, high } = difference.pooled;
    let (mean, low, high) = (points(mean), points(low), points(high));
    let Interval { low: lowest, high: highest, .. } = difference.pooled;
    let what = if lowest > 0.0 {
        "raised"
    } else if highest < 0.0 {
        "lowered"
    } else {
        return format!(
            "Reinforcement learning did not measurably change success on {tasks} held-out tasks \
             ({how}): {from} before, {to} after, and the paired 95 % interval from {low} to {high} \
             points contains 0."
        );
    };
    format!(
        "Reinforcement learning {what} success on {tasks} held-out tasks from {from} to {to} ({how}): \
         {mean} points, paired 95 % interval {low} to {high}."
    )
}

/// The baselines' rates.
fn scripts(report: &Report) -> Option<String> {
    let rate = |subject| {
        let result = report.result(subject, Decoding::Scripted)?;
        Some(percent(result.pooled.success.mean))
    };
    let (expert, demonstrator) = (rate(Subject::Expert)?, rate(Subject::Demonstrator)?);
    let (first, random) = (rate(Subject::SearchFirst)?, rate(Subject::Random)?);
    Some(format!(
        "Baselines on the same tasks: the demonstrator of the warm-up {demonstrator}, the expert \
         script {expert}, buying the first search result {first}, random valid actions {random}."
    ))
}

/// Name of a row in the tables.
pub(super) fn name(subject: Subject, decoding: Decoding) -> String {
    let subject = self::subject(subject);
    match decoding {
        Decoding::Scripted => subject.to_owned(),
        _ => format!("{subject}, {}", self::decoding(decoding)),
    }
}

/// Name of a subject.
pub(super) fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Random => "random valid actions",
        Subject::SearchFirst => "first search result",
        Subject::Expert => "expert script",
        Subject::Demonstrator => "demonstrator",
        Subject::Warmup => "after warm-up",
        Subject::Progress => "during RL",
        Subject::Trained => "after RL",
    }
}

/// Name of a decoding.
pub(super) fn decoding(decoding: Decoding) -> &'static str {
    match decoding {
        Decoding::Scripted => "scripted",
        Decoding::Greedy => "greedy",
        Decoding::Sampled => "sampled",
    }
}

/// Name of a scenario.
pub(super) fn scenario(scenario: ScenarioName) -> &'static str {
    match scenario {
        ScenarioName::SingleTurn => "single turn",
        ScenarioName::SingleTurnPersona => "single turn, persona",
        ScenarioName::MultiTurn => "multi turn",
        ScenarioName::MultiTurnPersona => "multi turn, persona",
    }
}
