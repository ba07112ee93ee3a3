//! The output of a run and its run folder, for all phases of the smoke example.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use shoprl_e2e::{Run, final_weights, shoprl};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples").join(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Output of `shoprl`.
fn output(arguments: &[&str]) -> String {
    let output = Command::new(shoprl()).args(arguments).output().expect("shoprl runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a manifest on a terminal made by script(1), and returns what was drawn.
fn on_a_terminal(manifest: &Path, folder: &Path) -> String {
    let command =
        format!("{} run {} --output {}", shoprl().display(), manifest.display(), folder.display());
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .expect("script runs; it comes with Debian's bsdutils");
    let drawn = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{drawn}");
    drawn
}

#[test]
fn a_run_on_a_terminal_shows_progress_and_leaves_a_complete_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let drawn = on_a_terminal(&example("smoke.yaml"), &run);
    for part in ["█", "warmup, ", "success 0.", " %", "about ", " left", "done in "] {
        assert!(drawn.contains(part), "{part:?} was not drawn:\n{drawn}");
    }

    check_report(&run);
    check_metrics(&run);
    assert!(fs::read(run.join("curve.png")).expect("a picture").starts_with(b"\x89PNG"));
    let events = fs::read(run.join("events.out.tfevents.0.shoprl")).expect("events");
    assert!(events.windows(13).any(|bytes| bytes == b"brain.Event:2"), "TensorBoard's version");

    let path = run.display().to_string();
    let conversation = output(&["trajectories", &path]);
    assert!(conversation.contains("shop  | ") && conversation.contains("agent | "));
    let credit = output(&["credit", "--run", &path, "--batch", "3"]);
    assert!(credit.contains("mode gated"), "{credit}");
    assert!(credit.contains("trust in the verdicts before this step: "), "{credit}");

    // Running the same command again changes nothing.
    let before = (final_weights(&run), read(&run.join("metrics.jsonl")));
    assert_eq!(Run::start(&example("smoke.yaml"), &run, &[]).finish(), Some(0));
    assert!(before == (final_weights(&run), read(&run.join("metrics.jsonl"))));
}

/// The report has all subjects, pooled and per scenario, with intervals, the differences and the budget.
fn check_report(run: &Path) {
    let report = json(&run.join("report.json"));
    assert_eq!(report["missing"], Value::Array(Vec::new()));
    let inside = |interval: &Value| {
        let at = |name: &str| interval[name].as_f64().expect("a number");
        assert!(at("low") <= at("mean") && at("mean") <= at("high"), "{interval}");
    };
    let scenarios = ["singleTurn", "singleTurnPersona", "multiTurn", "multiTurnPersona"];
    let results = report["results"].as_array().expect("results");
    let subjects: Vec<String> = results
        .iter()
        .map(|result| format!("{} {}", result["subject"], result["decoding"]).replace('"', ""))
        .collect();
    let expected = [
        "random scripted",
        "searchFirst scripted",
        "demonstrator scripted",
        "expert scripted",
        "warmup greedy",
        "warmup sampled",
        "trained greedy",
        "trained sampled",
    ];
    assert_eq!(subjects, expected);
    for result in results {
        assert_eq!(result["pooled"]["tasks"], 80);
        for part in scenarios.iter().map(|name| &result["scenarios"][name]) {
            assert_eq!(part["tasks"], 20);
            inside(&part["success"]);
        }
        inside(&result["pooled"]["success"]);
        let metrics = result["pooled"]["metrics"].as_object().expect("metrics");
        assert_eq!(metrics.len(), 8, "{metrics:?}");
    }
    let differences = report["differences"].as_array().expect("differences");
    let decodings: Vec<&Value> = differences.iter().map(|d| &d["decoding"]).collect();
    assert_eq!(decodings, ["greedy", "sampled"]);
    for difference in differences {
        inside(&difference["pooled"]);
        scenarios.iter().for_each(|name| inside(&difference["scenarios"][name]));
    }
    let budget = report["budget"].as_array().expect("a budget");
    let phases: Vec<&Value> = budget.iter().map(|phase| &phase["name"]).collect();
    assert_eq!(phases, ["warmup", "validation", "evaluation", "rollout", "training"]);
    for phase in budget {
        assert!(phase["seconds"].as_f64() > Some(0.0), "{phase}");
        assert!(phase["tokens"].as_u64() > Some(0), "{phase}");
    }
}

/// The metrics have a row for each step with all fields.
fn check_metrics(run: &Path) {
    let text = read(&run.join("metrics.jsonl"));
    let rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let of = |phase: &str| rows.iter().filter(|row| row["phase"] == phase).collect::<Vec<_>>();
    assert!(of("warmup").iter().any(|row| row["validation"]["greedySuccess"].is_number()));
    assert_eq!(of("training").len(), 3);
    for row in of("training") {
        for name in ["reward", "entropy", "turns", "episodeTokens", "gradientNorm"] {
            assert!(row[name].as_f64() > Some(0.0), "{name}: {row}");
        }
        for name in ["trainedTokens", "sampledTokens"] {
            assert!(row[name].as_u64() > Some(0), "{name}: {row}");
        }
        for name in ["kl", "clipShare", "success", "finish", "rolloutSeconds", "trainSeconds"] {
            assert!(row[name].is_number(), "{name}: {row}");
        }
    }
}

#[test]
fn the_warm_up_stops_at_its_thresholds_and_a_pipe_gets_plain_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("job.yaml");
    let text = "apiVersion: shoprl.dev/v1alpha1
kind: ShopRLJob
metadata: {name: measured}
spec:
  training:
    warmup: {sft: {maxTokens: 400000, batch: 4, stop: {everyTokens: 20000, tasks: 8, greedySuccess: 0, sampledSuccess: 0}}}
    steps: 0
  evaluation: {everySteps: 0, finalTasks: 8}
";
    fs::write(&manifest, text).expect("the manifest is written");
    let run = Run::start(&manifest, &folder.path().join("run"), &[]);
    let (out, path) = (run.folder.with_extension("out"), run.folder.clone());
    assert_eq!(run.finish(), Some(0));
    let spent = json(&path.join("budget.json"))["phases"][0]["tokens"].as_u64();
    assert!(spent >= Some(20_000) && spent < Some(30_000), "{spent:?} of 400,000 tokens");

    let lines = read(&out);
    assert!(!lines.contains('\u{1b}') && !lines.contains('\r'), "{lines:?}");
    assert!(lines.lines().any(|line| line.starts_with("warmup, ")), "{lines}");
    assert!(lines.lines().any(|line| line.starts_with("done in ")), "{lines}");
}
