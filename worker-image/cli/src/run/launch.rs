//! Starts workers as processes and interprets how they ended.
//!
//! The standard input of a worker is a pipe whose write end only this process holds. When this process dies, the pipe
//! closes and the worker exits. The standard output is a pipe for the termination message, which therefore works on a full
//! disk.

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

/// The running program: a new build on the disk does not change the workers of this run.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// Workers write nothing but their termination message to standard output.
const TERMINATION_FILE: &str = "/dev/stdout";
/// Poll interval for the trainer's address file.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Starts the processes of one run.
pub(super) struct Launcher {
    program: PathBuf,
    folder: PathBuf,
    logs: PathBuf,
    token_file: PathBuf,
    threads: BTreeMap<ProcessId, usize>,
    /// The trainer's listen address; after its first start, with the port that it got.
    listen: String,
    /// The trainer's address once it listens.
    trainer: Option<String>,
}

impl Launcher {
    /// A launcher for the processes of `plan`.
    pub(super) fn new(folder: &RunFolder, plan: &LocalPlan, port: u16) -> Result<Self, Exit> {
        let program = PathBuf::from(THIS_PROGRAM);
        let program = if program.exists() { Ok(program) } else { std::env::current_exe() };
        let program =
            program.map_err(|error| Exit::temporary(format!("path of this program: {error}")))?;
        // Workers get absolute paths, independent of their working directory.
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

    /// Runs another program as the workers.
    #[cfg(test)]
    pub(super) fn with_program(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// Starts a worker in its own process group, so that Ctrl-C reaches only this process.
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
        option("--termination-file", Path::new(TERMINATION_FILE));
        let threads = self.threads.get(&id).copied().unwrap_or(1);
        option("--threads", Path::new(&threads.to_string()));
        match (&self.trainer, id.role) {
            (_, Role::Trainer) => {
                option("--listen", Path::new(&self.listen));
                option("--address-file", &self.address_file());
            }
            (Some(trainer), _) => option("--trainer", Path::new(trainer)),
            // The supervisor starts the other roles after the trainer listens.
            (None, _) => {}
        }
        command.arg("--exit-with-stdin");
        command
    }

    /// Waits until the trainer has written its address. Abort it when the trainer ends.
    pub(super) async fn listening(address_file: PathBuf) -> String {
        loop {
            if let Ok(text) = tokio::fs::read_to_string(&address_file).await
                && text.ends_with('\n')
            {
                return text.trim().to_owned();
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Stores the trainer's address. A restarted trainer listens on the same port.
    pub(super) fn trainer_listens(&mut self, address: String) {
        self.listen.clone_from(&address);
        self.trainer = Some(address);
    }

    /// File to which the trainer writes its address.
    pub(super) fn address_file(&self) -> PathBuf {
        self.logs.join(format!("{}.address", ProcessId::TRAINER.slug()))
    }

    /// Log file of a process.
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

/// How a process ended, from its exit status and its termination message.
pub(super) fn ending(status: ExitStatus, message: &str) -> Ending {
    let message = message.lines().last().and_then(|line| serde_json::from_str::<Exit>(line).ok());
    match (status.code(), message) {
        (Some(code), Some(exit)) if i32::from(exit.reason.code()) == code => Ending::Exit(exit),
        (Some(code), _) => without_message(code),
        (None, _) => {
            Ending::Crash(format!("killed by signal {}", status.signal().unwrap_or_default()))
        }
    }
}

fn without_message(code: i32) -> Ending {
    const PANIC: i32 = 101;
    let reasons = [
        ExitReason::Done,
        ExitReason::BadConfiguration,
        ExitReason::Temporary,
        ExitReason::Stopped,
    ];
    match reasons.into_iter().find(|reason| i32::from(reason.code()) == code) {
        Some(reason) => Ending::Exit(Exit::new(reason, format!("exit code {code}; see its log"))),
        None if code == PANIC => Ending::Crash("panicked".to_owned()),
        None => Ending::Crash(format!("exit code {code}")),
    }
}
