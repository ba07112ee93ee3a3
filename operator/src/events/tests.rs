use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use shoprl_crds::{Failure, Failures, Intent, ShopRLJobStatus};

use super::{NOTE, news, shortened};

#[derive(Clone, Default)]
struct Status(ShopRLJobStatus);

impl Status {
    fn says(mut self, kind: &str, value: &str, reason: &str, message: &str) -> Self {
        self.0.conditions.retain(|condition| condition.type_ != kind);
        self.0.conditions.push(Condition {
            type_: kind.to_owned(),
            status: value.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
            observed_generation: None,
        });
        self
    }

    fn attempt(mut self, attempt: i32) -> Self {
        self.0.attempt = Some(attempt);
        self.0.intent = Some(Intent::default());
        self
    }

    fn suspended(mut self, suspended: bool) -> Self {
        self.0.intent.get_or_insert_default().suspended = suspended;
        self
    }

    fn failed(mut self, application: i32, disruption: i32, worker: &str, reason: &str) -> Self {
        self.0.restarts = application + disruption;
        self.0.failures = Failures {
            application,
            disruption,
            last: Some(Failure {
                worker: worker.to_owned(),
                reason: reason.to_owned(),
                message: "last words".to_owned(),
                time: Time(Timestamp::UNIX_EPOCH),
            }),
            recent: Vec::new(),
        };
        self
    }
}

#[test]
fn events_are_the_difference_between_two_statuses() {
    let check = |old: &Status, new: &Status, expected: &[&str]| {
        let told: Vec<String> = news(&old.0, &new.0)
            .into_iter()
            .map(|news| format!("{} {}", news.reason.name(), news.note))
            .collect();
        assert_eq!(told, expected);
        assert_eq!(news(&new.0, &new.0), [], "the same again");
    };
    let none = Status::default();
    let accepted = none.clone().says("Accepted", "True", "Valid", "valid");
    let running = accepted.clone().attempt(1);
    check(&none, &running, &["AttemptStarted attempt 1 begins"]);
    check(&none, &accepted.clone().attempt(1).suspended(true), &["Accepted valid"]);

    let rejected = none.clone().says("Accepted", "False", "Invalid", "a mistake");
    check(&none, &rejected, &["Rejected a mistake"]);
    let another = rejected.clone().says("Accepted", "False", "Invalid", "another");
    check(&rejected, &another, &["Rejected another"]);
    check(&another, &accepted, &["Accepted valid"]);

    let killed = running.clone().failed(1, 0, "rollout-1", "Killed");
    check(&running, &killed, &["WorkerFailed rollout-1: Killed: last words (restart 1)"]);
    // The same words again are another event.
    let again = killed.clone().failed(2, 0, "rollout-1", "Killed");
    check(&killed, &again, &["WorkerFailed rollout-1: Killed: last words (restart 2)"]);
    let drained = again.clone().failed(2, 3, "reward-0", "Evicted");
    check(
        &again,
        &drained,
        &["WorkerReplaced reward-0: Evicted: last words; 2 others at the same time (restart 5)"],
    );
    let second = drained.clone().failed(2, 4, "trainer-0", "Deleted").attempt(2);
    check(
        &drained,
        &second,
        &[
            "WorkerReplaced trainer-0: Deleted: last words (restart 6)",
            "AttemptStarted attempt 2 begins with the newest checkpoint",
        ],
    );

    // The scheduler is still at it.
    let waits = running.clone().says("Placed", "Unknown", "Waiting", "not yet");
    check(&running, &waits, &[]);
    let homeless = waits.clone().says("Placed", "False", "Unplaceable", "trainer needs a GPU");
    check(&waits, &homeless, &["Unplaceable trainer needs a GPU"]);
    // Nodes come and go: no news.
    let still = homeless.clone().says("Placed", "False", "Unplaceable", "trainer needs two");
    check(&homeless, &still, &[]);
    let refused = running.clone().says("RolesReady", "False", "Refused", "a quota");
    check(&running, &refused, &["Refused a quota"]);

    // The number of the attempt rises when the pods leave; it begins when the job goes on.
    let leaving =
        running.clone().attempt(2).suspended(true).says("Suspended", "False", "Leaving", "leaves");
    check(&running, &leaving, &[]);
    let suspended = leaving.clone().says("Suspended", "True", "Suspended", "no pod lives");
    check(&leaving, &suspended, &["Suspended no pod lives"]);
    let resumed =
        suspended.clone().suspended(false).says("Suspended", "False", "Resumed", "goes on");
    check(
        &suspended,
        &resumed,
        &["AttemptStarted attempt 2 begins with the newest checkpoint", "Resumed goes on"],
    );

    let complete = running.clone().says("Complete", "True", "TargetReached", "all steps");
    check(&running, &complete, &["Complete all steps"]);
    let over = running.clone().says("Failed", "True", "BadConfiguration", "words");
    check(&running, &over, &["Failed words"]);
}

#[test]
fn a_long_note_is_cut_between_two_characters() {
    assert_eq!(shortened("short"), "short");
    let long = "店".repeat(NOTE);
    let short = shortened(&long);
    assert!(short.len() <= NOTE && short.len() > NOTE - 4 && long.starts_with(&short));
}
