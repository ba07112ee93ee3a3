//! The policy: tokenizer, decoder, training, generation and the Hugging Face folder.

pub mod batch;
pub mod config;
mod decoder;
pub mod device;
pub mod differentiable;
pub mod engine;
pub mod folder;
pub mod fused;
mod input;
pub mod kernel;
pub mod network;
pub mod optimizer;
pub mod parameters;
pub mod tensor_file;
pub mod tokenizer;
