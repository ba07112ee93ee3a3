//! Asks a trainer how far it is.

use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use shoprl_contract::Role;
use shoprl_contract::v1::controller_client::ControllerClient;
use shoprl_contract::v1::{Caller, GetProgressRequest, GetProgressResponse};
use shoprl_crds::Progress;
use shoprl_plan::cluster::TRAINER_PORT;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::Endpoint;

/// A trainer that does not answer in time is busy or gone; what was known stays.
const DEADLINE: Duration = Duration::from_secs(1);

/// Whoever knows how far the trainer at an address is.
pub trait AskTrainer: Send + Sync {
    /// The trainer's own words; `None` when it does not answer.
    fn ask<'a>(
        &'a self,
        address: &'a str,
        job_uid: &'a str,
        token: &'a str,
    ) -> BoxFuture<'a, Option<Progress>>;
}

/// Dials the trainer.
#[derive(Debug, Clone, Copy)]
pub struct Dial;

impl AskTrainer for Dial {
    fn ask<'a>(
        &'a self,
        address: &'a str,
        job_uid: &'a str,
        token: &'a str,
    ) -> BoxFuture<'a, Option<Progress>> {
        Box::pin(dial(address, job_uid, token))
    }
}

async fn dial(address: &str, job_uid: &str, token: &str) -> Option<Progress> {
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    let endpoint = Endpoint::from_shared(format!("http://{host}:{TRAINER_PORT}")).ok()?;
    let channel = endpoint.connect_timeout(DEADLINE).timeout(DEADLINE).connect().await;
    let channel =
        channel.inspect_err(|error| tracing::debug!(%error, address, "no answer")).ok()?;
    // Progress is told to whoever has the token, whatever the attempt.
    let caller = Caller {
        job_uid: job_uid.to_owned(),
        attempt: 0,
        role: Role::Trainer.name().to_owned(),
        index: 0,
    };
    let mut request = Request::new(GetProgressRequest { caller: Some(caller) });
    let bearer = MetadataValue::try_from(format!("Bearer {token}")).ok()?;
    request.metadata_mut().insert("authorization", bearer);
    let answer = ControllerClient::new(channel).get_progress(request).await;
    let answer =
        answer.inspect_err(|status| tracing::debug!(%status, address, "no answer")).ok()?;
    Some(progress(answer.into_inner(), Timestamp::now()))
}

fn progress(answer: GetProgressResponse, now: Timestamp) -> Progress {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Progress {
        phase: answer.phase,
        step: number(answer.step),
        target_steps: number(answer.target_steps),
        steps: format!("{}/{}", answer.step, answer.target_steps),
        weights_version: number(answer.weights_version),
        // Negative while there is none.
        success: (answer.success >= 0.0).then(|| format!("{:.2}", answer.success)),
        waiting_for: (!answer.waiting_for.is_empty()).then_some(answer.waiting_for),
        time: Some(Time(now)),
    }
}
