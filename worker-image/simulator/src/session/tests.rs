use std::sync::LazyLock;

use super::*;
use crate::catalog::{Catalog, Preset, Product};

mod leaks;

static SHOP: LazyLock<SharedShop> =
    LazyLock::new(|| Arc::new(Shop::open(Preset::Mini, 0).unwrap()));

/// A session without a task: the storefront without a shopper, or with one that gives these answers.
fn session(answers: Option<[&str; 3]>) -> Session {
    let answers = answers.map(|[attributes, options, budget]| Answers {
        attributes: attributes.to_owned(),
        options: options.to_owned(),
        budget: budget.to_owned(),
    });
    Session::begin(Arc::clone(&SHOP), Brief { opening: String::new(), answers }, 40).0
}

fn catalog() -> &'static Catalog {
    SHOP.catalog()
}

/// The actions that open a product: search for its title, page, open the row.
fn path_to(id: u32) -> Vec<String> {
    let product = catalog().product(id);
    let query = format!("{}¥{}", product.title.concat(), product.listed_price());
    let rank = SHOP.search(&crate::search::Query::parse(&query).unwrap());
    let position = rank.iter().position(|&found| found == id).unwrap();
    let mut actions = vec![format!("搜索{query}")];
    actions.extend(vec!["翻页".to_owned(); position / 8]);
    actions.push(format!("打开#{}", position % 8 + 1));
    actions
}

fn play(session: &mut Session, actions: &[String]) -> String {
    let turns = actions.iter().map(|action| session.step(action).unwrap().observation);
    let observation = turns.last().unwrap();
    let cut = observation.rfind('剩').unwrap();
    observation[..cut].to_owned()
}

fn step(session: &mut Session, action: &str) -> String {
    play(session, &[action.to_owned()])
}

fn product_where(is: impl Fn(&Product) -> bool) -> u32 {
    catalog().products().iter().position(is).unwrap() as u32
}

/// Whether exactly one value is sold out, in all its variants.
fn lacks_a_colour(product: &Product) -> bool {
    product.sold_out.len() == 1
        && product.sold_out[0].0[0].is_some()
        && product.sold_out[0].0[1].is_none()
}

#[test]
fn every_refusal_says_why_and_what_to_do() {
    let lacking = product_where(lacks_a_colour);
    let product = catalog().product(lacking);
    let sold_out = product.options[0].values[product.sold_out[0].0[0].unwrap()].word;
    let open = path_to(lacking);
    let check = |before: &[String], action: &str, expected: &str| {
        let mut session = session(None);
        if !before.is_empty() {
            play(&mut session, before);
        }
        assert_eq!(step(&mut session, action), expected, "{action}");
    };
    let search = &open[..1];
    check(&[], "搜索枕头…", "无效动作没写完请写短些");
    check(&[], "你好", "无效没有这种动作请用九种动作");
    check(&[], "搜索", "无效缺少搜索词请写品名");
    check(&[], &format!("搜索{}", "枕头".repeat(30)), "无效搜索词太长请写短些");
    for action in ["打开#1", "翻页", "返回"] {
        check(&[], action, "无效还没有搜索请先搜索");
    }
    for action in ["详情", "选择白色", "购买"] {
        check(&[], action, "无效还没打开商品请先打开");
        check(search, action, "无效还没打开商品请先打开");
    }
    for action in ["打开#0", "打开#9", "打开#99999999999999999999", "打开"] {
        check(search, action, "无效没有这一行请看编号");
    }
    check(&["搜索没有的东西".to_owned()], "打开#1", "无效没有这一行请看编号");
    check(&["搜索没有的东西".to_owned()], "翻页", "无效已是末页请换搜索词");
    check(&open, "选择彩虹色", "无效没有此规格请看颜色尺寸");
    check(&open, &format!("选择{sold_out}"), "无效售罄请换规格或商品");
    check(&[], "询问属性", "无效没人可问请看任务");
    check(&[], "询问天气", "无效问题不明可问属性规格预算");
}

#[test]
fn a_refused_action_changes_nothing_but_the_counter() {
    let mut touched = session(None);
    let mut untouched = session(None);
    let lacking = product_where(lacks_a_colour);
    let product = catalog().product(lacking);
    let sold_out = product.options[0].values[product.sold_out[0].0[0].unwrap()].word;
    for action in path_to(lacking) {
        assert_eq!(step(&mut touched, &action), step(&mut untouched, &action));
        for refused in ["你好", "打开#9", "选择彩虹色", &format!("选择{sold_out}"), "询问属性"]
        {
            assert!(step(&mut touched, refused).starts_with("无效"), "{refused}");
        }
    }
    for action in ["详情", "购买"] {
        let [a, b] = [&mut touched, &mut untouched].map(|it| it.step(action).unwrap().observation);
        assert_eq!(a.split('剩').next(), b.split('剩').next());
    }
}

#[test]
fn a_choice_is_confirmed_with_its_price_and_can_be_changed() {
    let id = product_where(|it| it.sold_out.is_empty() && it.options[1].values[1].surcharge > 0);
    let product = catalog().product(id);
    let [colours, sizes] = [0, 1].map(|axis| &product.options[axis].values);
    let price = |size: usize| product.offer(&[None, Some(size)]).unwrap();
    assert!(price(2) > price(0));
    let mut session = session(None);
    play(&mut session, &path_to(id));
    for (choice, expected) in [
        (colours[1].word, format!("已选{}¥{}", colours[1].word, price(0))),
        (sizes[2].word, format!("已选{}{}¥{}", colours[1].word, sizes[2].word, price(2))),
        (colours[0].word, format!("已选{}{}¥{}", colours[0].word, sizes[2].word, price(2))),
        (sizes[0].word, format!("已选{}{}¥{}", colours[0].word, sizes[0].word, price(0))),
    ] {
        assert_eq!(step(&mut session, &format!("选择{choice}")), expected);
    }
    let bought = session.step("购买").unwrap();
    assert_eq!(bought.observation, format!("成交¥{}结束", price(0)));
    assert_eq!(bought.end, Some(End::Bought));
}

