use std::fs;
use std::path::Path;

use expect_test::{Expect, expect, expect_file};
use shoprl_contract::run_folder::{Decoding, Subject, file};
use shoprl_contract::{ExitReason, error_chain};
use shoprl_rl::statistics::{Z95, wilson};

use super::super::{Report, ReportError, render};
use super::fixture;

/// The report of the run that `write` writes.
fn rendered(write: impl FnOnce(&Path)) -> (String, Report, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    render(folder.path()).unwrap();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let page = String::from_utf8(read(file::REPORT)).unwrap();
    let report = serde_json::from_slice(&read(file::REPORT_JSON)).unwrap();
    (page, report, read(file::CURVE))
}

#[test]
fn a_finished_run_has_its_page() {
    let (page, report, _) = rendered(fixture::write_whole);
    expect_file!["report.md"].assert_eq(&page);
    assert_eq!(report.missing, [""; 0]);
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    fixture::write_whole(folder.path());
    let files = |folder: &Path| -> Vec<_> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    render(folder.path()).unwrap();
    let first = files(folder.path());
    render(folder.path()).unwrap();
    assert!(first == files(folder.path()));
    assert_eq!(first.len(), 8, "four files of the run, four of the report, no partial files");
}

#[test]
fn numbers_match_the_rows() {
    let (_, report, _) = rendered(fixture::write_whole);
    for evaluation in [fixture::before(), fixture::at_the_end()].concat() {
        let result = report.result(evaluation.subject, evaluation.decoding).unwrap();
        let successes = evaluation.episodes.iter().filter(|e| e.metrics.success == 1.0).count();
        let (found, expected) =
            (result.pooled.success, wilson(successes as u64, fixture::TASKS, Z95));
        assert!(
            (found.low - expected.low).abs() < 1e-12 && (found.high - expected.high).abs() < 1e-12
        );
        assert_eq!(result.scenarios.len(), 4);
        assert_eq!(result.scenarios.values().map(|s| s.tasks).sum::<u64>(), fixture::TASKS);
    }
    for difference in &report.differences {
        let rate =
            |subject| report.result(subject, difference.decoding).unwrap().pooled.success.mean;
        let gap = rate(Subject::Trained) - rate(Subject::Warmup);
        assert!((difference.pooled.mean - gap).abs() < 1e-12);
        let within = difference.scenarios.values().map(|change| change.mean).sum::<f64>() / 4.0;
        assert!((within - gap).abs() < 1e-12, "scenarios have equally many tasks");
        // Pairing cancels the tasks' difficulty.
        let unpaired = 2.0 * Z95 * (0.25 / fixture::TASKS as f64).sqrt();
        assert!(difference.pooled.high - difference.pooled.low < 2.0 * unpaired);
    }
    let steps: Vec<_> = report.progress.iter().map(|p| (p.decoding, p.step)).collect();
    let greedy = [0, 20, 40, 60].map(|step| (Decoding::Greedy, step));
    assert_eq!(steps, [&greedy[..], &[0, 60].map(|step| (Decoding::Sampled, step))].concat());
}

