//! Faults of requests, and their coverage by call site.

use std::collections::BTreeMap;
use std::fmt;

/// The fault of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// No fault.
    None,
    /// The server answers 503 and does nothing.
    Error,
    /// The server executes the request, but its answer is lost.
    TimeoutApplied,
    /// The server answers 409, as after a write of another client.
    Conflict,
    /// The operator crashes before the request is sent.
    CrashBefore,
    /// The operator crashes after the server executed the request.
    CrashAfter,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 5] =
        [Self::Error, Self::TimeoutApplied, Self::Conflict, Self::CrashBefore, Self::CrashAfter];

    /// Whether the fault can happen at `site`. Reads have no conflicts.
    pub fn is_possible(self, site: &str) -> bool {
        self != Self::Conflict
            || !(site.starts_with("Get") || site.starts_with("List") || site == PROGRESS)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::None => "answered",
            Self::Error => "error",
            Self::TimeoutApplied => "timeout, applied",
            Self::Conflict => "conflict",
            Self::CrashBefore => "crash before",
            Self::CrashAfter => "crash after",
        };
        f.pad(name)
    }
}

/// The site of requests for a trainer's progress.
pub(super) const PROGRESS: &str = "GetProgress trainer";

/// Call sites that a campaign must reach.
pub(super) const SITES: [&str; 11] = [
    "Update shoprljobs/status",
    "Create configmaps",
    "Create secrets",
    "Create persistentvolumeclaims",
    "Get services",
    "Create services",
    "Merge services",
    "Create pods",
    "Get pods",
    "Delete pods",
    PROGRESS,
];

/// Counts of faults by call site, and of other events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    cells: BTreeMap<(String, Fault), u64>,
    /// Other events: watch events lost, nodes lost, pods ended and the like.
    happened: BTreeMap<String, u64>,
}

impl Coverage {
    /// Counts a fault, or none, at a call site.
    pub fn count(&mut self, site: &str, fault: Fault) {
        *self.cells.entry((site.to_owned(), fault)).or_default() += 1;
    }

    /// Counts another event.
    pub fn happened(&mut self, what: &str) {
        match self.happened.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.happened.insert(what.to_owned(), 1)),
        }
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Self) {
        for (cell, count) in &other.cells {
            *self.cells.entry(cell.clone()).or_default() += count;
        }
        for (what, count) in &other.happened {
            *self.happened.entry(what.clone()).or_default() += count;
        }
    }

    /// The count of an event.
    pub fn of(&self, what: &str) -> u64 {
        self.happened.get(what).copied().unwrap_or_default()
    }

    /// Faults that can happen at a site and did not.
    pub fn holes(&self) -> Vec<String> {
        let mut sites: Vec<&str> = self.cells.keys().map(|(site, _)| site.as_str()).collect();
        sites.extend(SITES);
        sites.sort_unstable();
        sites.dedup();
        let cells = sites.iter().flat_map(|site| Fault::ALL.map(|fault| (*site, fault)));
        let empty = cells.filter(|(site, fault)| {
            fault.is_possible(site) && !self.cells.contains_key(&((*site).to_owned(), *fault))
        });
        empty.map(|(site, fault)| format!("{site} x {fault}")).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [Fault::None].into_iter().chain(Fault::ALL);
        write!(f, "{:<32}", "call site")?;
        for fault in columns.clone() {
            write!(f, "{fault:>18}")?;
        }
        let mut sites: Vec<&String> = self.cells.keys().map(|(site, _)| site).collect();
        sites.dedup();
        for site in sites {
            write!(f, "\n{site:<32}")?;
            for fault in columns.clone() {
                match self.cells.get(&(site.clone(), fault)) {
                    Some(count) => write!(f, "{count:>18}")?,
                    None if fault.is_possible(site) => write!(f, "{:>18}", 0)?,
                    None => write!(f, "{:>18}", "-")?,
                }
            }
        }
        writeln!(f)?;
        for (what, count) in &self.happened {
            write!(f, "\n{what:<50}{count:>10}")?;
        }
        Ok(())
    }
}
