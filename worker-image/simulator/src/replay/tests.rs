use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::catalog::{Preset, Product};
use crate::search::Query;
use crate::task::{Goal, Scenario, Split};

static SHOP: LazyLock<Arc<Shop>> = LazyLock::new(|| Arc::new(Shop::open(Preset::Mini, 0).unwrap()));

fn key(scenario: Scenario, seed: u64) -> TaskKey {
    TaskKey { split: Split::HeldOut, scenario, seed }
}

fn goal(key: &TaskKey) -> Goal {
    Task::new(SHOP.catalog(), key).goal
}

/// The actions of an agent that knows the goal and a matching product.
fn solution(goal: &Goal) -> Vec<String> {
    let products = SHOP.catalog().products();
    let Some(id) = products.iter().position(|it| goal.is_met_by(it)) else {
        return vec!["没有合适".to_owned()];
    };
    let mut actions = path_to(id, &products[id]);
    actions.extend(goal.options.iter().map(|option| format!("选择{option}")));
    actions.push("购买".to_owned());
    actions
}

fn path_to(id: usize, product: &Product) -> Vec<String> {
    let query = format!("{}¥{}", product.title.concat(), product.listed_price());
    let rank = SHOP.search(&Query::parse(&query).unwrap());
    let position = rank.iter().position(|&found| found as usize == id).unwrap();
    let mut actions = vec![format!("搜索{query}")];
    actions.extend(vec!["翻页".to_owned(); position / 8]);
    actions.push(format!("打开#{}", position % 8 + 1));
    actions
}

fn play(key: &TaskKey, actions: &[String]) -> Replay {
    replay(&SHOP, key, Limits::default(), actions).unwrap()
}

#[test]
fn every_task_can_be_solved_within_the_limits() {
    for seed in 0..400 {
        for scenario in Scenario::ALL {
            for split in [Split::Train, Split::HeldOut] {
                let key = TaskKey { split, scenario, seed };
                let replay = play(&key, &solution(&goal(&key)));
                assert_eq!(replay.outcome.success, 1.0, "{key:?}: {:?}", replay.observations);
            }
        }
    }
}

#[test]
fn the_actions_of_a_solution_get_no_negative_verdict() {
    for key in (0..60).map(|seed| key(Scenario::MultiTurn, seed)).filter(|key| goal(key).fits) {
        let questions = ["询问属性", "询问规格", "询问预算"].map(str::to_owned).to_vec();
        let actions = [questions, solution(&goal(&key))].concat();
        let replay = play(&key, &actions);
        assert!(replay.verdicts.iter().all(|&verdict| verdict >= 0.0), "{:?}", replay.verdicts);
        assert_eq!(replay.verdicts[..3], [1.0, 1.0, 1.0]);
        assert_eq!(replay.verdicts.last(), Some(&1.0));
    }
}

/// Verdicts on the actions after a matching product was opened.
#[test]
fn detours_get_negative_verdicts() {
    let wants_size = |key: &TaskKey| goal(key).fits && goal(key).options.len() == 2;
    let key = (0..).map(|seed| key(Scenario::MultiTurn, seed)).find(wants_size).unwrap();
    let goal = goal(&key);
    let products = SHOP.catalog().products();
    let id = products.iter().position(|it| goal.is_met_by(it)).unwrap();
    let colours = products[id].options[0].values.iter().enumerate();
    let in_stock =
        |&(position, _): &(usize, _)| products[id].offer(&[Some(position), None]).is_some();
    let other = colours
        .filter(in_stock)
        .map(|(_, value)| value.word)
        .find(|it| *it != goal.options[0])
        .unwrap();
    let check = |actions: &[&str], expected: &[f64]| {
        let path = path_to(id, &products[id]);
        let actions: Vec<String> =
            path.iter().cloned().chain(actions.iter().map(|&it| it.to_owned())).collect();
        let verdicts = play(&key, &actions).verdicts;
        assert_eq!(verdicts[path.len() - 1], 1.0, "opening what fits");
        assert_eq!(&verdicts[path.len()..], expected, "{actions:?}");
    };
    let [colour, size] = [0, 1].map(|axis| format!("选择{}", goal.options[axis]));
    let wrong = format!("选择{other}");
    check(&[&colour, &size, "购买"], &[1.0, 1.0, 1.0]);
    check(&[&colour, &colour, "详情"], &[1.0, 0.0, 0.0]);
    check(&[&wrong, &colour], &[-1.0, 1.0]);
    check(&[&colour, "购买"], &[1.0, -1.0]);
    check(&["购买"], &[-1.0]);
    check(&["返回"], &[-1.0]);
    check(&["没有合适"], &[-1.0]);
    check(&["询问属性", "询问属性", "询问天气"], &[1.0, 0.0, -1.0]);
    check(&["选择彩虹色", "买"], &[-1.0, -1.0]);
    check(&["搜索没有的东西", "搜索没有的东西"], &[-1.0, 0.0]);
}

