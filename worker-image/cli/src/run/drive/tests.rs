//! Real processes under the supervisor: a shell script plays the workers and records a history.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use shoprl_plan::local::{Machine, plan};

use super::*;
use crate::manifest::Manifest;
use crate::run::folder::RunFolder;
use crate::run::tests::exclusive;

/// The trainer exits with `done` once a file `finish` exists. A process that finds a file `crash-ROLE` or `refuse-ROLE` removes
/// it and ends that way.
const SCRIPT: &str = r#"#!/bin/sh
role=$2
while [ $# -gt 0 ]; do
  case "$1" in
    --directory) dir=$2 ;; --index) index=$2 ;; --termination-file) last=$2 ;;
    --address-file) address=$2 ;; --listen) listen=$2 ;; --trainer) trainer=$2 ;;
  esac
  shift
done
say() { echo "$role $index $*" >> "$dir/history"; }
leave() { echo "{\"reason\":\"$1\",\"message\":\"$2\"}" > "$last"; exit "$3"; }
say "start $listen$trainer"
trap 'say terminated; leave stopped terminated 143' TERM
[ -n "$address" ] && echo 127.0.0.1:9 > "$address"
while true; do
  rm "$dir/crash-$role" 2> /dev/null && kill -9 $$
  rm "$dir/refuse-$role" 2> /dev/null && leave badConfiguration "no such preset" 64
  [ "$role" = trainer ] && [ -e "$dir/finish" ] && leave done "" 0
  sleep 0.05
done
"#;

struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn run_folder(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn history(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.run_folder().join("history")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    async fn until(&self, line: &str) {
        for _ in 0..500 {
            if self.history().iter().any(|entry| entry == line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{line:?} did not happen: {:?}", self.history());
    }

    fn set(&self, file: &str) {
        std::fs::write(self.run_folder().join(file), "").unwrap();
    }
}

fn manifest(folder: &Path) -> Manifest {
    let path = folder.join("manifest.yaml");
    let text = "apiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\nmetadata: {name: shop}\nspec: {roles: {rollout: {replicas: 1}}}\n";
    std::fs::write(&path, text).unwrap();
    Manifest::read(&path).unwrap()
}

/// Runs the script's workers during `story`, whose sender requests a stop.
fn check(story: &impl AsyncFn(&Stage, &UnboundedSender<()>), expected: &Exit) -> Vec<String> {
    let _exclusive = exclusive();
    let stage = Stage::new();
    let script = stage.folder.path().join("worker");
    std::fs::write(&script, SCRIPT).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let manifest = manifest(stage.folder.path());
    let folder = RunFolder::open(&stage.run_folder(), &manifest).unwrap();
    let config = manifest.config();
    let plan = plan(&config, Machine { cpus: 2 });
    let launcher = Launcher::new(&folder, &plan, 0).unwrap().with_program(script);
    let observer = Observer::new(&config, folder.token());
    let mut view = View::new(false, Box::new(std::io::sink()));
    let (stop, stops) = unbounded_channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let exit = runtime.block_on(async {
        let drive =
            Drive::new(launcher, observer, &mut view).run(&plan, RestartBudget::DEFAULT, stops);
        tokio::join!(drive, story(&stage, &stop)).0
    });
    assert_eq!(&exit, expected);
    stage.history()
}

#[test]
fn the_trainer_starts_first_and_the_others_end_with_it() {
    let history = check(
        &async |stage, _| {
            stage.until("rollout 0 start 127.0.0.1:9").await;
            stage.until("simulator 0 start 127.0.0.1:9").await;
            stage.until("reward 0 start 127.0.0.1:9").await;
            stage.set("finish");
        },
        &Exit::done(),
    );
    assert_eq!(history[0], "trainer 0 start 127.0.0.1:0");
    assert_eq!(
        history.iter().filter(|line| line.ends_with("terminated")).count(),
        3,
        "{history:?}"
    );
}

#[test]
fn failed_processes_restart_and_the_trainer_keeps_its_port() {
    let history = check(
        &async |stage, _| {
            stage.until("rollout 0 start 127.0.0.1:9").await;
            stage.set("crash-rollout");
            stage.set("crash-trainer");
            for _ in 0..500 {
                let starts = stage.history().iter().filter(|line| line.contains("start")).count();
                if starts == 6 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            stage.set("finish");
        },
        &Exit::done(),
    );
    let starts = |line: &str| history.iter().filter(|entry| *entry == line).count();
    assert_eq!(starts("rollout 0 start 127.0.0.1:9"), 2, "{history:?}");
    assert_eq!(starts("trainer 0 start 127.0.0.1:9"), 1, "{history:?}");
    assert_eq!(starts("simulator 0 start 127.0.0.1:9"), 1, "{history:?}");
}

#[test]
fn on_a_stop_request_the_trainer_is_signalled_first() {
    let history = check(
        &async |stage, stop| {
            stage.until("reward 0 start 127.0.0.1:9").await;
            stop.send(()).unwrap();
        },
        &Exit::stopped("stopped; run again to continue"),
    );
    let terminated: Vec<_> = history.iter().filter(|line| line.ends_with("terminated")).collect();
    assert_eq!(terminated[0], "trainer 0 terminated");
    assert_eq!(terminated.len(), 4, "{history:?}");
}

#[test]
fn bad_configuration_of_a_worker_ends_the_run_with_its_message() {
    check(
        &async |stage, _| {
            stage.until("rollout 0 start 127.0.0.1:9").await;
            stage.set("refuse-rollout");
        },
        &Exit::bad_configuration("rollout 0: no such preset"),
    );
}
