//! Help, errors, exit codes, and the subcommands without a file of their own here.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};

/// Runs `shoprl` in `folder`: exit code, standard output, standard error.
fn shoprl(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_shoprl"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const MANIFEST: &str = "apiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\nmetadata: {name: shop}\nspec: {training: {steps: 3}}\n";

/// A folder with a manifest `job.yaml`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.yaml"), MANIFEST).unwrap();
    folder
}

#[track_caller]
fn check(arguments: &[&str], input: &str, code: i32, expected: &Expect) {
    let (found, output, errors) = shoprl(folder().path(), arguments, input);
    expected.assert_eq(&format!("{output}{errors}"));
    assert_eq!(found, code, "{arguments:?}");
}

#[test]
fn a_suspended_job_is_refused() {
    let folder = folder();
    let manifest = MANIFEST.replace("spec: {", "spec: {suspend: true, ");
    std::fs::write(folder.path().join("job.yaml"), manifest).unwrap();
    let (code, output, errors) = shoprl(folder.path(), &["run", "job.yaml"], "");
    expect![[r#"
        error: spec.suspend: true is invalid for `shoprl run`: a suspended job runs nothing; write false or remove it
    "#]]
    .assert_eq(&format!("{output}{errors}"));
    assert_eq!(code, 64);
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn help_lists_the_commands_for_users_and_hides_the_worker() {
    let help = expect![[r#"
        Trains language-model agents that shop, by reinforcement learning in a simulated store

        Usage: shoprl <COMMAND>

        Commands:
          run           Train on this machine. An existing run folder continues from its newest checkpoint
          plan          Print the processes that `run` would start, and the manifest with all defaults filled in
          validate      Check manifests. Each error names the field, the value and the correction
          trajectories  Print episodes of a run as conversations between the shop and the agent
          credit        Explain message-wise credit for an episode in JSON or an episode of a run
          catalog       Build, read, search and verify the catalog of a large shop
          environment   Serve the shop to other trainers and scripts, over gRPC (docs/concepts/environment.md)
          report        Write report.md, report.json and curve.png of a run again, from its recorded metrics
          help          Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help
          -V, --version  Print version
    "#]];
    check(&["--help"], "", 0, &help);
    check(&[], "", 64, &help);
}

#[test]
fn a_usage_error_exits_as_bad_configuration() {
    check(
        &["walk"],
        "",
        64,
        &expect![[r#"
        error: unrecognized subcommand 'walk'

        Usage: shoprl <COMMAND>

        For more information, try '--help'.
    "#]],
    );
    check(
        &["run", "job.yaml", "--port", "70000"],
        "",
        64,
        &expect![[r#"
        error: invalid value '70000' for '--port <PORT>': 70000 is not in 0..=65535

        For more information, try '--help'.
    "#]],
    );
    check(
        &["run", "job.yaml", "--cpus", "0"],
        "",
        64,
        &expect![[r#"
        error: --cpus 0: use at least 1
    "#]],
    );
    check(
        &["run", "nothing.yaml"],
        "",
        64,
        &expect![[r#"
        error: nothing.yaml: No such file or directory (os error 2); use the path of a ShopRLJob manifest, for example docs/examples/quickstart.yaml
    "#]],
    );
    check(
        &["credit"],
        "",
        64,
        &expect![[r#"
            error: the following required arguments were not provided:
              <FILE|--run <FOLDER>>

            Usage: shoprl credit <FILE|--run <FOLDER>>

            For more information, try '--help'.
        "#]],
    );
    check(
        &["trajectories", "runs/none"],
        "",
        64,
        &expect![[r#"
        error: runs/none/trajectories: No such file or directory (os error 2); use the folder of a run, for example runs/quickstart
    "#]],
    );
}

#[test]
fn plan_prints_the_processes_and_a_manifest_with_all_defaults() {
    check(
        &["plan", "job.yaml", "--cpus", "2"],
        "",
        0,
        &expect![[r#"
            # job shop (02195bef-baa2-88f0-898a-c696be3e7a02)
            # digest of the fields that decide the weights: 75984a037aa7721dabc406781c6e0cee1a793a9d26364cf1b255a3277933119b
            # `shoprl run` on 2 cores starts
            #   trainer 0    2 threads
            #   simulator 0  1 thread
            #   reward 0     1 thread
            #   rollout 0    1 thread
            #   rollout 1    1 thread
            apiVersion: shoprl.dev/v1alpha1
            kind: ShopRLJob
            metadata:
              name: shop
            spec:
              seed: 7
              suspend: false
              environment:
                catalog:
                  preset: mini
                  seed: 1
                scenarios:
                - singleTurn
                - singleTurnPersona
                - multiTurn
                - multiTurnPersona
                maxTurns:
                  singleTurn: 12
                  multiTurn: 12
              policy:
                model:
                  preset: nano
              training:
                warmup:
                  sft:
                    maxTokens: 2400000
                    batch: 16
                    learningRate: 0.002
                    matrixLearningRate: 0.02
                    observationWeight: 0.3
                    hastiness: 0.25
                    stop:
                      everyTokens: 400000
                      tasks: 200
                      greedySuccess: 0.45
                      sampledSuccess: 0.12
                algorithm:
                  grpo:
                    groupSize: 8
                    clipLow: 0.2
                    clipHigh: 0.28
                    klCoefficient: 0.0
                credit:
                  messageWise:
                    mode: gated
                    scorer: rules
                reward:
                  success: 1.0
                  strict: 0.0
                  loose: 0.0
                steps: 3
                tasksPerStep: 16
                learningRate: 0.0005
              evaluation:
                everySteps: 20
                tasks: 200
                finalTasks: 1000
              checkpoint:
                everySteps: 10
                keep: 3
                store:
                  volumeClaim:
                    size: 1Gi
                    retain: true
              roles:
                simulator:
                  replicas: 1
                rollout:
                  replicas: 2
                reward:
                  replicas: 1
                trainer: {}
        "#]],
    );
}

#[test]
fn the_printed_plan_is_a_manifest_of_the_same_job() {
    let folder = folder();
    let (_, json, _) = shoprl(folder.path(), &["plan", "job.yaml", "--json"], "");
    let (_, yaml, _) = shoprl(folder.path(), &["plan", "job.yaml"], "");
    std::fs::write(folder.path().join("plan.yaml"), yaml).unwrap();
    let (code, again, _) = shoprl(folder.path(), &["plan", "plan.yaml", "--json"], "");
    assert_eq!((code, &again), (0, &json));
    assert!(json.contains("\"manifestDigest\""), "{json}");
}

#[test]
fn validate_reports_all_manifests() {
    let folder = folder();
    std::fs::write(folder.path().join("bad.yaml"), MANIFEST.replace("steps: 3", "stepz: 3"))
        .unwrap();
    let (code, output, errors) =
        shoprl(folder.path(), &["validate", "bad.yaml", "job.yaml", "none.yaml"], "");
    assert_eq!(code, 64);
    assert_eq!(output, "job.yaml: job shop is valid\n");
    expect![[r#"
        error: bad.yaml: spec.training.stepz: no such field: did you mean steps?
        error: none.yaml: No such file or directory (os error 2); use the path of a ShopRLJob manifest, for example docs/examples/quickstart.yaml
    "#]].assert_eq(&errors);
}

#[test]
fn a_port_in_use_is_refused_before_anything_is_written() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let folder = folder();
    let (code, _, errors) = shoprl(folder.path(), &["run", "job.yaml", "--port", &port], "");
    assert_eq!(code, 75);
    expect![[r#"
        error: --port PORT: Address already in use (os error 98); stop the program that uses it, use another --port, or omit --port to pick a free one
    "#]].assert_eq(&errors.replace(&port, "PORT"));
    assert!(!folder.path().join("runs").exists());
}

const EPISODE: &str = r#"{"tokens": ["search ", "red ", "shoes", "8 results", "buy ", "it"],
  "messages": [{"start": 0, "end": 3, "policy": true, "kind": "search"},
               {"start": 3, "end": 4, "policy": false, "kind": "environment"},
               {"start": 4, "end": 6, "policy": true, "kind": "buy"}],
  "scores": [1, 1, 1, 0, -1, -1], "reward": 0, "advantage": -0.5}"#;

#[test]
fn credit_explains_an_episode_from_standard_input() {
    check(
        &["credit", "-"],
        EPISODE,
        0,
        &expect![[r#"
        {
          "tokens": 6,
          "policyTokens": 5,
          "keptTokens": 2,
          "advantage": -0.5,
          "labels": [
            1,
            1,
            1,
            0,
            -1,
            -1
          ],
          "pivots": [
            4
          ],
          "segments": [
            {
              "start": 0,
              "end": 3,
              "message": 0,
              "kind": "search",
              "label": 1,
              "kept": false,
              "text": "search red shoes"
            },
            {
              "start": 4,
              "end": 6,
              "message": 2,
              "kind": "buy",
              "label": -1,
              "kept": true,
              "text": "buy it"
            }
          ],
          "weights": {
            "mask": [
              0.0,
              0.0,
              0.0,
              0.0,
              1.0,
              1.0
            ],
            "conserved": [
              0.0,
              0.0,
              0.0,
              0.0,
              2.5,
              2.5
            ],
            "gated": [
              0.0,
              0.0,
              0.0,
              0.0,
              2.5,
              2.5
            ],
            "dense": [
              1.0,
              1.0,
              1.0,
              -0.0,
              2.0,
              2.0
            ]
          },
          "advantages": {
            "off": [
              -0.5,
              -0.5,
              -0.5,
              -0.0,
              -0.5,
              -0.5
            ],
            "mask": [
              -0.0,
              -0.0,
              -0.0,
              -0.0,
              -0.5,
              -0.5
            ],
            "conserved": [
              -0.0,
              -0.0,
              -0.0,
              -0.0,
              -1.25,
              -1.25
            ],
            "gated": [
              -0.0,
              -0.0,
              -0.0,
              -0.0,
              -1.25,
              -1.25
            ],
            "dense": [
              -0.5,
              -0.5,
              -0.5,
              0.0,
              -1.0,
              -1.0
            ]
          },
          "rewards": [
            0.5,
            -1.0
          ]
        }
    "#]],
    );
}

#[test]
fn credit_names_the_mistake_in_an_episode() {
    let wrong = |from: &str, to: &str, expected: &Expect| {
        assert!(EPISODE.contains(from));
        check(&["credit", "-"], &EPISODE.replacen(from, to, 1), 64, expected);
    };
    wrong(
        "\"buy\"}",
        "\"bye\"}",
        &expect![[r#"
            error: standard input: messages[2].kind: unknown variant `bye`, expected one of `search`, `open`, `details`, `option`, `page`, `back`, `ask`, `buy`, `decline`, `invalid`, `environment` at line 4 column 67; write {tokens, messages: [{start, end, policy, kind}], scores, reward}
        "#]],
    );
    wrong(
        "\"end\": 4",
        "\"end\": 5",
        &expect![[r#"
            error: standard input: messages[2].start is 4, expected 5: messages must cover the tokens in order, without gaps or overlaps
        "#]],
    );
    wrong(
        "-1], ",
        "-1, 0], ",
        &expect![[r#"
            error: standard input: scores has 7 values, tokens is 6: give one score per token
        "#]],
    );
    wrong(
        "\"reward\": 0",
        "\"rewards\": 0",
        &expect![[r#"
            error: standard input: rewards: unknown field `rewards`, expected one of `tokens`, `messages`, `scores`, `reward`, `advantage`, `options`, `eta`, `slope` at line 5 column 43; write {tokens, messages: [{start, end, policy, kind}], scores, reward}
        "#]],
    );
    wrong(
        "}",
        "",
        &expect![[r#"
            error: standard input: messages[0].?: key must be a string at line 3 column 16; write {tokens, messages: [{start, end, policy, kind}], scores, reward}
        "#]],
    );
}

#[test]
fn output_that_cannot_be_written_leaves_the_exit_code_unchanged() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let check = |arguments: &[&str], code: i32| {
        let status = Command::new(env!("CARGO_BIN_EXE_shoprl"))
            .args(arguments)
            .current_dir(folder().path())
            .stdin(Stdio::null())
            .stdout(full())
            .stderr(full())
            .status();
        assert_eq!(status.unwrap().code(), Some(code), "{arguments:?}");
    };
    check(&["run", "nothing.yaml"], 64);
    check(&["walk"], 64);
    // On a full disk the trainer's log cannot be written either.
    let nowhere = ["--config", "none", "--directory", ".", "--token-file", "none"];
    check(&[&["worker", "trainer"], &nowhere[..]].concat(), 64);
    check(&["plan", "--help"], 0);
}
