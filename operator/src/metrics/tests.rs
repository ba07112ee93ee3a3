use std::collections::BTreeSet;
use std::time::Duration;

use super::{Answer, EffectKind, Metrics, Outcome, Phase, WriteReason};
use crate::events::reason::Reason;
use crate::rights::{Kind, Verb};

/// Metrics in which every series has a value.
fn everything() -> Metrics {
    let metrics = Metrics::default();
    metrics.set_leader(true);
    for outcome in Outcome::ALL {
        metrics.reconciled(*outcome, Duration::from_millis(3));
    }
    for verb in Verb::ALL {
        for kind in Kind::ALL {
            for answer in Answer::ALL {
                metrics.requested(*verb, *kind, *answer);
            }
        }
    }
    WriteReason::ALL.iter().for_each(|why| metrics.wrote_status(*why));
    EffectKind::ALL.iter().for_each(|effect| metrics.applied(*effect));
    Reason::ALL.iter().for_each(|reason| metrics.posted(*reason));
    metrics.count_jobs(
        [None, Some("Running"), Some("Running"), Some("by another version")].into_iter(),
    );
    metrics
}

/// Names and values of all labels in the text.
fn labels(text: &str) -> BTreeSet<(String, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let inside = lines.filter_map(|line| Some(line.split_once('{')?.1.rsplit_once('}')?.0));
    let pairs = inside.flat_map(|labels| labels.split(','));
    pairs
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('"').to_owned()))
        })
        .collect()
}

#[test]
fn labels_come_from_closed_enums_only() {
    let names =
        |all: Vec<&'static str>| all.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let text = everything().text();
    let found = labels(&text);
    let known: BTreeSet<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        known,
        BTreeSet::from([
            "answer", "effect", "kind", "le", "outcome", "phase", "reason", "verb", "why"
        ])
    );
    let check = |label: &str, expected: Vec<&'static str>| {
        let values = found.iter().filter(|(name, _)| name == label).map(|(_, value)| value.clone());
        assert_eq!(values.collect::<BTreeSet<_>>(), names(expected), "{label}");
    };
    check("answer", Answer::ALL.iter().map(|it| it.name()).collect());
    check("effect", EffectKind::ALL.iter().map(|it| it.name()).collect());
    check("kind", Kind::ALL.iter().map(|it| it.name()).collect());
    check("outcome", Outcome::ALL.iter().map(|it| it.name()).collect());
    check("phase", Phase::ALL.iter().map(|it| it.name()).collect());
    check("reason", Reason::ALL.iter().map(|it| it.name()).collect());
    check("verb", Verb::ALL.iter().map(|it| it.name()).collect());
    check("why", WriteReason::ALL.iter().map(|it| it.name()).collect());
}

#[test]
fn only_the_leader_reports_jobs() {
    let metrics = everything();
    let text = metrics.text();
    for line in [
        "{phase=\"new\"} 1",
        "{phase=\"Running\"} 2",
        "{phase=\"other\"} 1",
        "{phase=\"Failed\"} 0",
    ] {
        assert!(text.contains(&format!("shoprl_operator_jobs{line}\n")), "{text}");
    }
    metrics.set_leader(false);
    metrics.count_jobs([Some("Running")].into_iter());
    assert!(!metrics.text().contains("shoprl_operator_jobs{"), "{text}");
}

/// Names of samples as they appear in queries, without the suffixes of histograms and counters.
fn named_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices("shoprl_operator_")
        .map(|(at, _)| text[at..].split(|c| !is_part(c)).next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn dashboard_and_alerts_name_existing_metrics_and_the_dashboard_shows_all() {
    let chart = |file: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/shoprl/files/");
        std::fs::read_to_string(format!("{folder}{file}")).unwrap()
    };
    let (dashboard, alerts) = (chart("dashboard.json"), chart("alerts.yaml"));
    let text = everything().text();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let exist: BTreeSet<String> =
        samples.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect();
    let (shown, watched) = (named_in(&dashboard), named_in(&alerts));
    for name in shown.iter().chain(&watched) {
        assert!(exist.contains(name), "{name} is not one of {exist:?}");
    }
    // The buckets of a histogram are enough.
    let missing: Vec<&String> = exist
        .iter()
        .filter(|name| !name.ends_with("_sum") && !name.ends_with("_count"))
        .filter(|name| !shown.contains(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?} is not on the dashboard");
    // Selectors, and the labels that sums are grouped by.
    let known = labels(&text);
    for selector in alerts.split("_total{").skip(1) {
        let selector = selector.split('}').next().unwrap_or_default();
        let (label, value) = selector.split_once('=').expect("a selector");
        let pair = (label.trim_end_matches('!').to_owned(), value.trim_matches('"').to_owned());
        assert!(known.contains(&pair), "{pair:?} never appears");
    }
    let groups = |text: &str| -> BTreeSet<String> {
        let by = text.split(" by (").skip(1);
        let names =
            by.filter_map(|rest| rest.split(')').next()).flat_map(|names| names.split(", "));
        names.map(str::to_owned).collect()
    };
    let mut names: BTreeSet<String> = known.into_iter().map(|(name, _)| name).collect();
    // Prometheus adds this label when it scrapes.
    names.insert("pod".to_owned());
    for group in groups(&dashboard).union(&groups(&alerts)) {
        assert!(names.contains(group), "no metric has the label {group}");
    }
}
