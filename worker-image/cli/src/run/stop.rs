//! Requests to stop: Ctrl-C, SIGTERM, or a closed terminal (SIGHUP).

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// One message per signal. Must be called inside a tokio runtime.
pub(super) fn requests() -> io::Result<mpsc::UnboundedReceiver<()>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signals = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                // The receiver is dropped when the run has ended.
                if sender.send(()).is_err() {
                    break;
                }
            }
        });
    }
    Ok(receiver)
}
