//! Asks trainers for their progress.

use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use shoprl_contract::v1::GetProgressResponse;
use shoprl_contract::{ProgressClient, TrainerPhase, error_chain};
use shoprl_crds::{Progress, TrainerPhase as StatusPhase};
use shoprl_plan::cluster::TRAINER_PORT;

/// A trainer that does not answer in time is busy or gone; the status keeps the progress that was reported before.
const DEADLINE: Duration = Duration::from_secs(1);

/// Asks the trainer at an address for its progress.
pub trait AskTrainer: Send + Sync {
    /// The progress that the trainer reports; `None` if it does not answer.
    fn ask<'a>(
        &'a self,
        address: &'a str,
        job_uid: &'a str,
        token: &'a str,
    ) -> BoxFuture<'a, Option<Progress>>;
}

/// Asks over the network.
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
    let client = ProgressClient::new(&format!("{host}:{TRAINER_PORT}"), job_uid, token, DEADLINE);
    let mut client = client
        .inspect_err(|error| tracing::warn!(%error, address, "trainer cannot be asked"))
        .ok()?;
    let answer = client.get().await.inspect_err(|status| {
        tracing::debug!(error = error_chain(status), address, "trainer did not answer");
    });
    Some(progress(answer.ok()?, Timestamp::now()))
}

fn progress(answer: GetProgressResponse, now: Timestamp) -> Progress {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Progress {
        phase: TrainerPhase::read(&answer).map(status_phase),
        step: number(answer.step),
        target_steps: number(answer.target_steps),
        steps: format!("{}/{}", answer.step, answer.target_steps),
        weights_version: number(answer.weights_version),
        // Negative before the first evaluation.
        success: (answer.success >= 0.0).then(|| format!("{:.2}", answer.success)),
        waiting_for: (!answer.waiting_for.is_empty()).then_some(answer.waiting_for),
        time: Some(Time(now)),
    }
}

fn status_phase(phase: TrainerPhase) -> StatusPhase {
    match phase {
        TrainerPhase::Starting => StatusPhase::Starting,
        TrainerPhase::Warmup => StatusPhase::Warmup,
        TrainerPhase::Training => StatusPhase::Training,
        TrainerPhase::Evaluating => StatusPhase::Evaluating,
        TrainerPhase::Finished => StatusPhase::Finished,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;
    use serde_json::json;
    use shoprl_contract::TrainerPhase;
    use shoprl_contract::v1::GetProgressResponse;
    use shoprl_crds::TrainerPhase as StatusPhase;

    use super::{progress, status_phase};

    #[test]
    fn the_status_names_phases_as_the_trainer_does() {
        for phase in TrainerPhase::ALL {
            assert_eq!(json!(status_phase(phase)), json!(phase.name()));
        }
    }

    #[test]
    fn the_status_gets_the_phases_of_new_and_old_trainers_and_no_other_text() {
        let check = |answer: GetProgressResponse, expected: Option<StatusPhase>| {
            let found = progress(answer, Timestamp::UNIX_EPOCH);
            assert_eq!((found.phase, &*found.steps), (expected, "3/10"));
        };
        let answer = |phase: &str| GetProgressResponse {
            phase: phase.to_owned(),
            step: 3,
            target_steps: 10,
            ..GetProgressResponse::default()
        };
        let mut new = answer("");
        TrainerPhase::Evaluating.write(&mut new);
        check(new, Some(StatusPhase::Evaluating));
        check(answer("evaluating"), Some(StatusPhase::Evaluating));
        check(answer("any text"), None);
        check(answer(""), None);
    }
}
