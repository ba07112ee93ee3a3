//! Scripted agents. They read observation text, know the lexicon, and use nothing else of this crate: a test reads their
//! sources and refuses any other import.

mod baseline;
mod expert;
mod habits;
mod observation;
mod request;

use habits::Habits;

/// A player of one episode: one observation in, one action out.
pub trait Actor: Send {
    /// The action that follows `observation`. The first call gets the first observation of the episode.
    fn act(&mut self, observation: &str) -> String;
}

/// Reads all pages, asks all questions, checks each fact on the page, and recovers from refusals.
#[must_use]
pub fn expert(seed: u64) -> Box<dyn Actor> {
    Box::new(expert::Expert::new(Habits::draw(seed, 0.0)))
}

/// The expert with missing habits: each of its eight habits is dropped for this episode with probability `hastiness`.
#[must_use]
pub fn demonstrator(seed: u64, hastiness: f64) -> Box<dyn Actor> {
    Box::new(expert::Expert::new(Habits::draw(seed, hastiness)))
}

/// Searches for the words of the first observation, opens the first result, chooses the options mentioned there, buys.
#[must_use]
pub fn search_first() -> Box<dyn Actor> {
    Box::<baseline::SearchFirst>::default()
}

/// Chooses uniformly among actions that look possible: searching the category, opening rows, paging, choosing, buying.
#[must_use]
pub fn random(seed: u64) -> Box<dyn Actor> {
    Box::new(baseline::Random::new(seed))
}

#[cfg(test)]
mod tests;
