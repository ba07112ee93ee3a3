//! Reports of a run as the pilot saw it, whole and at moments on its way.

pub(super) mod fixture;
mod rendering;
mod tensorboard;
