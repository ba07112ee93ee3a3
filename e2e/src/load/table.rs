//! The measurements as Markdown.

use std::fmt::Write as _;

use super::{Bare, Batch, Measured, PODS};

/// All measurements with their goals. The bare creator counts with the mean of its runs before and after the operator's, so
/// that a change of the machine's speed distorts less.
///
/// # Panics
/// Never: writing to a String does not fail.
pub fn markdown(bare: &[Bare], measured: &Measured) -> String {
    let mut text = String::new();
    write(&mut text, bare, measured).expect("writing to a String does not fail");
    text
}

fn write(text: &mut String, bare: &[Bare], measured: &Measured) -> std::fmt::Result {
    writeln!(
        text,
        "| burst of jobs with {PODS} pods | pods/s | share of the bare creator | per job p50 / p99 | all running after | operator's CPU time |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    for (index, (batch, seconds)) in measured.bursts.iter().enumerate() {
        let same = same_phase(bare, index, |bare| &bare.bursts);
        for batch in &same {
            row(text, "bare creator", batch, "", "")?;
        }
        let share = 100.0 * batch.pods_a_second() / mean(&same);
        let share = format!("**{share:.0} %** (goal 80)");
        row(text, "operator", batch, &share, &format!("{seconds:.1} s"))?;
    }
    let ms = |seconds: f64| format!("{:.0} ms", 1000.0 * seconds);
    writeln!(text, "\n| | p50 | p99 | max | goal |\n|---|---|---|---|---|")?;
    let mut spread = |what: &str, spread: super::Spread, goal: &str| {
        let [p50, p99, max] = [spread.p50, spread.p99, spread.max].map(ms);
        writeln!(text, "| {what} | {p50} | {p99} | {max} | {goal} |")
    };
    for (index, (steady, rate)) in measured.steady.iter().enumerate() {
        let bursts = same_phase(bare, index, |bare| &bare.bursts);
        #[allow(clippy::cast_precision_loss, reason = "eight")]
        let share = 100.0 * rate * PODS as f64 / mean(&bursts);
        let half = bursts.first().map_or(0, |batch| batch.jobs);
        let what = format!(
            "submit -> all pods, {} jobs, {rate:.1} per second: {share:.0} % of the bare rate for {half} jobs",
            steady.jobs
        );
        spread(&what, steady.exist, "p99 <= 250 ms")?;
        for batch in same_phase(bare, index, |bare| &bare.steady) {
            spread("the bare creator at half its rate, without jobs", batch.exist, "")?;
        }
    }
    let idle = &measured.idle;
    spread(&format!("submit -> all pods, one by one, {} jobs", idle.jobs), idle.exist, "< 100 ms")?;
    spread("submit -> all running, one by one", idle.running, "")?;
    spread("failed rollout reported -> replacement created", measured.replaced, "< 50 ms")?;
    let (writes, leases, seconds, watched) = measured.still;
    let (pods, (now, peak)) = measured.memory;
    writeln!(text, "\n| | measured | goal |\n|---|---|---|")?;
    writeln!(text, "| memory at {pods} pods | {now:.0} MiB (peak {peak:.0}) | 64 MB |")?;
    let watched = watched.as_secs();
    writeln!(
        text,
        "| writes about the jobs of {} pods in {watched} idle seconds | {writes} | 0 |",
        measured.pods
    )?;
    writeln!(text, "| lease renewals and CPU time in that period | {leases}; {seconds:.1} s | |")?;
    writeln!(text, "\n| write of the operator | per job, from submission to end |\n|---|---|")?;
    for (what, count) in &measured.writes {
        writeln!(text, "| {what} | {count:.2} |")?;
    }
    writeln!(text, "| all | {:.2} |", measured.writes.values().sum::<f64>())
}

fn row(
    text: &mut String,
    who: &str,
    batch: &Batch,
    share: &str,
    processor: &str,
) -> std::fmt::Result {
    let (jobs, pods, all) = (batch.jobs, batch.pods_a_second(), batch.all_running);
    let (p50, p99) = (batch.exist.p50, batch.exist.p99);
    writeln!(
        text,
        "| {jobs}, {who} | {pods:.0} | {share} | {p50:.2} / {p99:.2} s | {all:.1} s | {processor} |"
    )
}

/// The same phase of all runs of the bare creator.
fn same_phase<'a>(
    bare: &'a [Bare],
    index: usize,
    phase: impl Fn(&'a Bare) -> &'a [Batch],
) -> Vec<&'a Batch> {
    bare.iter().filter_map(|bare| phase(bare).get(index)).collect()
}

/// Mean pods per second; NaN without runs.
#[allow(clippy::cast_precision_loss, reason = "two")]
fn mean(batches: &[&Batch]) -> f64 {
    batches.iter().map(|batch| batch.pods_a_second()).sum::<f64>() / batches.len() as f64
}
