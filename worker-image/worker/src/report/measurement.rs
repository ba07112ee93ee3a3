//! Rates, means and paired differences over episodes.

use std::collections::BTreeMap;

use shoprl_contract::ScenarioName;
use shoprl_contract::run_folder::{Decoding, EpisodeResult, Evaluation, Metrics};
use shoprl_rl::statistics::{Z95, paired_difference, wilson};

use super::document::{Difference, Measurement};

/// Means over episodes; `None` if there are none.
pub(super) fn measure<'a>(
    episodes: impl IntoIterator<Item = &'a EpisodeResult>,
) -> Option<Measurement> {
    let episodes: Vec<&EpisodeResult> = episodes.into_iter().collect();
    if episodes.is_empty() {
        return None;
    }
    let mean = |value: &dyn Fn(&EpisodeResult) -> f64| {
        episodes.iter().map(|episode| value(episode)).sum::<f64>() / episodes.len() as f64
    };
    let tasks = episodes.len() as u64;
    let successes = episodes.iter().filter(|episode| succeeded(episode)).count() as u64;
    Some(Measurement {
        tasks,
        success: wilson(successes, tasks, Z95),
        metrics: Metrics {
            success: mean(&|episode| episode.metrics.success),
            strict: mean(&|episode| episode.metrics.strict),
            loose: mean(&|episode| episode.metrics.loose),
            finish: mean(&|episode| episode.metrics.finish),
            category: mean(&|episode| episode.metrics.category),
            attribute: mean(&|episode| episode.metrics.attribute),
            option: mean(&|episode| episode.metrics.option),
            price: mean(&|episode| episode.metrics.price),
        },
        turns: mean(&|episode| f64::from(episode.turns)),
        tokens: mean(&|episode| f64::from(episode.tokens)),
    })
}

/// [`measure`] for each scenario in `episodes`.
pub(super) fn by_scenario(episodes: &[EpisodeResult]) -> BTreeMap<ScenarioName, Measurement> {
    scenarios(episodes)
        .filter_map(|scenario| {
            let of_scenario = episodes.iter().filter(|episode| episode.scenario == scenario);
            Some((scenario, measure(of_scenario)?))
        })
        .collect()
}

/// Paired difference `after` minus `before`; `None` unless both cover the same two or more tasks.
pub(super) fn difference(
    decoding: Decoding,
    before: &Evaluation,
    after: &Evaluation,
) -> Option<Difference> {
    let same =
        |(a, b): (&EpisodeResult, &EpisodeResult)| (a.scenario, a.seed) == (b.scenario, b.seed);
    let (before, after) = (&before.episodes, &after.episodes);
    if before.len() != after.len() || !before.iter().zip(after).all(same) {
        return None;
    }
    let successes = |episodes: &[EpisodeResult], scenario: Option<ScenarioName>| -> Vec<f64> {
        let of_scenario =
            episodes.iter().filter(|episode| scenario.is_none_or(|s| s == episode.scenario));
        of_scenario.map(|episode| f64::from(u8::from(succeeded(episode)))).collect()
    };
    let paired =
        |scenario| paired_difference(&successes(after, scenario), &successes(before, scenario));
    Some(Difference {
        decoding,
        tasks: after.len() as u64,
        pooled: paired(None)?,
        scenarios: scenarios(after).filter_map(|s| Some((s, paired(Some(s))?))).collect(),
    })
}

/// The success metric is 0 or 1.
fn succeeded(episode: &EpisodeResult) -> bool {
    episode.metrics.success > 0.5
}

/// The distinct scenarios in `episodes`, in order.
fn scenarios(episodes: &[EpisodeResult]) -> impl Iterator<Item = ScenarioName> {
    let mut found: Vec<ScenarioName> = episodes.iter().map(|episode| episode.scenario).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter()
}