#[test]
fn the_headline_claims_only_what_the_interval_supports() {
    let check = |after: f64, expected: Expect| {
        let (page, ..) = rendered(|folder| {
            let mut evaluations = fixture::before();
            let trained = |decoding, rate| {
                fixture::evaluation(Subject::Trained, decoding, 60, fixture::TASKS, rate)
            };
            evaluations.push(trained(Decoding::Greedy, after));
            fixture::write(folder, 60, &evaluations, true);
        });
        expected.assert_eq(&page.lines().take(5).collect::<Vec<_>>().join("\n"));
    };
    check(
        0.5,
        expect![[r#"
        # quickstart: held-out success 37.4 % → 51.5 %

        Reinforcement learning raised success on 1,000 held-out tasks from 37.4 % to 51.5 % (greedy): +14.1 points, paired 95 % interval +10.4 to +17.8.

        After warm-up the policy solves 10.1 % of 1,000 held-out tasks (sampled). It has not been measured after reinforcement learning."#]],
    );
    check(
        0.36,
        expect![[r#"
        # quickstart: held-out success 37.4 % → 35.6 %

        Reinforcement learning did not measurably change success on 1,000 held-out tasks (greedy): 37.4 % before, 35.6 % after, and the paired 95 % interval from −5.2 to +1.6 points contains 0.

        After warm-up the policy solves 10.1 % of 1,000 held-out tasks (sampled). It has not been measured after reinforcement learning."#]],
    );
    check(
        0.2,
        expect![[r#"
        # quickstart: held-out success 37.4 % → 19.4 %

        Reinforcement learning lowered success on 1,000 held-out tasks from 37.4 % to 19.4 % (greedy): −18.0 points, paired 95 % interval −21.4 to −14.6.

        After warm-up the policy solves 10.1 % of 1,000 held-out tasks (sampled). It has not been measured after reinforcement learning."#]],
    );
}

#[test]
fn a_run_in_progress_is_reported_as_far_as_it_got() {
    let head = |page: &str| page.split("![").next().unwrap().to_owned();
    let check = |write: &dyn Fn(&Path), expected: Expect| {
        let (page, _, picture) = rendered(write);
        expected.assert_eq(&head(&page));
        assert!(picture.len() > 5_000);
    };
    let begun = |folder: &Path| {
        let config = serde_json::to_string(&fixture::config()).unwrap();
        fs::write(folder.join(file::RUN_CONFIG), config).unwrap();
    };
    check(
        &begun,
        expect![[r#"
        # quickstart

        The policy has not been measured on held-out tasks.

        **This run is incomplete.**

        * The warm-up has not started.
        * Reinforcement learning completed 0 of 60 steps.
        * Not measured on held-out tasks: random valid actions; first search result; demonstrator; expert script; after warm-up, greedy; after warm-up, sampled; after RL, greedy; after RL, sampled.
        * Time and tokens by phase are not written yet (budget.json).

    "#]],
    );
    check(
        &|folder| fixture::write(folder, 0, &[], false),
        expect![[r#"
        # quickstart

        The policy has not been measured on held-out tasks.

        **This run is incomplete.**

        * Reinforcement learning completed 0 of 60 steps.
        * Not measured on held-out tasks: random valid actions; first search result; demonstrator; expert script; after warm-up, greedy; after warm-up, sampled; after RL, greedy; after RL, sampled.
        * Time and tokens by phase are not written yet (budget.json).

    "#]],
    );
    let half = [fixture::before(), fixture::during(40)].concat();
    check(
        &|folder| fixture::write(folder, 41, &half, false),
        expect![[r#"
        # quickstart: held-out success 37.4 % after warm-up

        After warm-up the policy solves 37.4 % of 1,000 held-out tasks (greedy). It has not been measured after reinforcement learning.

        After warm-up the policy solves 10.1 % of 1,000 held-out tasks (sampled). It has not been measured after reinforcement learning.

        **This run is incomplete.**

        * Reinforcement learning completed 41 of 60 steps.
        * Not measured on held-out tasks: random valid actions; first search result; demonstrator; expert script; after RL, greedy; after RL, sampled.
        * Time and tokens by phase are not written yet (budget.json).

    "#]],
    );
    // Killed between the two final measurements, in the middle of a row.
    let torn = |folder: &Path| {
        fixture::write(folder, 60, &half, false);
        let mut rows = fixture::lines(&half);
        rows += &fixture::lines(&fixture::at_the_end()[..1]);
        rows.truncate(rows.len() - 100);
        fs::write(folder.join(file::EVALUATIONS), rows).unwrap();
    };
    check(
        &torn,
        expect![[r#"
        # quickstart: held-out success 37.4 % after warm-up

        After warm-up the policy solves 37.4 % of 1,000 held-out tasks (greedy). It has not been measured after reinforcement learning.

        After warm-up the policy solves 10.1 % of 1,000 held-out tasks (sampled). It has not been measured after reinforcement learning.

        **This run is incomplete.**

        * Not measured on held-out tasks: random valid actions; first search result; demonstrator; expert script; after RL, greedy; after RL, sampled.
        * Time and tokens by phase are not written yet (budget.json).

    "#]],
    );
}

#[test]
fn steps_that_learned_nothing_are_counted_and_reported() {
    let (page, report, _) = rendered(|folder| {
        fixture::write_whole(folder);
        let path = folder.join(file::METRICS);
        let rows = fs::read_to_string(&path).unwrap();
        // Row 3 of training trained 14,030 tokens.
        fs::write(path, rows.replace("\"trainedTokens\":14030", "\"trainedTokens\":0")).unwrap();
    });
    assert_eq!(report.idle_steps, 1);
    assert!(
        page.contains("In 1 of 60 steps all episodes of each group had the same reward"),
        "{page}"
    );
}

#[test]
fn evaluations_on_different_tasks_are_not_compared() {
    let (page, report, _) = rendered(|folder| {
        let mut evaluations = [fixture::before(), fixture::at_the_end()].concat();
        evaluations[2].episodes.rotate_left(1);
        evaluations[3].episodes.pop();
        fixture::write(folder, 60, &evaluations, true);
    });
    assert_eq!(report.differences, []);
    assert_eq!(report.missing.len(), 2, "{:?}", report.missing);
    assert!(page.contains("The two measurements use different tasks"), "{page}");
}

#[test]
fn a_damaged_file_is_named_with_its_line() {
    let check = |name: &str, text: &str, expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        fixture::write(folder.path(), 2, &[], false);
        fs::write(folder.path().join(name), text).unwrap();
        let error: ReportError = render(folder.path()).unwrap_err();
        let shown = error_chain(&error).replace(folder.path().to_str().unwrap(), "RUN");
        assert_eq!(shown, expected);
        assert_eq!(error.exit().reason, ExitReason::BadConfiguration);
    };
    let row = fixture::lines(&fixture::before()[..1]);
    check(
        file::EVALUATIONS,
        &format!("{row}{{}}\n{row}"),
        "RUN/evaluations.jsonl line 2 is damaged or from another program; restore it from a copy (missing field `subject` at line 1 column 2)",
    );
    check(
        file::METRICS,
        "{\"phase\":\"dream\"}\n",
        "RUN/metrics.jsonl line 1 is damaged or from another program; restore it from a copy (unknown variant `dream`, expected `warmup` or `training` at line 1 column 16)",
    );
    check(
        file::RUN_CONFIG,
        "{",
        "RUN/run.json is damaged or from another program; restore it from a copy (EOF while parsing an object at line 1 column 1)",
    );
    let folder = tempfile::tempdir().unwrap();
    let error = render(&folder.path().join("nowhere")).unwrap_err();
    assert!(error.to_string().ends_with("run.json does not exist; give the folder of a run"));
}
