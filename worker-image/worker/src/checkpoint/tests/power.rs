//! A disk that loses power, in the worst permitted way: whatever was not synced is torn or undone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::{fs, io};

use super::super::disk::Disk;
use super::files;

/// The fault that comes when the operations run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Power is lost; all later operations fail.
    PowerCut,
    /// One operation fails with a full disk; later ones work.
    DiskFull,
}

/// A disk that fails after a number of operations.
#[derive(Debug)]
pub(super) struct FailingDisk {
    fault: Fault,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Operations that still work.
    remaining: u64,
    failed: bool,
    /// Files whose content is synced.
    durable: BTreeSet<PathBuf>,
    /// Folder changes that are not synced, in order.
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Created(PathBuf),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf, Vec<u8>),
}

impl FailingDisk {
    /// All files in `root` are synced; the fault comes after `remaining` operations.
    pub(super) fn new(root: &Path, remaining: u64, fault: Fault) -> Self {
        let durable = files(root).into_iter().collect();
        let pending = Vec::new();
        let state = Mutex::new(State { remaining, failed: false, durable, pending });
        Self { fault, state }
    }

    /// Whether the fault has occurred.
    pub(super) fn failed(&self) -> bool {
        self.state.lock().unwrap().failed
    }

    /// Operations still left.
    pub(super) fn remaining(&self) -> u64 {
        self.state.lock().unwrap().remaining
    }

    /// Leaves `root` as a reboot might find it; `chance` decides what survives.
    pub(super) fn reboot(&self, root: &Path, mut chance: Chance) {
        let mut state = self.state.lock().unwrap();
        for path in files(root) {
            if !state.durable.contains(&path) {
                let length = fs::metadata(&path).unwrap().len();
                let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
                file.set_len(chance.below(length + 1)).unwrap();
            }
        }
        while let Some(change) = state.pending.pop() {
            if chance.below(2) == 0 {
                undo(change);
            }
        }
    }

    /// Counts one operation; the error is the fault.
    fn operate(&self) -> Result<MutexGuard<'_, State>, io::Error> {
        let mut state = self.state.lock().unwrap();
        if state.remaining == 0 && !(state.failed && self.fault == Fault::DiskFull) {
            state.failed = true;
            return Err(match self.fault {
                Fault::PowerCut => io::Error::other("power lost"),
                Fault::DiskFull => io::ErrorKind::StorageFull.into(),
            });
        }
        state.remaining = state.remaining.saturating_sub(1);
        Ok(state)
    }
}

fn undo(change: Change) {
    match change {
        Change::Created(path) if path.is_dir() => fs::remove_dir_all(path).unwrap(),
        Change::Created(path) if path.exists() => fs::remove_file(path).unwrap(),
        Change::Renamed(from, to) if to.exists() => fs::rename(to, from).unwrap(),
        Change::Removed(path, content) if !path.exists() => {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        _ => {}
    }
}

impl Disk for FailingDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.operate()?;
        if !path.exists() {
            state.pending.push(Change::Created(path.to_owned()));
        }
        fs::create_dir_all(path)
    }

    fn create_new(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        match self.operate() {
            Ok(mut state) => {
                let mut file = fs::File::create_new(path)?;
                state.durable.insert(path.to_owned());
                state.pending.push(Change::Created(path.to_owned()));
                io::Write::write_all(&mut file, content)
            }
            Err(error) => {
                // Power may be lost while the content is written.
                if self.fault == Fault::PowerCut && !path.exists() {
                    fs::write(path, content)?;
                }
                Err(error)
            }
        }
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.operate()?.durable.insert(path.to_owned());
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.operate()?.pending.retain(|change| {
            let (Change::Created(changed)
            | Change::Renamed(_, changed)
            | Change::Removed(changed, _)) = change;
            changed.parent() != Some(path)
        });
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.operate()?;
        fs::rename(from, to)?;
        let moved = |path: &PathBuf| path.strip_prefix(from).ok().map(|rest| to.join(rest));
        state.durable =
            state.durable.iter().map(|p| moved(p).unwrap_or_else(|| p.clone())).collect();
        for change in &mut state.pending {
            let (Change::Created(path) | Change::Renamed(_, path) | Change::Removed(path, _)) =
                change;
            if let Some(new) = moved(path) {
                *path = new;
            }
        }
        state.pending.push(Change::Renamed(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.operate()?;
        let content = fs::read(path)?;
        fs::remove_file(path)?;
        state.pending.push(Change::Removed(path.to_owned(), content));
        Ok(())
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        let mut state = self.operate()?;
        if !path.exists() {
            return Ok(());
        }
        for file in files(path) {
            let content = fs::read(&file)?;
            state.durable.remove(&file);
            state.pending.push(Change::Removed(file, content));
        }
        fs::remove_dir_all(path)
    }
}

/// Decisions of a reboot, from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % n
    }
}
