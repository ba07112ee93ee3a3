//! The page report.md.

mod settings;
mod table;

use shoprl_contract::ScenarioName;
use shoprl_contract::run_folder::file;

use super::document::{Difference, Measurement, Report, SubjectResult};
use super::headline;
use super::number::{count, duration, percent, percent_interval, points_interval};
use table::Table;

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut page = format!("# {}\n\n", headline::title(report));
    for sentence in &report.headline {
        page += &format!("{sentence}\n\n");
    }
    if !report.missing.is_empty() {
        page += "**This run is incomplete.**\n\n";
        for missing in &report.missing {
            page += &format!("* {missing}\n");
        }
        page += "\n";
    }
    page += &format!("![Success, reward and entropy over the run]({})\n\n", file::CURVE);
    if !report.results.is_empty() {
        page += &success(report);
        page += &metrics(report);
    }
    if !report.budget.is_empty() {
        page += &budget(report);
    }
    page += &settings::section(report);
    page + FILES_AND_COMMANDS
}

const FILES_AND_COMMANDS: &str = "\
## Files and commands

In this folder:

```sh
shoprl trajectories .      # print the newest episodes; --batch N prints those of step N
shoprl credit --run .      # show how credit splits an episode's reward over its messages
shoprl report .            # render this page again
tensorboard --logdir .     # show every metric over the steps
```

| file                | content                                        |
|---------------------|------------------------------------------------|
| `report.json`       | the numbers of this page for programs          |
| `metrics.jsonl`     | one row per optimiser step                     |
| `evaluations.jsonl` | metrics of every held-out episode              |
| `trajectories/`     | episodes, one per line                         |
| `attempt-*/step-*/` | checkpoints; `model/` is a Hugging Face folder |
| `manifest.yaml`     | the manifest with every default filled in      |
";

/// Success by subject and scenario, and the paired differences.
fn success(report: &Report) -> String {
    let scenarios = scenarios(&report.results);
    let columns = scenarios.iter().map(|&scenario| headline::scenario(scenario));
    let mut rates =
        Table::numbers(["held-out success", "all tasks"].into_iter().chain(columns.clone()));
    for result in &report.results {
        let rate = |measured: &Measurement| percent_interval(measured.success);
        let cells = scenarios.iter().map(|s| result.scenarios.get(s).map_or_else(empty, rate));
        let name = headline::name(result.subject, result.decoding);
        rates.row([name, rate(&result.pooled)].into_iter().chain(cells));
    }
    let mut text = format!(
        "## Success\n\nShare of held-out tasks that were solved, with Wilson's 95 % interval. Their \
         product families and phrasings do not occur in training.\n\n{rates}\n"
    );
    if !report.differences.is_empty() {
        let mut changes = Table::numbers(["points", "all tasks"].into_iter().chain(columns));
        for difference in &report.differences {
            changes.row(change(difference, &scenarios));
        }
        text += &format!(
            "Difference between after RL and after warm-up on the same tasks, in points, with the paired 95 % interval:\n\n{changes}\n"
        );
    }
    text
}

fn change(difference: &Difference, scenarios: &[ScenarioName]) -> Vec<String> {
    let mut cells = vec![
        headline::decoding(difference.decoding).to_owned(),
        points_interval(difference.pooled),
    ];
    cells.extend(scenarios.iter().map(|scenario| {
        difference.scenarios.get(scenario).map_or_else(empty, |&change| points_interval(change))
    }));
    cells
}

/// The eight metrics over all tasks.
fn metrics(report: &Report) -> String {
    let mut table = Table::numbers([
        "all tasks",
        "loose",
        "strict",
        "success",
        "finish",
        "category",
        "attribute",
        "option",
        "price",
        "turns",
        "tokens",
    ]);
    for SubjectResult { subject, decoding, pooled, .. } in &report.results {
        let of = &pooled.metrics;
        let rates = [
            of.loose,
            of.strict,
            of.success,
            of.finish,
            of.category,
            of.attribute,
            of.option,
            of.price,
        ];
        let mut cells = vec![headline::name(*subject, *decoding)];
        cells.extend(rates.map(|rate| percent(rate).replace(" %", "")));
        cells.extend([format!("{:.1}", pooled.turns), format!("{:.0}", pooled.tokens)]);
        table.row(cells);
    }
    let reward = settings::reward(&report.config.training.reward);
    format!(
        "## Reward metrics\n\nMeans in percent; turns and tokens are per episode. The training reward is \
         {reward}.\n\n{table}\n"
    )
}

/// Time and tokens by phase.
fn budget(report: &Report) -> String {
    let mut table = Table::numbers(["phase", "time", "share", "tokens", "tokens/s"]);
    let seconds: f64 = report.budget.iter().map(|phase| phase.seconds).sum();
    let tokens: u64 = report.budget.iter().map(|phase| phase.tokens).sum();
    let mut row = |name: &str, spent: f64, tokens: u64| {
        let share = if seconds > 0.0 { percent(spent / seconds) } else { empty() };
        let rate = if spent > 0.0 { count((tokens as f64 / spent) as u64) } else { empty() };
        table.row([name.to_owned(), duration(spent), share, count(tokens), rate]);
    };
    for phase in &report.budget {
        row(&phase.name, phase.seconds, phase.tokens);
    }
    row("all", seconds, tokens);
    format!("## Time and tokens\n\n{table}\n")
}

/// The measured scenarios.
fn scenarios(results: &[SubjectResult]) -> Vec<ScenarioName> {
    let mut scenarios: Vec<ScenarioName> =
        results.iter().flat_map(|result| result.scenarios.keys().copied()).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    scenarios
}

fn empty() -> String {
    "–".to_owned()
}
