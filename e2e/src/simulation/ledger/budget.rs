//! Budgets: every failure is counted once, and as what it was.

use serde_json::Value;

use super::super::api::{text, uid};
use super::{Fate, Ledger};

/// Window of the budget, in ms.
const WINDOW: i64 = 3_600_000;
/// Failures of the workers' own within the window that a job survives.
const BUDGET: usize = 6;

impl Ledger {
    pub(super) fn budget(&mut self, before: &Value, after: &Value, now: i64) -> Result<(), String> {
        let count = |job: &Value, what: &str| job["status"]["failures"][what].as_i64().unwrap_or(0);
        let more = |what: &str| count(after, what) - count(before, what);
        let (application, disruption) = (more("application"), more("disruption"));
        if application < 0 || disruption < 0 {
            return Err(format!("the budget went back by {application} and {disruption}"));
        }
        let newly = |reason: &str| reason_of(after) == reason && reason_of(before) != reason;
        let replaced = replaced(before, after)?;
        let job = uid(after);
        let spent = usize::from(newly("TooManyFailures"));
        let suspends = is_suspended(after);
        let counted = usize::try_from(application + disruption).unwrap_or_default();
        let planned = replaced.len() + spent;
        // Who suspends a job replaces its pods without a failure.
        if counted > planned || (counted < planned && !suspends) {
            return Err(format!("{planned} replaced, {counted} counted"));
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
            // Times are persisted in seconds.
            let recent = times.iter().filter(|time| now - **time <= WINDOW + 1000).count();
            if recent <= BUDGET {
                return Err(format!("failed after {recent} failures"));
            }
        }
        if newly("BadConfiguration") {
            let said = |it: &super::Evidence| it.job == job && it.fates.contains(&Fate::Permanent);
            if !self.evidence.values().any(said) {
                return Err("failed by a bad configuration that nobody reported".to_owned());
            }
        }
        if newly("TargetReached") && !self.finished.contains(job) {
            return Err("complete before the target was reached".to_owned());
        }
        Ok(())
    }

    /// Each replaced pod ended in a way that is counted so, and was not counted before.
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
            for evidence in self.of(job, worker, *incarnation).filter(|it| !it.counted) {
                fates.extend(&evidence.fates);
            }
            if fates.is_empty() {
                return Err(format!(
                    "{worker}-{incarnation} is counted and did not fail, or is counted twice"
                ));
            }
            may += usize::from(fates.contains(&Fate::Application));
            must += usize::from(fates.iter().all(|fate| *fate == Fate::Application));
        }
        let application = usize::try_from(application).unwrap_or_default();
        if (must..=may).contains(&application) {
            return Ok(());
        }
        Err(format!("{application} counted as the workers' own, which were {must} to {may}"))
    }

    fn of<'a>(
        &'a mut self,
        job: &'a str,
        worker: &'a str,
        incarnation: i64,
    ) -> impl Iterator<Item = &'a mut super::Evidence> {
        self.evidence
            .values_mut()
            .filter(move |it| it.job == job && it.worker == worker && it.incarnation == incarnation)
    }
}

fn is_suspended(job: &Value) -> bool {
    job["status"]["intent"]["suspended"] == true
}

/// Why a job is over.
fn reason_of(job: &Value) -> &str {
    super::over(job).map_or("", |condition| text(condition, &["reason"]))
}

/// Workers whose incarnation grew, with the one that they had.
fn replaced(before: &Value, after: &Value) -> Result<Vec<(String, i64)>, String> {
    let workers = |job: &Value| -> Vec<(String, i64)> {
        let list = job["status"]["intent"]["workers"].as_array();
        let pair = |it: &Value| {
            (text(it, &["worker"]).to_owned(), it["incarnation"].as_i64().unwrap_or(0))
        };
        list.into_iter().flatten().map(pair).collect()
    };
    let mut grown = Vec::new();
    let now = workers(after);
    for (worker, was) in workers(before) {
        match now.iter().find(|(name, _)| *name == worker) {
            Some((_, is)) if *is < was => {
                return Err(format!("{worker} went back to incarnation {is}"));
            }
            Some((_, is)) if *is > was => grown.push((worker, was)),
            _ => {}
        }
    }
    Ok(grown)
}