#[test]
fn a_combination_can_be_sold_out_while_its_values_are_not() {
    let id =
        product_where(|it| it.sold_out.len() == 1 && it.sold_out[0].0.iter().all(Option::is_some));
    let product = catalog().product(id);
    let [colour, size] =
        [0, 1].map(|axis| product.options[axis].values[product.sold_out[0].0[axis].unwrap()].word);
    let mut session = session(None);
    play(&mut session, &path_to(id));
    let details = step(&mut session, "详情");
    assert!(details.ends_with(&format!("缺货{colour}{size}")), "{details}");
    assert!(step(&mut session, &format!("选择{colour}")).starts_with("已选"));
    assert_eq!(step(&mut session, &format!("选择{size}")), "无效售罄请换规格或商品");
}

#[test]
fn details_show_path_prices_and_stock() {
    let id = product_where(|it| lacks_a_colour(it) && it.options[1].values[1].surcharge > 0);
    let product = catalog().product(id);
    let mut session = session(None);
    play(&mut session, &path_to(id));
    let mut expected = format!(
        "卖家{}{}›{}颜色",
        product.flourish, product.category.domain, product.category.leaf
    );
    for (position, colour) in product.options[0].values.iter().enumerate() {
        expected += colour.word;
        expected += if product.offer(&[Some(position), None]).is_none() { "售罄" } else { "" };
    }
    expected += "尺寸";
    for (position, size) in product.options[1].values.iter().enumerate() {
        expected += &format!("{}¥{}", size.word, product.offer(&[None, Some(position)]).unwrap());
    }
    assert_eq!(step(&mut session, "详情"), expected);
}

#[test]
fn rows_stay_open_while_a_product_is() {
    let mut session = session(None);
    step(&mut session, "搜索枕头");
    let first = step(&mut session, "打开#1");
    let second = step(&mut session, "打开#2");
    assert!(first.starts_with("商品") && second.starts_with("商品") && first != second);
    assert_eq!(step(&mut session, "返回"), "列表");
    assert_eq!(step(&mut session, "打开#1"), first);
    assert!(step(&mut session, "翻页").starts_with("结果"));
    assert_ne!(step(&mut session, "打开#1"), first);
}

#[test]
fn four_pages_of_eight_rows_can_be_read() {
    let mut session = session(None);
    let mut page = step(&mut session, "搜索枕头");
    for number in 1..=4 {
        assert!(page.starts_with("结果") && page.contains("#8") && !page.contains("#9"));
        assert_eq!(page.ends_with("末页"), number == 4);
        page = step(&mut session, "翻页");
    }
    assert_eq!(page, "无效已是末页请换搜索词");
}

#[test]
fn a_shopper_says_what_is_asked() {
    let mut session = session(Some(["要乳胶", "规格白色", "最多¥99"]));
    for (action, expected) in
        [("询问预算", "顾客最多¥99"), ("询问属性", "顾客要乳胶"), ("询问规格", "顾客规格白色")]
    {
        assert_eq!(step(&mut session, action), expected);
    }
}

#[test]
fn the_counter_runs_down_and_the_last_turn_ends_the_episode() {
    let key = TaskKey { split: crate::Split::Train, scenario: Scenario::SingleTurn, seed: 0 };
    let limits = Limits { single_turn: 3, multi_turn: 1 };
    let (mut session, opening) = Session::start(Arc::clone(&SHOP), &key, limits).unwrap();
    assert!(opening.ends_with("剩3轮"), "{opening}");
    for (action, counter, end) in
        [("返回", "剩2轮", None), ("打开#3", "剩1轮", None), ("返回", "结束", Some(End::TurnLimit))]
    {
        let turn = session.step(action).unwrap();
        assert!(turn.observation.ends_with(counter), "{}", turn.observation);
        assert_eq!((turn.end, session.ended()), (end, end));
    }
    let error = session.step("返回").unwrap_err();
    assert_eq!(error, SessionError::Ended { end: End::TurnLimit });
    assert!(error.to_string().contains("start a new session"));
}

#[test]
fn a_purchase_on_the_last_turn_counts() {
    let mut session = session(None);
    session.remaining = 3;
    step(&mut session, "搜索枕头");
    step(&mut session, "打开#1");
    assert_eq!(session.step("购买").unwrap().end, Some(End::Bought));
}

#[test]
fn limits_outside_of_the_counters_range_are_refused_by_name() {
    let key = TaskKey { split: crate::Split::Train, scenario: Scenario::MultiTurn, seed: 0 };
    for (single_turn, multi_turn, field) in
        [(1, 0, Some("multiTurn")), (1, 41, Some("multiTurn")), (0, 40, None)]
    {
        let limits = Limits { single_turn, multi_turn };
        let result = Session::start(Arc::clone(&SHOP), &key, limits);
        match field {
            None => assert!(result.is_ok()),
            Some(field) => {
                let message = result.unwrap_err().to_string();
                assert!(message.contains(field) && message.contains("between 1 and 40"));
            }
        }
    }
}
