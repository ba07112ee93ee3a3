use std::sync::LazyLock;

use proptest::prelude::*;
use shoprl_simulator::{Preset, Scenario, Shop, Split};

use super::*;

const LEASE: Duration = Duration::from_secs(60);
const KEY: TaskKey = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed: 5 };
const OTHER: TaskKey = TaskKey { seed: 6, ..KEY };

static SHOP: LazyLock<Arc<Shop>> =
    LazyLock::new(|| Arc::new(Shop::open(Preset::Mini, 1).expect("the shop opens")));

fn sessions(most: usize) -> Sessions {
    let bounds = Bounds { sessions: most, lease: LEASE };
    Sessions::new(World::Mini(Arc::clone(&SHOP)), bounds, false)
}

#[test]
fn only_the_next_turn_and_a_retry_of_the_newest_are_answered() {
    let (sessions, now) = (sessions(4), Instant::now());
    sessions.open("a", &KEY, &[], &Words::new(), now).expect("opens");
    let check = |turn, action: &str, expected: Result<&str, Refusal>| {
        let answer = sessions.step("a", turn, action, None, now);
        let kind = answer.clone().map(|answer| answer.turn.observation.chars().take(2).collect());
        assert_eq!(kind, expected.map(str::to_owned), "{turn} {action}");
        answer
    };
    let not_due = |asked, due| Err(Refusal::NotDue { asked, due });
    check(0, "搜索枕头", not_due(0, 1)).expect_err("turns begin at 1");
    let first = check(1, "搜索枕头", Ok("结果"));
    assert_eq!(check(1, "搜索枕头", Ok("结果")), first, "the newest turn again");
    check(1, "搜索被子", Err(Refusal::Taken { turn: 1 })).expect_err("another action");
    check(3, "打开#1", not_due(3, 2)).expect_err("a turn is missing");
    check(2, "打开#1", Ok("商品")).expect("the next turn");
    check(1, "搜索枕头", not_due(1, 3)).expect_err("an older turn");
    let end = check(3, "购买", Ok("成交"));
    assert_eq!(check(3, "购买", Ok("成交")), end, "the last turn again");
    check(4, "返回", Err(Refusal::Ended(End::Bought))).expect_err("it is over");
}

#[test]
fn a_session_is_removed_when_its_lease_expires_and_not_before() {
    let (sessions, start) = (sessions(4), Instant::now());
    let second = Duration::from_secs(1);
    sessions.open("a", &KEY, &[], &Words::new(), start).expect("opens");
    let almost = start + LEASE - second;
    assert!(sessions.step("a", 1, "搜索枕头", None, almost).is_ok());
    assert!(
        sessions.step("a", 2, "打开#1", None, almost + LEASE - second).is_ok(),
        "a step renews it"
    );
    let late = almost + LEASE - second + LEASE;
    assert_eq!(sessions.step("a", 3, "返回", None, late), Err(Refusal::Unknown));
    assert_eq!(sessions.sweep(late), 0);
    // An ended session is kept just long enough for a retry.
    sessions.open("b", &KEY, &["没有合适".to_owned()], &Words::new(), start).expect("opens");
    assert_eq!(sessions.sweep(start + AFTER_THE_END - second), 1);
    assert_eq!(sessions.sweep(start + AFTER_THE_END), 0);
}

#[test]
fn there_are_never_more_sessions_than_allowed() {
    let (sessions, start) = (sessions(2), Instant::now());
    let open = |name: &str, key, at| sessions.open(name, key, &[], &Words::new(), at).map(drop);
    let later = start + Duration::from_secs(10);
    assert_eq!(open("a", &KEY, start), Ok(()));
    assert_eq!(open("b", &KEY, later), Ok(()));
    let full = Refusal::Full { free_after: LEASE - Duration::from_secs(10) };
    assert_eq!(open("c", &KEY, later), Err(full));
    assert_eq!(open("a", &KEY, later), Ok(()), "the same again needs no room");
    assert_eq!(open("a", &OTHER, later), Err(Refusal::InUse));
    sessions.close("b");
    assert_eq!(open("c", &KEY, later), Ok(()), "a closed one makes room");
    let expired = later + LEASE;
    assert_eq!(open("d", &KEY, expired), Ok(()), "so does an expired lease");
    assert_eq!(open("a", &OTHER, expired), Ok(()), "and its name is free");
}

#[test]
fn actions_beyond_the_end_open_nothing() {
    let sessions = sessions(1);
    let actions = ["没有合适".to_owned(), "返回".to_owned()];
    let refused = sessions.open("a", &KEY, &actions, &Words::new(), Instant::now());
    assert_eq!(refused, Err(Refusal::AfterTheEnd { index: 1 }));
    assert_eq!(sessions.sweep(Instant::now()), 0);
}

proptest! {
    /// Wherever a session is lost, opening it again with its actions continues as if it had not been lost.
    #[test]
    fn a_reopened_session_answers_as_the_lost_one_would(
        choices in prop::collection::vec(0_usize..6, 1..11),
        lost in 0_usize..10,
    ) {
        const ACTIONS: [&str; 6] = ["搜索枕头", "打开#1", "翻页", "返回", "详情", "走"];
        let actions: Vec<String> = choices.iter().map(|&choice| ACTIONS[choice].to_owned()).collect();
        let (sessions, now) = (sessions(2), Instant::now());
        sessions.open("kept", &KEY, &[], &Words::new(), now).expect("opens");
        sessions.open("lost", &KEY, &[], &Words::new(), now).expect("opens");
        for (index, action) in actions.iter().enumerate() {
            if index == lost {
                sessions.close("lost");
                sessions.open("lost", &KEY, &actions[..index], &Words::new(), now).expect("reopens");
            }
            let turn = index as u32 + 1;
            let (kept, lost) = (
                sessions.step("kept", turn, action, None, now),
                sessions.step("lost", turn, action, None, now),
            );
            prop_assert!(kept.is_ok());
            prop_assert_eq!(kept, lost);
        }
    }
}
