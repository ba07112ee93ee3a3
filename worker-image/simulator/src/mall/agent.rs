//! Scripted agents of the large shop. They see observation text and know the language (the vocabulary), and nothing
//! else of this crate: a test reads their sources and refuses any other import.

mod baseline;
mod expert;
pub(super) mod reading;
mod wish;

use crate::agent::Actor;

/// Reads everything, asks everything, checks every fact on the page, and recovers from refusals.
#[must_use]
pub fn expert() -> Box<dyn Actor> {
    Box::<expert::Expert>::default()
}

/// Searches what the first observation says, opens the first result, chooses the options it read of, buys.
#[must_use]
pub fn search_first() -> Box<dyn Actor> {
    Box::<baseline::SearchFirst>::default()
}

/// Uniform over what looks possible.
#[must_use]
pub fn random(seed: u64) -> Box<dyn Actor> {
    Box::new(baseline::Random::new(seed))
}
