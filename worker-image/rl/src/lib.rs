//! Pure reinforcement-learning mathematics: numbers in, numbers out.
//!
//! No clock, no IO, no environment, no threads, and no randomness except by seed. The same
//! arguments give the same bits on every machine, so the trainer, the tests and a restarted run
//! compute the same numbers.
//!
//! | module | content |
//! |---|---|
//! | [`math`] | exp, ln, softmax with fixed bits |
//! | [`seed`] | random draws named by their purpose |
//! | [`sampling`] | a token from logits |
//! | [`advantage`] | group-relative advantages of samples |
//! | [`policy_loss`] | the clipped loss of a token and its derivative |
//! | [`credit`] | message-wise credit: from a sample's advantage to its tokens' advantages |
//! | [`groups`] | the groups that a training step opens and consumes |
//! | [`ledger`] | one hash over the samples of all training steps |
//! | [`statistics`] | confidence intervals |

pub mod advantage;
pub mod credit;
pub mod groups;
pub mod ledger;
pub mod math;
pub mod policy_loss;
pub mod sampling;
pub mod seed;
pub mod statistics;
