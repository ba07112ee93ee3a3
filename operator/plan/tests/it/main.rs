//! Integration tests of planning.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod changes;
mod cluster;
mod documentation;
mod identity;
mod local;
mod manifests;
mod placed;
mod placement;
mod pods;
mod supervisor;
mod surroundings;
