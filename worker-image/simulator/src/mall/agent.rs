//! Scripted agents of the large shop. They read observation text, know the vocabulary, and use nothing else of this crate:
//! a test reads their sources and refuses any other import.

mod baseline;
mod expert;
pub(super) mod reading;
mod request;

use crate::agent::Actor;

/// Reads all pages, asks all questions, checks each fact on the page, and recovers from refusals.
#[must_use]
pub fn expert() -> Box<dyn Actor> {
    Box::<expert::Expert>::default()
}

/// Searches for the first observation's words, opens the first result, chooses the options mentioned there, buys.
#[must_use]
pub fn search_first() -> Box<dyn Actor> {
    Box::<baseline::SearchFirst>::default()
}

/// Chooses uniformly among the actions that look possible.
#[must_use]
pub fn random(seed: u64) -> Box<dyn Actor> {
    Box::new(baseline::Random::new(seed))
}
