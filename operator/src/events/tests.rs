use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use shoprl_crds::{Failure, Failures, Intent, ShopRLJobStatus};

use super::{MAX_NOTE, differences, shortened};

#[derive(Clone, Default)]
struct Status(ShopRLJobStatus);

impl Status {
    fn condition(mut self, kind: &str, value: &str, reason: &str, message: &str) -> Self {
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
                message: "disk full".to_owned(),
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
        let found: Vec<String> = differences(&old.0, &new.0)
            .into_iter()
            .map(|found| format!("{} {}", found.reason.name(), found.note))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(differences(&new.0, &new.0), [], "no difference");
    };
    let none = Status::default();
    let accepted = none.clone().condition("Accepted", "True", "Valid", "valid");
    let running = accepted.clone().attempt(1);
    check(&none, &running, &["AttemptStarted attempt 1 starts"]);
    check(&none, &accepted.clone().attempt(1).suspended(true), &["Accepted valid"]);

    let rejected = none.clone().condition("Accepted", "False", "Invalid", "a mistake");
    check(&none, &rejected, &["Rejected a mistake"]);
    let another = rejected.clone().condition("Accepted", "False", "Invalid", "another");
    check(&rejected, &another, &["Rejected another"]);
    check(&another, &accepted, &["Accepted valid"]);

    let killed = running.clone().failed(1, 0, "rollout-1", "Killed");
    check(&running, &killed, &["WorkerFailed rollout-1: Killed: disk full (restart 1)"]);
    // The same failure again is another event.
    let again = killed.clone().failed(2, 0, "rollout-1", "Killed");
    check(&killed, &again, &["WorkerFailed rollout-1: Killed: disk full (restart 2)"]);
    let drained = again.clone().failed(2, 3, "reward-0", "Evicted");
    check(
        &again,
        &drained,
        &["WorkerReplaced reward-0: Evicted: disk full; 2 more at the same time (restart 5)"],
    );
    let second = drained.clone().failed(2, 4, "trainer-0", "Deleted").attempt(2);
    check(
        &drained,
        &second,
        &[
            "WorkerReplaced trainer-0: Deleted: disk full (restart 6)",
            "AttemptStarted attempt 2 starts from the newest checkpoint",
        ],
    );

    // The scheduler has not decided yet.
    let waits = running.clone().condition("Placed", "Unknown", "Waiting", "not yet");
    check(&running, &waits, &[]);
    let unplaceable =
        waits.clone().condition("Placed", "False", "Unplaceable", "trainer needs a GPU");
    check(&waits, &unplaceable, &["Unplaceable trainer needs a GPU"]);
    // Only the message changes, because nodes come and go: no event.
    let still =
        unplaceable.clone().condition("Placed", "False", "Unplaceable", "trainer needs two");
    check(&unplaceable, &still, &[]);
    let refused = running.clone().condition("RolesReady", "False", "Refused", "a quota");
    check(&running, &refused, &["Refused a quota"]);

    // The attempt is incremented when the pods stop. It starts when the job is resumed.
    let stopping = running.clone().attempt(2).suspended(true).condition(
        "Suspended",
        "False",
        "Leaving",
        "leaves",
    );
    check(&running, &stopping, &[]);
    let suspended = stopping.clone().condition("Suspended", "True", "Suspended", "no pod lives");
    check(&stopping, &suspended, &["Suspended no pod lives"]);
    let resumed =
        suspended.clone().suspended(false).condition("Suspended", "False", "Resumed", "goes on");
    check(
        &suspended,
        &resumed,
        &["AttemptStarted attempt 2 starts from the newest checkpoint", "Resumed goes on"],
    );

    let complete = running.clone().condition("Complete", "True", "TargetReached", "all steps");
    check(&running, &complete, &["Complete all steps"]);
    let failed = running.clone().condition("Failed", "True", "BadConfiguration", "a wrong seed");
    check(&running, &failed, &["Failed a wrong seed"]);
}

#[test]
fn a_long_note_is_cut_between_two_characters() {
    assert_eq!(shortened("short"), "short");
    let long = "店".repeat(MAX_NOTE);
    let short = shortened(&long);
    assert!(short.len() <= MAX_NOTE && short.len() > MAX_NOTE - 4 && long.starts_with(&short));
}
