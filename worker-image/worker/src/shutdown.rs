//! Being asked to leave: SIGTERM, SIGINT, or a parent that died (standard input closed).

use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A flag that turns on once. Cheap to clone, can be awaited and polled.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown {
    sender: Arc<watch::Sender<bool>>,
    receiver: watch::Receiver<bool>,
}

impl Shutdown {
    /// Not asked yet.
    pub(crate) fn new() -> Self {
        let (sender, receiver) = watch::channel(false);
        Self { sender: Arc::new(sender), receiver }
    }

    /// Asks to leave.
    pub(crate) fn request(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it was asked.
    pub(crate) fn is_requested(&self) -> bool {
        *self.receiver.borrow()
    }

    /// Waits until it is asked.
    pub(crate) async fn requested(&self) {
        let mut receiver = self.receiver.clone();
        // The sender lives as long as `self`, so this ends only by the flag.
        let _ = receiver.wait_for(|asked| *asked).await;
    }

    /// Turns on at SIGTERM or SIGINT and, with `with_stdin`, when standard input closes.
    pub(crate) fn listen(&self, with_stdin: bool) -> std::io::Result<()> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let asked = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            asked.request();
        });
        if with_stdin {
            let asked = self.clone();
            tokio::spawn(async move {
                let mut byte = [0; 64];
                let mut stdin = tokio::io::stdin();
                while !matches!(stdin.read(&mut byte).await, Ok(0) | Err(_)) {}
                asked.request();
            });
        }
        Ok(())
    }
}
