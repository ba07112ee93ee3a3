//! Starting workers as processes, and reading how they ended.
//!
//! Every worker holds the read end of a pipe whose write end only this process has: when this
//! process dies, however it dies, the pipe closes and the workers leave. A second pipe takes a worker's last words, so
//! that a full disk does not keep anybody from saying that it is full.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use shoprl_contract::run_folder::file;
use shoprl_contract::{Exit, ExitReason, Role};
use shoprl_plan::local::{Ending, LocalPlan, ProcessId};
use tokio::process::{Child, Command};

use super::folder::RunFolder;
use crate::failure::write_remedy;

/// The running program itself: a build that replaces the file on the disk does not change the workers of a run.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// Where a worker leaves its last words: its standard output, which says nothing else.
const LAST_WORDS: &str = "/dev/stdout";
/// How often the trainer's address file is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// Starts the processes of one run.
pub(super) struct Launcher {
    program: PathBuf,
    folder: PathBuf,
    logs: PathBuf,
    token_file: PathBuf,
    threads: BTreeMap<ProcessId, usize>,
    /// Where the trainer shall listen; after its first start, where it listened.
    listen: String,
    /// Where the trainer listens.
    trainer: Option<String>,
}

impl Launcher {
    /// A launcher for the processes of `plan`.
    pub(super) fn new(folder: &RunFolder, plan: &LocalPlan, port: u16) -> Result<Self, Exit> {
        let program = PathBuf::from(THIS_PROGRAM);
        let program = if program.exists() { Ok(program) } else { std::env::current_exe() };
        let program =
            program.map_err(|error| Exit::temporary(format!("path of this program: {error}")))?;
        // Workers get absolute paths: what they are told must not depend on where they stand.
        let absolute = |path: PathBuf| {
            std::path::absolute(&path)
                .map_err(|error| Exit::temporary(format!("{}: {error}", path.display())))
        };
        Ok(Self {
            program,
            folder: absolute(folder.path().to_owned())?,
            logs: absolute(folder.logs())?,
            token_file: absolute(folder.token_file())?,
            threads: plan.processes.iter().map(|process| (process.id, process.threads)).collect(),
            listen: format!("127.0.0.1:{port}"),
            trainer: None,
        })
    }

    /// Lets another program play the workers.
    #[cfg(test)]
    pub(super) fn with_program(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// Starts a process in a process group of its own, so that Ctrl-C reaches only this one.
    pub(super) fn start(&self, id: ProcessId) -> io::Result<Child> {
        if id == ProcessId::TRAINER {
            remove(&self.address_file())?;
        }
        let path = self.log(id);
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(|error| {
            let remedy = write_remedy(&error);
            io::Error::new(error.kind(), format!("{}: {error}; {remedy}", path.display()))
        })?;
        self.command(id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    fn command(&self, id: ProcessId) -> Command {
        let mut command = Command::new(&self.program);
        command.arg0("shoprl").args(["worker", id.role.name()]);
        let mut option = |name: &str, value: &Path| {
            command.arg(name).arg(value);
        };
        option("--index", Path::new(&id.index.to_string()));
        option("--config", &self.folder.join(file::RUN_CONFIG));
        option("--directory", &self.folder);
        option("--token-file", &self.token_file);
        option("--termination-file", Path::new(LAST_WORDS));
        let threads = self.threads.get(&id).copied().unwrap_or(1);
        option("--threads", Path::new(&threads.to_string()));
        match (&self.trainer, id.role) {
            (_, Role::Trainer) => {
                option("--listen", Path::new(&self.listen));
                option("--address-file", &self.address_file());
            }
            (Some(trainer), _) => option("--trainer", Path::new(trainer)),
            // The supervisor starts the others once the trainer listens.
            (None, _) => {}
        }
        command.arg("--exit-with-stdin");
        command
    }

    /// Waits until the trainer has written where it listens. Cancel it when the trainer ends.
    pub(super) async fn listening(address_file: PathBuf) -> String {
        loop {
            if let Ok(text) = tokio::fs::read_to_string(&address_file).await
                && text.ends_with('\n')
            {
                return text.trim().to_owned();
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The trainer listens there; should it start again, it shall do so on the same port.
    pub(super) fn trainer_listens(&mut self, address: String) {
        self.listen.clone_from(&address);
        self.trainer = Some(address);
    }

    /// Written by the trainer.
    pub(super) fn address_file(&self) -> PathBuf {
        self.logs.join(format!("{}.address", ProcessId::TRAINER.slug()))
    }

    /// What a process wrote while it ran.
    pub(super) fn log(&self, id: ProcessId) -> PathBuf {
        self.logs.join(format!("{}.log", id.slug()))
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How a process ended, from its status and its last words.
pub(super) fn ending(status: ExitStatus, words: &str) -> Ending {
    let words = words.lines().last().and_then(|line| serde_json::from_str::<Exit>(line).ok());
    match (status.code(), words) {
        (Some(code), Some(exit)) if i32::from(exit.reason.code()) == code => Ending::Exit(exit),
        (Some(code), _) => without_words(code),
        (None, _) => {
            Ending::Crash(format!("killed by signal {}", status.signal().unwrap_or_default()))
        }
    }
}

fn without_words(code: i32) -> Ending {
    const PANIC: i32 = 101;
    let reasons = [
        ExitReason::Done,
        ExitReason::BadConfiguration,
        ExitReason::Temporary,
        ExitReason::Stopped,
    ];
    match reasons.into_iter().find(|reason| i32::from(reason.code()) == code) {
        Some(reason) => {
            Ending::Exit(Exit::new(reason, format!("exit code {code}, its log says why")))
        }
        None if code == PANIC => Ending::Crash("panicked".to_owned()),
        None => Ending::Crash(format!("exit code {code}")),
    }
}
