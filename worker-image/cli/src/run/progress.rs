//! Polls the trainer's progress.

use std::time::Duration;

use shoprl_contract::v1::GetProgressResponse;
use shoprl_contract::{ProgressClient, RunConfig};
use tokio::sync::watch;
use tokio::task::AbortHandle;

const POLL_INTERVAL: Duration = Duration::from_millis(500);
const DEADLINE: Duration = Duration::from_secs(5);

/// Polls one trainer at a time.
pub(super) struct Observer {
    job_uid: String,
    token: String,
    latest: watch::Receiver<Option<GetProgressResponse>>,
    sender: watch::Sender<Option<GetProgressResponse>>,
    polling: Option<AbortHandle>,
}

impl Observer {
    /// An observer for the job of `config`, without a trainer yet.
    pub(super) fn new(config: &RunConfig, token: &str) -> Self {
        let (sender, latest) = watch::channel(None);
        Self {
            job_uid: config.job_uid.clone(),
            token: token.to_owned(),
            latest,
            sender,
            polling: None,
        }
    }

    /// Polls the trainer at `address` from now on.
    pub(super) fn watch(&mut self, address: &str) {
        self.forget();
        // A malformed address costs the view, not the run: workers that cannot dial it report that.
        let Ok(mut client) = ProgressClient::new(address, &self.job_uid, &self.token, DEADLINE)
        else {
            return;
        };
        let sender = self.sender.clone();
        let polling = tokio::spawn(async move {
            loop {
                // Without an answer the view keeps showing the latest progress.
                if let Ok(progress) = client.get().await {
                    sender.send_replace(Some(progress));
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        });
        self.polling = Some(polling.abort_handle());
    }

    /// Stops polling. The latest progress is kept.
    pub(super) fn forget(&mut self) {
        self.polling.take().inspect(AbortHandle::abort);
    }

    /// The latest progress received.
    pub(super) fn latest(&self) -> Option<GetProgressResponse> {
        self.latest.borrow().clone()
    }
}
