//! The program `shoprl` from outside: output, errors and exit codes.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod catalog;
mod command_line;
mod environment;
mod episodes;
mod manifests;
mod nodes;
mod shopper;
