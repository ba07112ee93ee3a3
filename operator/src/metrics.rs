//! What the operator counts, for Prometheus.

mod labels;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(crate) use labels::closed;
pub use labels::{Answer, EffectKind, Outcome, Phase, Why};

use crate::events::Reason;
use crate::rights::{Kind, Verb};

/// Begins every name.
const PREFIX: &str = "shoprl_operator";

/// Upper bounds of the histogram of passes, in seconds: from a pass that found nothing to one that waited for the API server.
const PASS_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    verb: Verb,
    kind: Kind,
    answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByWhy {
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByEffect {
    effect: EffectKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByPhase {
    phase: Phase,
}

/// The counters; clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    passes: Family<ByOutcome, Counter>,
    pass_seconds: Histogram,
    requests: Family<Request, Counter>,
    status_writes: Family<ByWhy, Counter>,
    effects: Family<ByEffect, Counter>,
    events: Family<ByReason, Counter>,
    jobs: Family<ByPhase, Gauge>,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            passes: Family::default(),
            pass_seconds: Histogram::new(PASS_SECONDS),
            requests: Family::default(),
            status_writes: Family::default(),
            effects: Family::default(),
            events: Family::default(),
            jobs: Family::default(),
            leader: Gauge::default(),
        }
    }
}

impl Metrics {
    /// All of them in the text format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry()).expect("a String takes everything that is written");
        text
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register(
            "reconciles",
            "Passes over a job, by how they ended",
            self.passes.clone(),
        );
        let help = "Seconds that a pass over a job took";
        registry.register("reconcile_seconds", help, self.pass_seconds.clone());
        let help = "Requests to the API server, by what it answered";
        registry.register("api_requests", help, self.requests.clone());
        let help = "Statuses written, by why";
        registry.register("status_writes", help, self.status_writes.clone());
        registry.register("effects", "What was done about jobs", self.effects.clone());
        registry.register("events", "Events posted about jobs", self.events.clone());
        let help = "Jobs by phase; only the leader tells";
        registry.register("jobs", help, self.jobs.clone());
        let help = "1 in the process that does the work, 0 in one that stands by";
        registry.register("leader", help, self.leader.clone());
        registry
    }

    pub(crate) fn passed(&self, outcome: Outcome, took: Duration) {
        self.passes.get_or_create(&ByOutcome { outcome }).inc();
        self.pass_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn requested(&self, verb: Verb, kind: Kind, answer: Answer) {
        self.requests.get_or_create(&Request { verb, kind, answer }).inc();
    }

    /// How many requests were answered so.
    pub fn requests(&self, verb: Verb, kind: Kind, answer: Answer) -> u64 {
        self.requests.get(&Request { verb, kind, answer }).map_or(0, |counter| counter.get())
    }

    pub(crate) fn wrote_status(&self, why: Why) {
        self.status_writes.get_or_create(&ByWhy { why }).inc();
    }

    pub(crate) fn applied(&self, effect: EffectKind) {
        self.effects.get_or_create(&ByEffect { effect }).inc();
    }

    pub(crate) fn posted(&self, reason: Reason) {
        self.events.get_or_create(&ByReason { reason }).inc();
    }

    /// Sets who does the work, and with it whether this process tells of jobs.
    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// Counts the jobs by phase anew.
    pub(crate) fn count_jobs<'a>(&self, phases: impl Iterator<Item = Option<&'a str>>) {
        self.jobs.clear();
        if self.leader.get() == 0 {
            return;
        }
        for phase in Phase::ALL {
            self.jobs.get_or_create(&ByPhase { phase: *phase }).set(0);
        }
        for phase in phases {
            self.jobs.get_or_create(&ByPhase { phase: Phase::of(phase) }).inc();
        }
    }
}

#[cfg(test)]
mod tests;
