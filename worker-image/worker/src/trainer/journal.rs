//! The append-only files of the run folder. A checkpoint records their lengths; when a job continues, later rows are cut off,
//! because the steps that wrote them are repeated.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use shoprl_contract::Exit;
use shoprl_contract::run_folder::{Budget, Episode, Evaluation, Metric, PhaseBudget, file};

use super::state::JournalLengths;

/// Appends rows, each as one whole line.
pub(super) struct Journal {
    folder: PathBuf,
    metrics: RowFile,
    evaluations: RowFile,
}

struct RowFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// Opens the files and truncates them to `lengths`.
    pub(super) fn open(folder: &Path, lengths: JournalLengths) -> Result<Self, Exit> {
        let trajectories = folder.join(file::TRAJECTORIES);
        fs::create_dir_all(&trajectories).map_err(|error| disk_error(&trajectories, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
            metrics: RowFile::open(folder.join(file::METRICS), lengths.metrics)?,
            evaluations: RowFile::open(folder.join(file::EVALUATIONS), lengths.evaluations)?,
        })
    }

    /// Appends a row to metrics.jsonl.
    pub(super) fn metric(&mut self, row: &Metric) -> Result<(), Exit> {
        self.metrics.append(row)
    }

    /// Appends a row to evaluations.jsonl.
    pub(super) fn evaluation(&mut self, row: &Evaluation) -> Result<(), Exit> {
        self.evaluations.append(row)
    }

    /// Rows of evaluations.jsonl so far.
    pub(super) fn evaluations(&self) -> Result<Vec<Evaluation>, Exit> {
        let path = &self.evaluations.path;
        let text = fs::read_to_string(path).map_err(|error| disk_error(path, &error))?;
        let row = |(i, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| {
                Exit::bad_configuration(format!(
                    "{} line {}: {error}; the file is damaged: restore it from a copy, or start in another folder with --output",
                    path.display(),
                    i + 1
                ))
            })
        };
        text.lines().enumerate().map(row).collect()
    }

    /// Writes the episodes of a batch; replaces an earlier file of the same batch.
    pub(super) fn episodes(&self, batch: &str, episodes: &[Episode]) -> Result<(), Exit> {
        let path = self.folder.join(file::TRAJECTORIES).join(format!("{batch}.jsonl"));
        let mut lines = Vec::new();
        for episode in episodes {
            line(&mut lines, episode).map_err(|error| disk_error(&path, &error))?;
        }
        fs::write(&path, lines).map_err(|error| disk_error(&path, &error))
    }

    /// Writes time and tokens by activity.
    pub(super) fn budget(&self, phases: &[PhaseBudget]) -> Result<(), Exit> {
        let path = self.folder.join(file::BUDGET);
        let mut text = Vec::new();
        line(&mut text, &Budget { phases: phases.to_vec() })
            .map_err(|error| disk_error(&path, &error))?;
        fs::write(&path, text).map_err(|error| disk_error(&path, &error))
    }

    /// Syncs all rows to disk; returns the lengths for a checkpoint.
    pub(super) fn sync(&self) -> Result<JournalLengths, Exit> {
        for rows in [&self.metrics, &self.evaluations] {
            rows.file.sync_data().map_err(|error| disk_error(&rows.path, &error))?;
        }
        Ok(JournalLengths { metrics: self.metrics.length, evaluations: self.evaluations.length })
    }
}

impl RowFile {
    fn open(path: PathBuf, length: u64) -> Result<Self, Exit> {
        let open = OpenOptions::new().create(true).append(true).open(&path);
        let file = open.map_err(|error| disk_error(&path, &error))?;
        let found = file.metadata().map_err(|error| disk_error(&path, &error))?.len();
        if found < length {
            return Err(Exit::bad_configuration(format!(
                "{}: has {found} bytes, but the checkpoint was taken at {length}; restore the file, or start in another folder with --output",
                path.display()
            )));
        }
        file.set_len(length).map_err(|error| disk_error(&path, &error))?;
        Ok(Self { path, file, length })
    }

    fn append(&mut self, row: &impl Serialize) -> Result<(), Exit> {
        let mut bytes = Vec::new();
        line(&mut bytes, row)
            .and_then(|()| self.file.write_all(&bytes))
            .map_err(|error| disk_error(&self.path, &error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

fn line(bytes: &mut Vec<u8>, row: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *bytes, row)?;
    bytes.push(b'\n');
    Ok(())
}

fn disk_error(path: &Path, error: &std::io::Error) -> Exit {
    let exit = |permanent: bool, remedy: &str| {
        let message = format!("{}: {error}; {remedy}", path.display());
        if permanent { Exit::bad_configuration(message) } else { Exit::temporary(message) }
    };
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => exit(
            false,
            "the disk is full; free some space and run again, the job continues from its newest checkpoint",
        ),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            exit(true, "make the folder writable or choose another with --output")
        }
        _ => exit(false, "check the disk and run again"),
    }
}

#[cfg(test)]
mod tests {
    use shoprl_contract::ExitReason;
    use shoprl_contract::run_folder::{Decoding, Subject};

    use super::*;

    fn row(step: u64) -> Evaluation {
        Evaluation {
            subject: Subject::Progress,
            decoding: Decoding::Greedy,
            step,
            seconds: 0.5,
            episodes: Vec::new(),
        }
    }

    #[test]
    fn rows_after_the_checkpoint_are_cut_off_when_the_job_continues() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(folder.path(), JournalLengths::default()).expect("opens");
        journal.evaluation(&row(1)).expect("writes");
        let lengths = journal.sync().expect("syncs");
        journal.evaluation(&row(2)).expect("writes");
        drop(journal);
        let mut journal = Journal::open(folder.path(), lengths).expect("opens again");
        journal.evaluation(&row(3)).expect("writes");
        assert_eq!(journal.evaluations().expect("reads"), [row(1), row(3)]);
    }

    #[test]
    fn a_file_shorter_than_its_checkpoint_says_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let lengths = JournalLengths { metrics: 10, evaluations: 0 };
        let exit = Journal::open(folder.path(), lengths).err().expect("is refused");
        assert!(exit.message.contains("metrics.jsonl"), "{}", exit.message);
    }

    #[test]
    fn a_damaged_row_is_refused_by_line_and_a_full_disk_is_temporary() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(folder.path(), JournalLengths::default()).expect("opens");
        journal.evaluation(&row(1)).expect("writes");
        let path = folder.path().join(file::EVALUATIONS);
        fs::write(&path, "{\"subject\": 7}\n").expect("is damaged");
        let exit = journal.evaluations().expect_err("is refused");
        assert_eq!(exit.reason, ExitReason::BadConfiguration);
        assert!(exit.message.contains("evaluations.jsonl line 1"), "{}", exit.message);

        let reason = |kind| disk_error(&path, &std::io::Error::from(kind)).reason;
        assert_eq!(reason(std::io::ErrorKind::StorageFull), ExitReason::Temporary);
        assert_eq!(reason(std::io::ErrorKind::PermissionDenied), ExitReason::BadConfiguration);
    }
}
