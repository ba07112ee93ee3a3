//! End-to-end tests.
//!
//! | module | contents |
//! |---|---|
//! | [`Run`] | starts the program `shoprl` as a user does |
//! | [`simulation`] | a model cluster in virtual time, in which the operator's real reconcile runs |
//! | [`load`] | load tests of the operator against a real API server |

pub mod load;
mod program;
pub mod simulation;

pub use program::{Run, SMALL, children, final_state, final_weights, kill, shoprl};
