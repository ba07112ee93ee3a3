//! Integration tests of the mathematics.

mod tabular_study;
