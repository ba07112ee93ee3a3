//! The engine's threads. They sleep between steps; each has its own working memory.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::work::{Model, Part, Workspace};

/// Rows below which another thread costs more than it saves: waking it, and reading all weights twice.
const ROWS_PER_PART: usize = 4;

const WORKER_PANICKED: &str = "a worker thread ends early only by a panic, which is passed on here";

/// The calling thread, which computes one part itself, and the other threads.
pub(super) struct Pool {
    own: Workspace,
    others: Vec<Worker>,
}

struct Worker {
    /// `None` only while the pool is being dropped.
    parts: Option<Sender<(Arc<Model>, Part)>>,
    results: Receiver<Part>,
    thread: Option<JoinHandle<()>>,
}

impl Pool {
    pub(super) fn new(threads: usize) -> Self {
        Self { own: Workspace::default(), others: (1..threads).map(|_| Worker::new()).collect() }
    }

    /// Number of parts to cut `rows` rows into.
    pub(super) fn parts(&self, rows: usize) -> usize {
        (rows / ROWS_PER_PART).clamp(1, self.others.len() + 1)
    }

    /// Computes all parts, at most one per thread.
    pub(super) fn run(&mut self, model: &Arc<Model>, mut parts: Vec<Part>) -> Vec<Part> {
        let mut own = parts.pop().unwrap_or_default();
        let mut waiting = Vec::with_capacity(parts.len());
        for (worker, part) in self.others.iter().zip(parts) {
            let parts =
                worker.parts.as_ref().expect("the sender is taken only when the pool is dropped");
            parts.send((Arc::clone(model), part)).expect(WORKER_PANICKED);
            waiting.push(&worker.results);
        }
        self.own.compute(model, &mut own);
        let results = waiting.into_iter().map(|results| results.recv().expect(WORKER_PANICKED));
        let mut results: Vec<Part> = results.collect();
        results.push(own);
        results
    }
}

impl Worker {
    fn new() -> Self {
        let (parts, inbox) = channel::<(Arc<Model>, Part)>();
        let (outbox, results) = channel();
        let thread = std::thread::spawn(move || {
            let mut workspace = Workspace::default();
            while let Ok((model, mut part)) = inbox.recv() {
                workspace.compute(&model, &mut part);
                // Released before the result is sent: the engine changes the weights in place if it is their only owner.
                drop(model);
                if outbox.send(part).is_err() {
                    break;
                }
            }
        });
        Self { parts: Some(parts), results, thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.parts.take());
        if let Some(thread) = self.thread.take() {
            // `run` has already passed on a panic.
            let _ = thread.join();
        }
    }
}
