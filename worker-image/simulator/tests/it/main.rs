//! Integration tests. `tests/fuzz` is a program of its own, because it measures the memory of its process.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod grammar;
mod grammar_text;
mod references;
