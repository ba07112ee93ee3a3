//! Generated files equal their sources. `UPDATE_EXPECT=1 cargo test --release -p shoprl-crds` rewrites them.

mod chart;
mod crd;
