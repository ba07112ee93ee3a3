//! The policy: tokenizer, decoder, training, generation and the Hugging Face folder.

pub mod config;
pub mod parameters;
pub mod tokenizer;
