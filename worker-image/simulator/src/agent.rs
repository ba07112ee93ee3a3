//! Scripted agents. They see observation text and know the lexicon, and nothing else of this crate:
//! a test reads their sources and refuses any other import.

mod baseline;
mod expert;
mod habits;
mod observation;
mod wish;

use habits::Habits;

/// Plays episodes: one observation in, one action out.
pub trait Actor: Send {
    /// The action after reading `observation`. The first observation of an episode comes first; one actor plays one
    /// episode.
    fn act(&mut self, observation: &str) -> String;
}

/// Reads everything, asks everything, checks every fact on the page, and recovers from refusals.
#[must_use]
pub fn expert(seed: u64) -> Box<dyn Actor> {
    Box::new(expert::Expert::new(Habits::draw(seed, 0.0)))
}

/// The expert with habits missing: each of its eight habits is dropped for this episode with probability `hastiness`.
#[must_use]
pub fn demonstrator(seed: u64, hastiness: f64) -> Box<dyn Actor> {
    Box::new(expert::Expert::new(Habits::draw(seed, hastiness)))
}

/// Searches the words of the first observation, opens the first result, chooses the options it read of, buys.
#[must_use]
pub fn search_first() -> Box<dyn Actor> {
    Box::<baseline::SearchFirst>::default()
}

/// Uniform over actions that look possible: searching the category, opening rows, paging, choosing, buying.
#[must_use]
pub fn random(seed: u64) -> Box<dyn Actor> {
    Box::new(baseline::Random::new(seed))
}

#[cfg(test)]
mod tests;
