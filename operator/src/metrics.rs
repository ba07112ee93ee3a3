//! The operator's metrics for Prometheus.

mod labels;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use labels::{Answer, EffectKind, Outcome, Phase, WriteReason};

use crate::events::reason::Reason;
use crate::rights::{Kind, Verb};

/// Prefix of every name.
const PREFIX: &str = "shoprl_operator";

/// Upper bounds of the histogram of reconciles, in seconds: from one without changes to one that waited for the API server.
const RECONCILE_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0];

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
struct ByWriteReason {
    why: WriteReason,
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

/// The metrics. Clones share their values.
#[derive(Debug, Clone)]
pub struct Metrics {
    reconciles: Family<ByOutcome, Counter>,
    reconcile_seconds: Histogram,
    requests: Family<Request, Counter>,
    status_writes: Family<ByWriteReason, Counter>,
    effects: Family<ByEffect, Counter>,
    events: Family<ByReason, Counter>,
    jobs: Family<ByPhase, Gauge>,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            reconciles: Family::default(),
            reconcile_seconds: Histogram::new(RECONCILE_SECONDS),
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
    /// All metrics in the text format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry()).expect("writing to a String cannot fail");
        text
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("reconciles", "Reconciles of jobs, by outcome", self.reconciles.clone());
        let help = "Duration of a reconcile of one job, in seconds";
        registry.register("reconcile_seconds", help, self.reconcile_seconds.clone());
        let help = "Requests to the API server, by verb, kind and answer";
        registry.register("api_requests", help, self.requests.clone());
        let help = "Status writes, by reason";
        registry.register("status_writes", help, self.status_writes.clone());
        registry.register("effects", "Effects applied for jobs, by kind", self.effects.clone());
        registry.register(
            "events",
            "Kubernetes events posted about jobs, by reason",
            self.events.clone(),
        );
        let help = "Jobs by phase, reported by the leader only";
        registry.register("jobs", help, self.jobs.clone());
        let help = "1 in the leader, 0 in a standby";
        registry.register("leader", help, self.leader.clone());
        registry
    }

    pub(crate) fn reconciled(&self, outcome: Outcome, took: Duration) {
        self.reconciles.get_or_create(&ByOutcome { outcome }).inc();
        self.reconcile_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn requested(&self, verb: Verb, kind: Kind, answer: Answer) {
        self.requests.get_or_create(&Request { verb, kind, answer }).inc();
    }

    /// Number of requests with this answer.
    pub fn requests(&self, verb: Verb, kind: Kind, answer: Answer) -> u64 {
        self.requests.get(&Request { verb, kind, answer }).map_or(0, |counter| counter.get())
    }

    pub(crate) fn wrote_status(&self, why: WriteReason) {
        self.status_writes.get_or_create(&ByWriteReason { why }).inc();
    }

    pub(crate) fn applied(&self, effect: EffectKind) {
        self.effects.get_or_create(&ByEffect { effect }).inc();
    }

    pub(crate) fn posted(&self, reason: Reason) {
        self.events.get_or_create(&ByReason { reason }).inc();
    }

    /// Sets whether this process is the leader, and so whether it reports jobs.
    pub(crate) fn set_leader(&self, is_leader: bool) {
        self.leader.set(i64::from(is_leader));
    }

    /// Replaces the number of jobs in each phase.
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
