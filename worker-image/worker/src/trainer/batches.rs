//! Names and tasks of batches: pure functions of the configuration, so that a repeated batch is identical.

use shoprl_contract::run_folder::{Decoding, Subject};
use shoprl_contract::v1::{Actor, Baseline, Demonstrator, PolicyActor, actor};
use shoprl_contract::{RunConfig, v1};
use shoprl_rl::seed::{Purpose, Stream};
use shoprl_simulator::{Split, TaskKey};

use crate::task;

/// What a task is drawn for. Each purpose has its own tasks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    /// Demonstrations of the warm-up.
    Demonstration = 0,
    /// Groups of reinforcement learning.
    Training = 1,
    /// Validations that decide when the warm-up stops.
    Validation = 2,
}

/// Training task number `index` for a purpose.
pub(super) fn training_task(config: &RunConfig, purpose: Use, index: u64) -> v1::TaskKey {
    let seed = Stream::new(config.seed, Purpose::Task, &[purpose as u64, index]).next_u64();
    key(config, Split::Train, index, seed)
}

/// Held-out task number `index`. It is the same in every job, so jobs can be compared task by task.
pub(super) fn held_out_task(config: &RunConfig, index: u64) -> v1::TaskKey {
    key(config, Split::HeldOut, index, index)
}

fn key(config: &RunConfig, split: Split, index: u64, seed: u64) -> v1::TaskKey {
    let scenarios = &config.environment.scenarios;
    // The manifest's validation refuses an empty list, so the remainder is a valid index.
    let scenario = scenarios[(index % scenarios.len() as u64) as usize];
    task::to_wire(&TaskKey { split, scenario: task::scenario(scenario), seed })
}

/// Name of the batch of a step.
pub(super) fn step_name(step: u64) -> String {
    format!("step-{step:06}")
}

/// Name of a block of demonstrations.
pub(super) fn demonstrations_name(block: u64) -> String {
    format!("demonstrations-{block:06}")
}

/// Name of a validation on training tasks after `tokens` warm-up tokens.
pub(super) fn validation_name(tokens: u64, decoding: Decoding) -> String {
    format!("validation-{tokens:09}-{}", decoding_name(decoding))
}

/// Name of an evaluation on held-out tasks.
pub(super) fn evaluation_name(subject: Subject, decoding: Decoding, step: u64) -> String {
    let subject = match subject {
        Subject::Random => "random",
        Subject::SearchFirst => "search-first",
        Subject::Expert => "expert",
        Subject::Demonstrator => "demonstrator",
        Subject::Warmup => "warmup",
        Subject::Progress => "progress",
        Subject::Trained => "trained",
    };
    format!("evaluation-{subject}-{}-{step:06}", decoding_name(decoding))
}

fn decoding_name(decoding: Decoding) -> &'static str {
    match decoding {
        Decoding::Scripted => "scripted",
        Decoding::Greedy => "greedy",
        Decoding::Sampled => "sampled",
    }
}

/// The policy with a version of its weights.
pub(super) fn policy(weights_version: u64, decoding: Decoding) -> Actor {
    let temperature = if decoding == Decoding::Greedy { 0.0 } else { 1.0 };
    Actor { kind: Some(actor::Kind::Policy(PolicyActor { weights_version, temperature })) }
}

/// The imperfect demonstrator.
pub(super) fn demonstrator(config: &RunConfig) -> Actor {
    let hastiness = config.training.warmup.hastiness;
    Actor { kind: Some(actor::Kind::Demonstrator(Demonstrator { hastiness })) }
}

/// A scripted subject of an evaluation.
pub(super) fn script(config: &RunConfig, subject: Subject) -> Option<Actor> {
    let kind = match subject {
        Subject::Random => actor::Kind::Random(Baseline {}),
        Subject::SearchFirst => actor::Kind::SearchFirst(Baseline {}),
        Subject::Expert => actor::Kind::Expert(Baseline {}),
        Subject::Demonstrator => return Some(demonstrator(config)),
        Subject::Warmup | Subject::Progress | Subject::Trained => return None,
    };
    Some(Actor { kind: Some(kind) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::policy::batch_number;

    #[test]
    fn no_two_batches_of_a_long_job_share_their_random_draws() {
        let decodings = [Decoding::Scripted, Decoding::Greedy, Decoding::Sampled];
        let subjects = [
            Subject::Random,
            Subject::Expert,
            Subject::Warmup,
            Subject::Progress,
            Subject::Trained,
        ];
        let mut names: Vec<String> =
            (0..20_000).flat_map(|i| [step_name(i), demonstrations_name(i)]).collect();
        for decoding in decodings {
            names.extend((0..2000).map(|i| validation_name(i * 1000, decoding)));
            for subject in subjects {
                names.extend((0..2000).map(|step| evaluation_name(subject, decoding, step)));
            }
        }
        let numbers: BTreeSet<u64> = names.iter().map(|name| batch_number(name)).collect();
        assert_eq!(numbers.len(), names.len());
    }
}
