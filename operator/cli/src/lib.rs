//! The programs shoprl and kubectl-shoprl.
