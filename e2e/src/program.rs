//! Starts `shoprl`, waits for files in its run folder, and ends its processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Manifest of a job of a few seconds. Fields of its spec can be appended.
pub const SMALL: &str = "apiVersion: shoprl.dev/v1alpha1
kind: ShopRLJob
metadata: {name: small}
spec:
  training:
    warmup: {sft: {maxTokens: 20000, stop: {everyTokens: 20000, tasks: 8}}}
    algorithm: {grpo: {groupSize: 2}}
    steps: 1
    tasksPerStep: 2
  evaluation: {everySteps: 0, finalTasks: 8}
";

/// The program `shoprl` that was built with the tests.
///
/// # Panics
/// When it was not built.
pub fn shoprl() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    // target/release/deps/TEST -> target/release/shoprl
    let program = test.ancestors().nth(2).expect("tests lie two folders deep").join("shoprl");
    assert!(
        program.exists(),
        "{} is missing; build it: cargo build --release -p shoprl-cli",
        program.display()
    );
    program
}

/// A `shoprl run` process.
pub struct Run {
    child: Child,
    /// Its run folder.
    pub folder: PathBuf,
    out: PathBuf,
}

impl Run {
    /// Starts `shoprl run`; its output goes to `FOLDER.out`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(manifest: &Path, folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(manifest, folder, arguments, &folder.with_extension("out"))
    }

    /// Like [`Run::start`], with the output in the file `path`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_with(manifest: &Path, folder: &Path, arguments: &[&str], path: &Path) -> Self {
        let out = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("the output file opens");
        let child = Command::new(shoprl())
            .arg("run")
            .arg(manifest)
            .arg("--output")
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a second handle"))
            .stderr(out)
            .spawn()
            .expect("shoprl starts");
        Self { child, folder: folder.to_owned(), out: path.to_owned() }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end of the run and returns its exit code.
    ///
    /// # Panics
    /// After five minutes, when it is killed.
    pub fn finish(mut self) -> Option<i32> {
        let end = Instant::now() + Duration::from_secs(300);
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return status.code();
            }
            if Instant::now() > end {
                let _ = self.child.kill();
                panic!("{} did not end:\n{}", self.folder.display(), self.output());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the process and waits for it.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }

    /// Waits until `condition` holds for the run folder.
    ///
    /// # Panics
    /// When the run ends first, or after two minutes.
    pub fn wait_until(&mut self, what: &str, condition: impl Fn(&Path) -> bool) {
        let end = Instant::now() + Duration::from_secs(120);
        while !condition(&self.folder) {
            let ended = self.child.try_wait().expect("the child can be waited for");
            assert!(
                ended.is_none() && Instant::now() < end,
                "{what} did not happen ({ended:?}):\n{}",
                self.output()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Output so far.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }
}

/// The children of a process: (id, command line).
pub fn children(parent: u32) -> Vec<(u32, String)> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let numbered =
        processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // pid (comm) state ppid ...; comm may contain anything, so fields count from its closing parenthesis.
        let after = stat.rsplit(')').next().unwrap_or_default();
        after.split_whitespace().nth(1).and_then(|ppid| ppid.parse::<u32>().ok()) == Some(parent)
    };
    let with_command = |id: u32| {
        let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        (id, command.replace('\0', " "))
    };
    numbered.filter(is_child).map(with_command).collect()
}

/// Sends a signal, named as in kill(1), to a process.
///
/// # Panics
/// When the process does not exist.
pub fn kill(signal: &str, id: u32) {
    let output: Output =
        Command::new("kill").args(["-s", signal, &id.to_string()]).output().expect("kill runs");
    assert!(
        output.status.success(),
        "kill -s {signal} {id}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The weights of the newest complete checkpoint in a run folder.
///
/// # Panics
/// When there is none.
pub fn final_weights(run: &Path) -> Vec<u8> {
    let file = final_checkpoint(run).join("model/model.safetensors");
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// `state.json` of the newest complete checkpoint in a run folder.
///
/// # Panics
/// When there is none.
pub fn final_state(run: &Path) -> serde_json::Value {
    let file = final_checkpoint(run).join("state.json");
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn final_checkpoint(run: &Path) -> PathBuf {
    let folders = |path: &Path, prefix: &str| {
        let mut found: Vec<PathBuf> = fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
            })
            .collect();
        found.sort();
        found
    };
    let mut checkpoints =
        folders(run, "attempt-").into_iter().flat_map(|attempt| folders(&attempt, "step-"));
    let newest = checkpoints.rfind(|path| path.join("MANIFEST.json").exists());
    newest.expect("a run that ended has a checkpoint")
}
