//! What was measured, as Markdown.

use std::fmt::Write as _;

use super::{Bare, Batch, Measured, PODS};

/// Every figure with its goal; what is bare is the mean of the bare creator's runs before and after the operator's, so that a
/// machine that changes its speed says less about the operator.
///
/// # Panics
/// Never: a String takes everything that is written.
pub fn markdown(bare: &[Bare], measured: &Measured) -> String {
    let mut text = String::new();
    write(&mut text, bare, measured).expect("a String takes everything that is written");
    text
}

fn write(text: &mut String, bare: &[Bare], measured: &Measured) -> std::fmt::Result {
    writeln!(
        text,
        "| jobs of {PODS} pods at once | pods/s | of the bare creator | per job p50 / p99 | all run after | operator's processor |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    for (index, (batch, seconds)) in measured.at_once.iter().enumerate() {
        let alike = alike(bare, index, |bare| &bare.at_once);
        for one in &alike {
            row(text, "bare creator", one, "", "")?;
        }
        let share = 100.0 * batch.pods_a_second() / mean(&alike);
        let share = format!("**{share:.0} %** (goal 80)");
        row(text, "operator", batch, &share, &format!("{seconds:.1} s"))?;
    }
    let ms = |seconds: f64| format!("{:.0} ms", 1000.0 * seconds);
    writeln!(text, "\n| | p50 | p99 | most | goal |\n|---|---|---|---|---|")?;
    let mut spread = |what: &str, spread: super::Spread, goal: &str| {
        let [p50, p99, most] = [spread.p50, spread.p99, spread.most].map(ms);
        writeln!(text, "| {what} | {p50} | {p99} | {most} | {goal} |")
    };
    for (index, (steady, rate)) in measured.steady.iter().enumerate() {
        let at_once = alike(bare, index, |bare| &bare.at_once);
        #[allow(clippy::cast_precision_loss, reason = "eight")]
        let share = 100.0 * rate * PODS as f64 / mean(&at_once);
        let half = at_once.first().map_or(0, |batch| batch.jobs);
        let what = format!(
            "submit -> all pods, {} jobs, {rate:.1} a second: {share:.0} % of what is bare with {half} at once",
            steady.jobs
        );
        spread(&what, steady.exist, "p99 <= 250 ms")?;
        for batch in alike(bare, index, |bare| &bare.steady) {
            spread("the bare creator at half of its own rate, without jobs", batch.exist, "")?;
        }
    }
    let idle = &measured.idle;
    spread(&format!("submit -> all pods, alone, {} jobs", idle.jobs), idle.exist, "< 100 ms")?;
    spread("submit -> all run, alone", idle.running, "")?;
    spread("a dead rollout known -> its replacement", measured.replaced, "< 50 ms")?;
    let (writes, leases, seconds, watched) = measured.still;
    let (pods, (now, most)) = measured.memory;
    writeln!(text, "\n| | seen | goal |\n|---|---|---|")?;
    writeln!(text, "| memory at {pods} pods | {now:.0} MiB (most {most:.0}) | 64 MB |")?;
    let watched = watched.as_secs();
    writeln!(
        text,
        "| writes about {} pods' jobs in {watched} s in which nothing happens | {writes} | 0 |",
        measured.pods
    )?;
    writeln!(text, "| besides: renewals of the lease; processor | {leases}; {seconds:.1} s | |")?;
    writeln!(
        text,
        "\n| write of the operator | per job, from its submission to its end |\n|---|---|"
    )?;
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

/// The same phase of every run of the bare creator.
fn alike<'a>(
    bare: &'a [Bare],
    index: usize,
    phase: impl Fn(&'a Bare) -> &'a [Batch],
) -> Vec<&'a Batch> {
    bare.iter().filter_map(|bare| phase(bare).get(index)).collect()
}

/// Pods a second; of no runs no number.
#[allow(clippy::cast_precision_loss, reason = "two")]
fn mean(batches: &[&Batch]) -> f64 {
    batches.iter().map(|batch| batch.pods_a_second()).sum::<f64>() / batches.len() as f64
}
