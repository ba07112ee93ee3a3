//! The habits of a careful buyer. A hasty buyer lacks some of them.

use shoprl_rl::seed::{Purpose, Stream};

/// Probability that an expert tries a wanted option that the page does not list. The shop refuses it.
const PROBES: f64 = 0.6;
/// Probability that an expert reads the details before choosing.
const CONSULTS: f64 = 0.12;

/// The habits of one episode. Haste drops the first eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Habits {
    pub(super) asks_attributes: bool,
    pub(super) asks_options: bool,
    pub(super) asks_budget: bool,
    /// Searches for all known facts, not for the first only.
    pub(super) full_query: bool,
    /// Puts the budget into the query.
    pub(super) price_in_query: bool,
    /// Reads the search history.
    pub(super) reads_history: bool,
    /// Checks a product against the request before buying it.
    pub(super) checks: bool,
    /// Chooses the wanted options.
    pub(super) chooses: bool,
    /// Tries an option that may be refused.
    pub(super) probes: bool,
    /// Reads the details of a promising product.
    pub(super) consults: bool,
}

impl Habits {
    /// Draws the habits of one episode; each is missing with probability `hastiness`.
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
