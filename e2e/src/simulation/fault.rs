//! What may go wrong with a request, and which requests it went wrong with.

use std::collections::BTreeMap;
use std::fmt;

use super::api::{Call, Verb};

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing goes wrong.
    None,
    /// The server answers 503, and did nothing.
    Error,
    /// The server did it, and no answer comes back.
    TimeoutApplied,
    /// The server answers 409 because somebody else wrote meanwhile.
    Conflict,
    /// The operator dies before the request leaves.
    CrashBefore,
    /// The operator dies once the server did it.
    CrashAfter,
}

impl Fault {
    /// All that go wrong.
    pub const ALL: [Self; 5] =
        [Self::Error, Self::TimeoutApplied, Self::Conflict, Self::CrashBefore, Self::CrashAfter];

    /// Whether it can happen at `site`: what changes nothing conflicts with nothing.
    pub fn is_possible(self, site: &str) -> bool {
        self != Self::Conflict
            || !(site.starts_with("Get") || site.starts_with("List") || site == ASK)
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

/// The site at which a trainer is asked.
pub(super) const ASK: &str = "Ask trainer";

/// Call sites that every number of runs worth its name reaches.
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
    ASK,
];

/// How often which fault happened where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    cells: BTreeMap<(String, Fault), u64>,
    /// Everything else that happened: events lost, nodes lost, pods ended and the like.
    happened: BTreeMap<String, u64>,
}

impl Coverage {
    /// Counts a fault, or none, at a call site.
    pub fn count(&mut self, site: &str, fault: Fault) {
        *self.cells.entry((site.to_owned(), fault)).or_default() += 1;
    }

    /// Counts something else.
    pub fn happened(&mut self, what: &str) {
        match self.happened.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.happened.insert(what.to_owned(), 1)),
        }
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (cell, count) in &other.cells {
            *self.cells.entry(cell.clone()).or_default() += count;
        }
        for (what, count) in &other.happened {
            *self.happened.entry(what.clone()).or_default() += count;
        }
    }

    /// How often something happened.
    pub fn of(&self, what: &str) -> u64 {
        self.happened.get(what).copied().unwrap_or_default()
    }

    /// Cells that can be reached and were not.
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

/// Name of the place from which a request comes.
pub(super) fn site(call: &Call) -> String {
    debug_assert!(call.verb != Verb::Merge || !call.name.is_empty());
    call.to_string()
}