#[test]
fn if_nothing_fits_opening_is_neutral_and_declining_right() {
    let impossible = |key: &TaskKey| !goal(key).fits;
    let key = (0..).map(|seed| key(Scenario::SingleTurn, seed)).find(impossible).unwrap();
    let leaf = goal(&key).category.leaf;
    let actions = [format!("搜索{leaf}"), "打开#1".to_owned()].to_vec();
    let ended_by = |last: &str| play(&key, &[actions.clone(), vec![last.to_owned()]].concat());
    let declined = ended_by("没有合适");
    assert_eq!(declined.verdicts, [0.0, 0.0, 1.0]);
    assert_eq!((declined.outcome.success, declined.end), (1.0, Some(End::Declined)));
    let bought = ended_by("购买");
    assert_eq!(bought.verdicts, [0.0, 0.0, -1.0]);
    assert_eq!((bought.outcome.success, bought.end), (0.0, Some(End::Bought)));
}

#[test]
fn actions_after_the_end_are_refused_by_position() {
    let actions = ["没有合适", "购买", "返回"].map(str::to_owned);
    let key = key(Scenario::SingleTurn, 0);
    let error = replay(&SHOP, &key, Limits::default(), &actions).unwrap_err();
    assert!(error.to_string().starts_with("action 1 of 3"), "{error}");
}

#[test]
fn actions_that_stop_early_score_nothing() {
    let replay = play(&key(Scenario::SingleTurn, 0), &["搜索枕头".to_owned()]);
    assert_eq!((replay.end, replay.outcome), (None, Outcome::default()));
}

#[test]
fn a_replay_is_written_in_camel_case() {
    let replay = play(&key(Scenario::SingleTurn, 0), &["没有合适".to_owned()]);
    let json = serde_json::to_value(&replay).unwrap();
    assert_eq!(json["end"], "declined");
    assert_eq!(json["kinds"][0], "decline");
    assert_eq!(serde_json::from_value::<Replay>(json).unwrap(), replay);
}

fn actions() -> impl Strategy<Value = Vec<String>> {
    let verbs = [
        "搜索枕头",
        "搜索茶叶¥99",
        "翻页",
        "返回",
        "详情",
        "购买",
        "选择白色",
        "选择L码",
        "询问属性",
        "询问规格",
        "没有合适",
        "乱",
    ];
    let open = (1..9u8).prop_map(|row| format!("打开#{row}"));
    let action =
        prop_oneof![2 => open, 3 => prop::sample::select(verbs.to_vec()).prop_map(str::to_owned)];
    prop::collection::vec(action, 0..12)
}

proptest! {
    #[test]
    fn a_replay_is_the_live_session_scored(seed: u64, scenario in prop::sample::select(&Scenario::ALL[..]), actions in actions()) {
        let key = key(scenario, seed);
        let (mut session, opening) = Session::start(Arc::clone(&SHOP), &key, Limits::default()).unwrap();
        let mut observations = vec![opening];
        let mut played = Vec::new();
        for action in actions {
            if session.ended().is_none() {
                observations.push(session.step(&action).unwrap().observation);
                played.push(action);
            }
        }
        let replay = play(&key, &played);
        prop_assert_eq!(&replay.observations, &observations);
        prop_assert_eq!(replay.end, session.ended());
        prop_assert_eq!(replay.verdicts.len(), played.len());
        prop_assert_eq!(&replay, &play(&key, &played));
        let Outcome { success, strict, loose, finish, category, attribute, option, price } = replay.outcome;
        for metric in [success, strict, loose, finish, category, attribute, option, price] {
            prop_assert!((0.0..=1.0).contains(&metric));
        }
        prop_assert!(success <= strict && strict <= loose && loose <= category && category <= finish);
        prop_assert_eq!(success == 1.0, strict == 1.0);
    }
}
