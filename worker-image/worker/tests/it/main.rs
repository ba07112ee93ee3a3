//! Integration tests of the worker crate.

mod tokenizer;
