//! Being asked to stop: Ctrl-C, SIGTERM, or a terminal that went away.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// One message for every time somebody asks. Must be called inside a runtime.
pub(super) fn asked() -> io::Result<mpsc::UnboundedReceiver<()>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signals = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                // Nobody listens any more when the run is over.
                if sender.send(()).is_err() {
                    break;
                }
            }
        });
    }
    Ok(receiver)
}
