//! Reports of a finished run and of runs in progress.

pub(super) mod fixture;
mod rendering;
mod tensorboard;
