//! `simulate`: runs the operator in the model cluster (docs/runbooks/simulation.md).

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use shoprl_e2e::simulation::recording::{SEQUENCES, by_the_server, read, write};
use shoprl_e2e::simulation::{campaign, replay_command, run};

/// A run allocates many small, short-lived objects.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the operator's real reconcile in a model cluster.
#[derive(Debug, Parser)]
struct Arguments {
    /// Run all seeds of this range.
    #[arg(long, value_name = "FROM..TO", value_parser = range, default_value = "0..100000")]
    seeds: Range<u64>,
    /// Replay one seed and print its trace.
    #[arg(long, value_name = "SEED", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Record the answers of the API server of KUBECONFIG into this file. The server must be fresh, with the CRD installed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "seed"])]
    record: Option<PathBuf>,
    /// Compare the answers of the API server of KUBECONFIG with this recording.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "seed", "record"])]
    compare: Option<PathBuf>,
    /// Concurrent runs. Default: one per CPU core.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("{text} is not a range: write it as 0..1000");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    Ok(from.parse().map_err(|_| wrong())?..to.parse().map_err(|_| wrong())?)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    let failed = match (arguments.seed, &arguments.record, &arguments.compare) {
        (Some(seed), ..) => replay(seed, &mut out),
        (_, Some(file), _) => answers().and_then(|lines| write(file, &lines).map(|()| false)),
        (.., Some(file)) => compare(file, &mut out),
        _ => many(arguments.seeds, arguments.threads, &mut out),
    };
    match failed {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The real API server's answers to all sequences.
fn answers() -> anyhow::Result<Vec<String>> {
    let tasks = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tasks.block_on(async {
        let client = kube::Client::try_default().await?;
        let mut lines = Vec::new();
        for number in 0..SEQUENCES {
            lines.push(by_the_server(&client, number).await?);
        }
        Ok(lines)
    })
}

fn compare(file: &Path, out: &mut impl Write) -> anyhow::Result<bool> {
    let (recorded, answered) = (read(file)?, answers()?);
    let differ = recorded.iter().zip(&answered).enumerate().filter(|(_, (old, new))| old != new);
    let mut failed = recorded.len() != answered.len();
    for (number, (old, new)) in differ {
        failed = true;
        writeln!(out, "sequence {number}\nrecorded {old}\nanswered {new}")?;
    }
    let (sequences, requests) =
        (answered.len(), answered.iter().map(|line| line.matches(" /api").count()).sum::<usize>());
    writeln!(
        out,
        "{sequences} sequences of {requests} requests answered as recorded: {}",
        !failed
    )?;
    Ok(failed)
}

fn replay(seed: u64, out: &mut impl Write) -> anyhow::Result<bool> {
    let outcome = run(seed, None, true);
    for line in &outcome.trace {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "seed {seed}: digest {:016x}", outcome.digest)?;
    if let Some(what) = &outcome.violation {
        writeln!(out, "violation: {what}")?;
    }
    Ok(outcome.violation.is_some())
}

fn many(seeds: Range<u64>, threads: Option<usize>, out: &mut impl Write) -> anyhow::Result<bool> {
    let threads =
        threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let started = Instant::now();
    let done = campaign(seeds.clone(), threads);
    writeln!(out, "{}", done.coverage)?;
    let (from, to, seconds) = (seeds.start, seeds.end, started.elapsed().as_secs_f64());
    let (runs, digest) = (done.runs, done.digest);
    writeln!(
        out,
        "\nseeds {from}..{to}: {runs} runs in {seconds:.1} s on {threads} threads, digest {digest:016x}"
    )?;
    for hole in done.coverage.holes() {
        writeln!(out, "never exercised: {hole}")?;
    }
    for (seed, what) in &done.violations {
        writeln!(out, "seed {seed}: {what}\n    {}", replay_command(*seed))?;
    }
    Ok(!done.violations.is_empty())
}
