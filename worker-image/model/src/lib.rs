//! The policy: tokenizer, decoder, training, generation and the Hugging Face folder.
