//! The lineage records of attempts, and the history that they define.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::layout::attempt_directory;
use super::seal::{self, Sealed};
use super::{CheckpointError, CheckpointId, Job};

/// lineage/0003.json: attempt 3 exists, with its parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    pub(super) job_uid: String,
    pub(super) manifest_digest: String,
    pub(super) attempt: u32,
    pub(super) parent: Option<CheckpointId>,
    pub(super) sha256: String,
}

impl Sealed for Record {
    fn seal(&mut self) -> &mut String {
        &mut self.sha256
    }
}

/// The part of an attempt that belongs to history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) attempt: u32,
    /// Its last checkpoint that counts, named by its successor; `None`: all count.
    pub(super) last: Option<CheckpointId>,
}

/// All records of a run folder.
#[derive(Debug)]
pub(super) struct Lineage {
    root: PathBuf,
    records: BTreeMap<u32, Record>,
    /// Highest attempt number taken, including unreadable records.
    newest: u32,
}

impl Lineage {
    /// Reads all records. A record torn by a crash before its attempt wrote anything is ignored.
    pub(super) fn read(root: &Path) -> Result<Self, CheckpointError> {
        let mut lineage = Self { root: root.to_owned(), records: BTreeMap::new(), newest: 0 };
        for number in numbers(&folder(root))? {
            lineage.newest = lineage.newest.max(number);
            if let Some(record) = read_record(root, number)? {
                lineage.records.insert(number, record);
            }
        }
        Ok(lineage)
    }

    /// Highest attempt number taken; 0 if there is none.
    pub(super) fn newest(&self) -> u32 {
        self.newest
    }

    /// Checks that the records belong to `given`.
    pub(super) fn check(&self, given: &Job) -> Result<(), CheckpointError> {
        for record in self.records.values() {
            let recorded = Job {
                uid: record.job_uid.clone(),
                manifest_digest: record.manifest_digest.clone(),
            };
            if recorded != *given {
                let (directory, given) = (self.root.clone(), given.clone());
                return Err(CheckpointError::AnotherJob { directory, recorded, given });
            }
        }
        Ok(())
    }

    /// The checkpoints that count, newest attempt first.
    pub(super) fn history(&self) -> Result<Vec<Span>, CheckpointError> {
        let Some(mut record) = self.records.values().next_back() else { return Ok(Vec::new()) };
        let mut spans = vec![Span { attempt: record.attempt, last: None }];
        while let Some(parent) = &record.parent {
            let file = record_file(&self.root, record.attempt);
            let older = self.records.get(&parent.attempt);
            let Some(older) = older.filter(|older| older.attempt < record.attempt) else {
                let reason = format!("names a parent in attempt {}", parent.attempt);
                return Err(CheckpointError::Lineage { file, reason });
            };
            spans.push(Span { attempt: parent.attempt, last: Some(parent.clone()) });
            record = older;
        }
        Ok(spans)
    }
}

/// Path of an attempt's record.
pub(super) fn record_file(root: &Path, attempt: u32) -> PathBuf {
    folder(root).join(file_name(attempt))
}

fn file_name(attempt: u32) -> String {
    format!("{attempt:04}.json")
}

/// Folder of all records.
pub(super) fn folder(root: &Path) -> PathBuf {
    root.join("lineage")
}

/// Attempt numbers in `folder`, ascending.
fn numbers(folder: &Path) -> Result<Vec<u32>, CheckpointError> {
    let list = CheckpointError::storage("list", folder);
    let names: io::Result<Vec<_>> =
        fs::read_dir(folder).and_then(|entries| entries.map(|e| Ok(e?.file_name())).collect());
    let mut numbers: Vec<u32> = names
        .map_err(list)?
        .iter()
        .filter_map(|name| {
            let number = name.to_str()?.strip_suffix(".json")?.parse().ok()?;
            (*name == *file_name(number)).then_some(number)
        })
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads a record; `None` if a crash tore it. An attempt writes nothing before its record is synced, so an unreadable record
/// comes from a crash if the attempt has no folder, and is damage if it has one.
fn read_record(root: &Path, number: u32) -> Result<Option<Record>, CheckpointError> {
    let file = record_file(root, number);
    let bytes = fs::read(&file).map_err(CheckpointError::storage("read", &file))?;
    let reason = match seal::from_bytes::<Record>(&bytes) {
        Ok(record) if record.attempt == number => return Ok(Some(record)),
        Ok(record) => format!("belongs to attempt {}", record.attempt),
        Err(reason) => reason,
    };
    if attempt_directory(root, number).exists() {
        return Err(CheckpointError::Lineage { file, reason });
    }
    tracing::warn!(file = %file.display(), reason, "lineage record of an attempt that never began ignored");
    Ok(None)
}
