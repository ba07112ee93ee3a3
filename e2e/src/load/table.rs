//! What was measured, as Markdown.

use std::fmt::Write as _;

use super::{Measured, PODS};

/// Every figure with its goal.
///
/// # Panics
/// Never: a String takes everything that is written.
pub fn markdown(measured: &Measured) -> String {
    let mut text = String::new();
    write(&mut text, measured).expect("a String takes everything that is written");
    text
}

fn write(text: &mut String, measured: &Measured) -> std::fmt::Result {
    writeln!(
        text,
        "| jobs of {PODS} pods at once | pods/s | of the bare creator | per job p50 / p99 | all run after | operator's processor |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    for (batch, seconds) in &measured.at_once {
        let jobs = batch.jobs;
        let bare = measured.bare.iter().find(|bare| bare.jobs == jobs);
        let pods = batch.pods_a_second();
        if let Some(bare) = bare {
            let (bare_pods, p50, p99) = (bare.pods_a_second, bare.p50, bare.p99);
            writeln!(
                text,
                "| {jobs}, bare creator | {bare_pods:.0} | | {p50:.2} / {p99:.2} s | | |"
            )?;
        }
        let share = bare.map(|bare| 100.0 * pods / bare.pods_a_second);
        let share = share.map_or(String::new(), |share| format!("**{share:.0} %** (goal 80)"));
        let (p50, p99, all) = (batch.exist.p50, batch.exist.p99, batch.all_running);
        writeln!(
            text,
            "| {jobs}, operator | {pods:.0} | {share} | {p50:.2} / {p99:.2} s | {all:.1} s | {seconds:.1} s |"
        )?;
    }
    let ms = |seconds: f64| format!("{:.0} ms", 1000.0 * seconds);
    writeln!(text, "\n| | p50 | p99 | most | goal |\n|---|---|---|---|---|")?;
    let mut row = |what: &str, spread: super::Spread, goal: &str| {
        let [p50, p99, most] = [spread.p50, spread.p99, spread.most].map(ms);
        writeln!(text, "| {what} | {p50} | {p99} | {most} | {goal} |")
    };
    let (steady, rate) = &measured.steady;
    let what = format!(
        "submit -> all pods, {:.1} jobs/s (half of what is bare), {} jobs",
        rate, steady.jobs
    );
    row(&what, steady.exist, "p99 <= 250 ms")?;
    let idle = &measured.idle;
    row(&format!("submit -> all pods, alone, {} jobs", idle.jobs), idle.exist, "< 100 ms")?;
    row("submit -> all run, alone", idle.running, "")?;
    row("a dead rollout known -> its replacement", measured.replaced, "< 50 ms")?;
    let (writes, leases, seconds, watched) = measured.still;
    let (now, most) = measured.memory;
    writeln!(text, "\n| | seen | goal |\n|---|---|---|")?;
    writeln!(text, "| memory at {} pods | {now:.0} MiB (most {most:.0}) | 64 MB |", measured.pods)?;
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
