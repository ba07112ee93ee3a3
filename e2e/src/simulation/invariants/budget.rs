//! Restart budgets: each failure is counted once and in the right class.

use serde_json::Value;

use super::super::api::{text, uid};
use super::{Evidence, Fate, Invariants, end_condition};

/// Window of the budget, in ms.
const WINDOW: i64 = 3_600_000;
/// Application failures within the window that a job survives.
const BUDGET: usize = 6;

impl Invariants {
    pub(super) fn budget(&mut self, before: &Value, after: &Value, now: i64) -> Result<(), String> {
        let count = |job: &Value, what: &str| job["status"]["failures"][what].as_i64().unwrap_or(0);
        let more = |what: &str| count(after, what) - count(before, what);
        let (application, disruption) = (more("application"), more("disruption"));
        if application < 0 || disruption < 0 {
            return Err(format!(
                "the failure counts decreased: application {application}, disruption {disruption}"
            ));
        }
        let newly = |reason: &str| reason_of(after) == reason && reason_of(before) != reason;
        let replaced = replaced(before, after)?;
        let job = uid(after);
        let spent = usize::from(newly("TooManyFailures"));
        let suspends = is_suspended(after);
        let counted = usize::try_from(application + disruption).unwrap_or_default();
        let planned = replaced.len() + spent;
        // Suspension replaces pods without a failure.
        if counted > planned || (counted < planned && !suspends) {
            return Err(format!("{planned} pods replaced, {counted} failures counted"));
        }
        if !suspends {
            self.explain(job, &replaced, application, spent)?;
        }
        for (worker, incarnation) in &replaced {
            for evidence in self.of(job, worker, *incarnation) {
                evidence.counted = true;
            }
        }
        let times = self.counted.entry(job.to_owned()).or_default();
        times.extend((0..application).map(|_| now));
        if newly("TooManyFailures") {
            // The status has times in whole seconds.
            let recent = times.iter().filter(|time| now - **time <= WINDOW + 1000).count();
            if recent <= BUDGET {
                return Err(format!("failed after {recent} failures"));
            }
        }
        if newly("BadConfiguration") {
            let reported = |evidence: &Evidence| {
                evidence.job == job && evidence.fates.contains(&Fate::Permanent)
            };
            if !self.evidence.values().any(reported) {
                return Err("failed by a bad configuration that no worker reported".to_owned());
            }
        }
        if newly("TargetReached") && !self.finished.contains(job) {
            return Err("complete before the target was reached".to_owned());
        }
        Ok(())
    }

    /// Each replaced pod ended in a way that matches its count, and was not counted before.
    fn explain(
        &mut self,
        job: &str,
        replaced: &[(String, i64)],
        application: i64,
        spent: usize,
    ) -> Result<(), String> {
        let (mut must, mut may) = (0, spent);
        for (worker, incarnation) in replaced {
            let mut fates: Vec<Fate> = Vec::new();
            for evidence in self.of(job, worker, *incarnation).filter(|evidence| !evidence.counted)
            {
                fates.extend(&evidence.fates);
            }
            if fates.is_empty() {
                return Err(format!(
                    "{worker}-{incarnation} was counted without a failure, or twice"
                ));
            }
            may += usize::from(fates.contains(&Fate::Application));
            must += usize::from(fates.iter().all(|fate| *fate == Fate::Application));
        }
        let application = usize::try_from(application).unwrap_or_default();
        if (must..=may).contains(&application) {
            return Ok(());
        }
        Err(format!("{application} counted as application failures, expected {must} to {may}"))
    }

    fn of<'a>(
        &'a mut self,
        job: &'a str,
        worker: &'a str,
        incarnation: i64,
    ) -> impl Iterator<Item = &'a mut Evidence> {
        self.evidence.values_mut().filter(move |evidence| {
            evidence.job == job && evidence.worker == worker && evidence.incarnation == incarnation
        })
    }
}

fn is_suspended(job: &Value) -> bool {
    job["status"]["intent"]["suspended"] == true
}

/// The reason of a job's end.
fn reason_of(job: &Value) -> &str {
    end_condition(job).map_or("", |condition| text(condition, &["reason"]))
}

/// Workers with a new incarnation, and the incarnation before it.
fn replaced(before: &Value, after: &Value) -> Result<Vec<(String, i64)>, String> {
    let workers = |job: &Value| -> Vec<(String, i64)> {
        let list = job["status"]["intent"]["workers"].as_array();
        let pair = |worker: &Value| {
            (text(worker, &["worker"]).to_owned(), worker["incarnation"].as_i64().unwrap_or(0))
        };
        list.into_iter().flatten().map(pair).collect()
    };
    let mut replaced = Vec::new();
    let now = workers(after);
    for (worker, was) in workers(before) {
        match now.iter().find(|(name, _)| *name == worker) {
            Some((_, is)) if *is < was => {
                return Err(format!("{worker} went back to incarnation {is}"));
            }
            Some((_, is)) if *is > was => replaced.push((worker, was)),
            _ => {}
        }
    }
    Ok(replaced)
}
