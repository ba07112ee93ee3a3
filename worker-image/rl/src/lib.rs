//! Pure reinforcement-learning mathematics: numbers in, numbers out.
//!
//! No clock, no IO, no environment, no threads, and no randomness but what a seed names. The same
//! arguments give the same bits on every machine: what the trainer, the tests and a restarted run
//! compute is one thing.
//!
//! | module | what |
//! |---|---|
//! | [`math`] | exp, ln, softmax with fixed bits |
//! | [`seed`] | random draws named by what they are for |
//! | [`sampling`] | a token from logits |
//! | [`advantage`] | group-relative advantages of samples |
//! | [`policy_loss`] | the clipped loss of a token and its derivative |
//! | [`credit`] | message-wise credit: from a sample's advantage to its tokens' |
//! | [`groups`] | which groups a training step opens and consumes |
//! | [`ledger`] | what a run was trained on, as one hash |
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
