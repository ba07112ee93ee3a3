//! The whole system, seen from outside: the program `shoprl` as a user starts it.

pub mod load;
mod program;
pub mod simulation;

pub use program::{Run, SMALL, bytes_of_the_final_weights, children, final_state, kill, shoprl};
