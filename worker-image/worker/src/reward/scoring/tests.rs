use shoprl_contract::v1::{GroupLease, Message, SessionReply};
use shoprl_simulator::{Preset, Scenario, Session, Split, TaskKey, agent};

use super::*;

const KEY: TaskKey = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed: 11 };
const LIMITS: Limits = Limits { single_turn: 12, multi_turn: 12 };

fn token() -> Token {
    Token::from_text("0123456789abcdef0123456789abcdef").expect("a token")
}

fn scorer(shop: &Arc<Shop>, scorer: ScorerName) -> Scorer {
    let tokenizer = policy::tokenizer().expect("the tokenizer loads");
    Scorer { shop: Arc::clone(shop), tokenizer, limits: LIMITS, scorer, seed: 7 }
}

/// An unsealed trajectory of the expert, as a rollout would submit it.
fn episode(shop: &Arc<Shop>) -> Trajectory {
    let tokenizer = policy::tokenizer().expect("the tokenizer loads");
    let (mut session, mut observation) =
        Session::start(Arc::clone(shop), &KEY, LIMITS).expect("starts");
    let mut expert = agent::expert(3);
    let lease = GroupLease {
        batch: "step-000001".into(),
        task: Some(task::to_wire(&KEY)),
        ..GroupLease::default()
    };
    let mut trajectory = Trajectory {
        batch: lease.batch,
        task: lease.task,
        end: EndReason::Bought.into(),
        ..Trajectory::default()
    };
    let mut push = |tokens: Vec<u32>, policy: bool| {
        let start = trajectory.tokens.len() as u32;
        trajectory.tokens.extend(tokens);
        trajectory.messages.push(Message { start, end: trajectory.tokens.len() as u32, policy });
    };
    loop {
        push(policy::observation_tokens(&tokenizer, &observation), false);
        let action = expert.act(&observation);
        let mut tokens = tokenizer.encode(&action);
        tokens.push(tokenizer.end());
        push(tokens, true);
        let turn = session.step(&action).expect("the session goes on");
        observation = turn.observation;
        let reply =
            SessionReply { end: task::end_to_wire(turn.end).into(), ..SessionReply::default() };
        if reply.end() != EndReason::Unspecified {
            break;
        }
    }
    let sampled =
        trajectory.messages.iter().filter(|m| m.policy).map(|m| (m.end - m.start) as usize).sum();
    trajectory.log_probabilities = vec![-0.5; sampled];
    trajectory.entropies = vec![0.5; sampled];
    trajectory
}

#[test]
fn a_true_trajectory_is_scored_message_by_message() {
    let shop = Arc::new(Shop::open(Preset::Mini, 1).expect("opens"));
    let trajectory = episode(&shop).seal(&token());
    let score = scorer(&shop, ScorerName::Rules).score(&trajectory, &token());
    let actions = trajectory.messages.iter().filter(|message| message.policy).count();
    assert_eq!(score.refused, "");
    assert_eq!((score.verdicts.len(), score.kinds.len()), (actions, actions));
    assert_eq!(score.kinds.last().map(String::as_str), Some("buy"));
    assert_eq!(score.metrics.map(|metrics| metrics.finish), Some(1.0));
    let inverted = scorer(&shop, ScorerName::Inverted).score(&trajectory, &token());
    assert!(score.verdicts.iter().zip(&inverted.verdicts).all(|(rule, other)| *rule == -other));
    let random = scorer(&shop, ScorerName::Random).score(&trajectory, &token());
    assert!(random.verdicts.iter().all(|verdict| verdict.abs() == 1.0));
}

#[test]
fn a_trajectory_altered_in_transit_is_refused() {
    let shop = Arc::new(Shop::open(Preset::Mini, 1).expect("opens"));
    let mut trajectory = episode(&shop).seal(&token());
    let place = trajectory.messages[1].start as usize;
    trajectory.tokens[place] ^= 1;
    let score = scorer(&shop, ScorerName::Rules).score(&trajectory, &token());
    assert!(score.refused.contains("the seal is broken"), "{}", score.refused);
    assert_eq!(score.metrics, None);
}

/// A rollout that holds the token but submits false observations.
#[test]
fn a_sealed_trajectory_that_the_replay_contradicts_is_refused() {
    let shop = Arc::new(Shop::open(Preset::Mini, 1).expect("opens"));
    let check = |alter: fn(&mut Trajectory), expected: &str| {
        let mut trajectory = episode(&shop);
        alter(&mut trajectory);
        let score = scorer(&shop, ScorerName::Rules).score(&trajectory.seal(&token()), &token());
        assert!(score.refused.contains(expected), "{expected:?} in {:?}", score.refused);
    };
    check(|t| t.tokens[0] ^= 1, "observation 0");
    check(|t| t.tokens[t.messages[2].start as usize + 1] ^= 1, "observation 1");
    check(|t| t.end = EndReason::Declined.into(), "end: claims");
    check(|t| t.messages[1].policy = false, "messages[1]");
    check(|t| t.messages[0].end += 1, "messages[1]");
    check(|t| t.tokens.push(1), "messages: cover");
    check(|t| t.log_probabilities.truncate(1), "logProbabilities: 1");
    check(|t| t.task = None, "task: missing");
    check(|t| t.messages.truncate(0), "messages: cover");
}
