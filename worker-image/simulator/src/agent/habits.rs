//! The habits of a careful buyer, and how a hasty one lacks them.

use shoprl_rl::seed::{Purpose, Stream};

/// How often an expert tries a wanted option that the page does not list, to be told so.
const PROBES: f64 = 0.6;
/// How often an expert reads the details before choosing.
const CONSULTS: f64 = 0.12;

/// What an actor does in this episode. The first eight are the habits that haste drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Habits {
    pub(super) asks_attributes: bool,
    pub(super) asks_options: bool,
    pub(super) asks_budget: bool,
    /// Searches for all known facts, not for the first alone.
    pub(super) full_query: bool,
    /// Puts the budget into the query.
    pub(super) price_in_query: bool,
    /// Reads the search history.
    pub(super) reads_history: bool,
    /// Checks a product against what is wanted before buying it.
    pub(super) checks: bool,
    /// Chooses the options wanted.
    pub(super) chooses: bool,
    /// Tries an option that may be refused.
    pub(super) probes: bool,
    /// Reads the details of a promising product.
    pub(super) consults: bool,
}

impl Habits {
    /// The habits of one episode: each is missing with probability `hastiness`.
    pub(super) fn draw(seed: u64, hastiness: f64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Demonstration, &[]);
        let probes = stream.bernoulli(PROBES);
        let consults = stream.bernoulli(CONSULTS);
        let mut keeps = || !stream.bernoulli(hastiness);
        Self {
            asks_attributes: keeps(),
            asks_options: keeps(),
            asks_budget: keeps(),
            full_query: keeps(),
            price_in_query: keeps(),
            reads_history: keeps(),
            checks: keeps(),
            chooses: keeps(),
            probes,
            consults,
        }
    }
}
