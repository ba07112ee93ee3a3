//! One watch of one process. The schedule decides how far it lags behind.

use super::api::{Event, Expired, Kind, Server};

/// The position of a watch.
#[derive(Debug)]
pub(super) struct Informer {
    pub(super) kind: &'static Kind,
    pub(super) selector: &'static str,
    /// Version up to which all events were delivered; `None` before a list.
    pub(super) version: Option<u64>,
}

/// The next step of a watch.
#[derive(Debug)]
pub(super) enum Next {
    /// List all objects.
    List,
    /// A change and its version.
    Event(u64, Event),
    /// Up to date.
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
