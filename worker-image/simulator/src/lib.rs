//! The simulated shop: catalog, search, pages, tasks, shoppers and rewards. No transport.
//!
//! A task is a function of (catalog digest, [`TaskKey`]). A reward is a function of (catalog digest, task key, actions).
//! `docs/concepts/shop.md` describes the grammar of observations and actions, the scenarios and the formulas.

mod action;
pub mod agent;
mod catalog;
mod draw;
mod lexicon;
pub mod mall;
mod page;
mod refusal;
mod replay;
mod score;
mod search;
mod session;
mod shop;
mod storefront;
mod task;

pub use action::{ActionKind, UNFINISHED, action_kind};
pub use catalog::{Catalog, Preset};
pub use lexicon::{lexicon, segment};
pub use replay::{Replay, ReplayError, replay};
pub use score::Outcome;
pub use session::{End, Limits, Session, SessionError, Turn};
pub use shop::{Shop, ShopError};
pub use task::{Scenario, Split, TaskKey};

/// The grammar of actions and observations of the preset `mini`, for readers and prompts.
pub const GRAMMAR: &str = include_str!("grammar.txt");
