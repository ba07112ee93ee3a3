//! Which fields identify a job, and which may change between two runs in one folder.

use expect_test::expect;
use shoprl_crds::ShopRLJob;
use shoprl_plan::{differences, lower, validate};

const MANIFEST: &str = "
apiVersion: shoprl.dev/v1alpha1
kind: ShopRLJob
metadata: {name: shop}
spec: {seed: 7}
";

fn job(name: &str, spec: &str) -> ShopRLJob {
    let text = MANIFEST.replace("name: shop", &format!("name: {name}")).replace("{seed: 7}", spec);
    serde_yaml::from_str(&text).unwrap()
}

fn run(job: &ShopRLJob) -> shoprl_contract::RunConfig {
    lower(&validate(&job.spec, job.metadata.name.as_deref().unwrap()).unwrap())
}

/// Checks the effect of a changed spec on the digest, the UID and the differences.
#[track_caller]
fn check(spec: &str, same_weights: bool, expected: &[&str]) {
    let (was, now) = (job("shop", "{seed: 7}"), job("shop", spec));
    assert_eq!(run(&was).manifest_digest == run(&now).manifest_digest, same_weights, "{spec}");
    assert_eq!(run(&was).job_uid == run(&now).job_uid, same_weights, "{spec}");
    let found: Vec<_> = differences(&was, &now).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{spec}");
}

#[test]
fn fields_that_decide_the_weights_change_the_job_and_others_may_change() {
    check(
        "{seed: 7, roles: {rollout: {replicas: 5}, reward: {replicas: 0}, simulator: {replicas: 2}}}",
        true,
        &[],
    );
    check("{seed: 7, checkpoint: {everySteps: 1, keep: 9}}", true, &[]);
    check("{seed: 7, evaluation: {everySteps: 5, tasks: 20}}", true, &[]);
    check(
        "{evaluation: {finalTasks: 100}}",
        true,
        &["spec.evaluation.finalTasks: was 1000, now 100"],
    );
    check("{seed: 8}", false, &["spec.seed: was 7, now 8"]);
    check(
        "{environment: {scenarios: [multiTurn], catalog: {preset: mini, seed: 2}, maxTurns: {singleTurn: 5}}}",
        false,
        &[
            "spec.environment.catalog.seed: was 1, now 2",
            "spec.environment.maxTurns.singleTurn: was 12, now 5",
            r#"spec.environment.scenarios: was ["singleTurn","singleTurnPersona","multiTurn","multiTurnPersona"], now ["multiTurn"]"#,
        ],
    );
    check("{training: {steps: 71}}", false, &["spec.training.steps: was 100, now 71"]);
    check("{training: {tasksPerStep: 15}}", false, &["spec.training.tasksPerStep: was 16, now 15"]);
    check(
        "{training: {learningRate: 0.0006}}",
        false,
        &["spec.training.learningRate: was 0.0005, now 0.0006"],
    );
    check(
        "{training: {reward: {strict: 0.1}}}",
        false,
        &["spec.training.reward.strict: was 0.0, now 0.1"],
    );
    check(
        "{training: {credit: {messageWise: {mode: mask}}}}",
        false,
        &[r#"spec.training.credit.messageWise.mode: was "gated", now "mask""#],
    );
    check(
        "{training: {algorithm: {grpo: {klCoefficient: 0.1}}}}",
        false,
        &["spec.training.algorithm.grpo.klCoefficient: was 0.0, now 0.1"],
    );
    check(
        "{training: {warmup: {sft: {hastiness: 0.5}}}}",
        false,
        &["spec.training.warmup.sft.hastiness: was 0.25, now 0.5"],
    );
}

#[test]
fn a_job_of_another_name_has_another_uid_and_the_same_weights() {
    let (shop, store) = (job("shop", "{seed: 7}"), job("store", "{seed: 7}"));
    assert_eq!(run(&shop).manifest_digest, run(&store).manifest_digest);
    assert_ne!(run(&shop).job_uid, run(&store).job_uid);
    let found: Vec<_> = differences(&shop, &store).iter().map(ToString::to_string).collect();
    assert_eq!(found, [r#"metadata.name: was "shop", now "store""#]);
}

#[test]
fn the_default_manifest_lowers_to_this_run() {
    let json = serde_json::to_string_pretty(&run(&job("quickstart", "{}"))).unwrap();
    expect![[r#"
        {
          "version": 1,
          "job": "quickstart",
          "jobUid": "dc71e27e-9296-8295-8a3c-94deed726ee3",
          "manifestDigest": "93b4d69efdcb3b9db49fc167a0a540eb1390bb926b7e8d9219c1c3460b5a4041",
          "seed": 7,
          "environment": {
            "catalog": "mini",
            "catalogSeed": 1,
            "scenarios": [
              "singleTurn",
              "singleTurnPersona",
              "multiTurn",
              "multiTurnPersona"
            ],
            "maxTurnsSingle": 12,
            "maxTurnsMulti": 12
          },
          "policy": {
            "preset": "nano",
            "maxActionTokens": 12,
            "context": 400
          },
          "training": {
            "warmup": {
              "maxTokens": 2400000,
              "batch": 16,
              "learningRate": 0.002,
              "matrixLearningRate": 0.02,
              "observationWeight": 0.3,
              "hastiness": 0.25,
              "stop": {
                "everyTokens": 400000,
                "tasks": 200,
                "greedySuccess": 0.45,
                "sampledSuccess": 0.12
              }
            },
            "grpo": {
              "groupSize": 8,
              "clipLow": 0.2,
              "clipHigh": 0.28,
              "klCoefficient": 0.0
            },
            "credit": {
              "mode": "gated",
              "scorer": "rules"
            },
            "reward": {
              "success": 1.0,
              "strict": 0.0,
              "loose": 0.0
            },
            "steps": 100,
            "tasksPerStep": 16,
            "learningRate": 0.0005
          },
          "evaluation": {
            "everySteps": 20,
            "tasks": 200,
            "finalTasks": 1000
          },
          "checkpoint": {
            "everySteps": 10,
            "keep": 3
          },
          "roles": {
            "simulator": {
              "replicas": 1
            },
            "rollout": {
              "replicas": 2
            },
            "reward": {
              "replicas": 1
            },
            "trainer": {
              "replicas": 1
            }
          }
        }"#]]
    .assert_eq(&json);
}
