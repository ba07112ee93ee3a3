//! Text to tokens and back, without loss.

/// Fills the tail of a padded row; never sampled, never a target.
pub const PAD: u32 = 256;
/// Stands before every action of the policy.
pub const ACT: u32 = 257;
/// Closes every action of the policy.
pub const END: u32 = 258;
