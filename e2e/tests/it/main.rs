//! End-to-end tests, and rules for the repository that a compiler does not check.

mod cycles;
mod device;
mod exact;
mod faults;
mod recorded;
mod run_folder;
mod simulation;
mod tampering;
mod tidy;
mod words;

/// The model cluster allocates many small, short-lived objects.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
