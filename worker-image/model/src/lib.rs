//! The policy: tokenizer, decoder, training, generation and the Hugging Face folder.

pub mod config;
pub mod folder;
pub mod parameters;
pub mod tensor_file;
pub mod tokenizer;
