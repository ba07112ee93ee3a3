//! Shutdown requests: SIGTERM, SIGINT, or the death of the parent (standard input closes).

use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The worker was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// A flag that turns on once. Cheap to clone, can be awaited and polled.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown {
    sender: Arc<watch::Sender<bool>>,
    receiver: watch::Receiver<bool>,
}

impl Shutdown {
    /// Not requested yet.
    pub(crate) fn new() -> Self {
        let (sender, receiver) = watch::channel(false);
        Self { sender: Arc::new(sender), receiver }
    }

    /// Turns the flag on.
    pub(crate) fn request(&self) {
        self.sender.send_replace(true);
    }

    /// Whether the flag is on.
    pub(crate) fn is_requested(&self) -> bool {
        *self.receiver.borrow()
    }

    /// Waits until the flag is on.
    pub(crate) async fn requested(&self) {
        let mut receiver = self.receiver.clone();
        // `self` keeps the sender alive, so only the flag ends this wait.
        let _ = receiver.wait_for(|requested| *requested).await;
    }

    /// Turns on at SIGTERM or SIGINT and, with `with_stdin`, when standard input closes.
    pub(crate) fn listen(&self, with_stdin: bool) -> std::io::Result<()> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let shutdown = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            shutdown.request();
        });
        if with_stdin {
            let shutdown = self.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 64];
                let mut stdin = tokio::io::stdin();
                while !matches!(stdin.read(&mut buffer).await, Ok(0) | Err(_)) {}
                shutdown.request();
            });
        }
        Ok(())
    }
}
