//! One watch of one process, as far behind as the schedule lets it be.

use super::api::{Event, Expired, Kind, Server};

/// Where a watch is.
#[derive(Debug)]
pub(super) struct Informer {
    pub(super) kind: &'static Kind,
    pub(super) selector: &'static str,
    /// Version up to which everything is known; `None`: it must list.
    pub(super) version: Option<u64>,
}

/// What a watch sees next.
#[derive(Debug)]
pub(super) enum Next {
    /// It has to list.
    List,
    /// A change.
    Event(u64, Event),
    /// Nothing yet.
    Nothing,
}

impl Informer {
    pub(super) fn new(kind: &'static Kind, selector: &'static str) -> Self {
        Self { kind, selector, version: None }
    }

    pub(super) fn next(&mut self, server: &Server) -> Next {
        let Some(version) = self.version else { return Next::List };
        match server.next_event(self.kind, self.selector, version) {
            Ok(Some((version, event))) => Next::Event(version, event),
            Ok(None) => Next::Nothing,
            Err(Expired) => {
                self.version = None;
                Next::List
            }
        }
    }
}
