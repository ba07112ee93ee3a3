//! Asks the trainer how the job is going, twice a second.

use std::time::Duration;

use shoprl_contract::v1::controller_client::ControllerClient;
use shoprl_contract::v1::{Caller, GetProgressRequest, GetProgressResponse};
use shoprl_contract::{Role, RunConfig};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;

const EVERY: Duration = Duration::from_millis(500);
const DEADLINE: Duration = Duration::from_secs(5);

/// Watches one trainer at a time.
pub(super) struct Observer {
    caller: Caller,
    bearer: Option<MetadataValue<Ascii>>,
    latest: watch::Receiver<Option<GetProgressResponse>>,
    sender: watch::Sender<Option<GetProgressResponse>>,
    asking: Option<AbortHandle>,
}

impl Observer {
    /// An observer of the job of `config`; watches nothing yet.
    pub(super) fn new(config: &RunConfig, token: &str) -> Self {
        let (sender, latest) = watch::channel(None);
        // Progress is answered to whoever has the token, on whatever attempt the job is.
        let caller = Caller {
            job_uid: config.job_uid.clone(),
            attempt: 0,
            role: Role::Trainer.name().to_owned(),
            index: 0,
        };
        Self {
            caller,
            bearer: MetadataValue::try_from(format!("Bearer {token}")).ok(),
            latest,
            sender,
            asking: None,
        }
    }

    /// Watches the trainer at `address` from now on.
    pub(super) fn watch(&mut self, address: &str) {
        self.forget();
        let (Ok(endpoint), Some(bearer)) =
            (Endpoint::from_shared(format!("http://{address}")), self.bearer.clone())
        else {
            return;
        };
        let channel = endpoint.timeout(DEADLINE).connect_timeout(DEADLINE).connect_lazy();
        let (caller, sender) = (self.caller.clone(), self.sender.clone());
        let asking = tokio::spawn(async move {
            let mut client = ControllerClient::new(channel);
            loop {
                let mut request = Request::new(GetProgressRequest { caller: Some(caller.clone()) });
                request.metadata_mut().insert("authorization", bearer.clone());
                // A trainer that is busy or gone answers later or not at all; the view shows what is known.
                if let Ok(answer) = client.get_progress(request).await {
                    sender.send_replace(Some(answer.into_inner()));
                }
                tokio::time::sleep(EVERY).await;
            }
        });
        self.asking = Some(asking.abort_handle());
    }

    /// Stops watching; what was seen last stays.
    pub(super) fn forget(&mut self) {
        self.asking.take().inspect(AbortHandle::abort);
    }

    /// What was seen last.
    pub(super) fn latest(&self) -> Option<GetProgressResponse> {
        self.latest.borrow().clone()
    }
}
