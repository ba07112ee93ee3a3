//! Rewards and verdicts: the only code that compares an episode with its goal.

mod outcome;
mod verdict;

pub use outcome::Outcome;
pub(crate) use outcome::{Counts, Ending, Purchase};
pub(crate) use verdict::{Judge, Move};

#[cfg(test)]
mod tests;
