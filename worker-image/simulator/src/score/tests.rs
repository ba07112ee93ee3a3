use super::*;
use crate::action::Action;
use crate::catalog::{Catalog, CategoryPath, Preset, Product};
use crate::task::Goal;

/// 床品›枕头, 乳胶 泰国 护颈 简约, in white or black, 1.5 m at 199 or 1.8 m one step up (229).
fn pillow() -> Product {
    let catalog = Catalog::generate(Preset::Mini, 0);
    let mut product = catalog.product(0).clone();
    product.category = CategoryPath { domain: "床品", leaf: "枕头" };
    product.brand = "澜栖";
    product.attributes = vec!["乳胶", "泰国", "护颈", "简约"];
    product.base = 13;
    product.sold_out.clear();
    for (axis, words) in [["白色", "黑色"], ["1.5米", "1.8米"]].into_iter().enumerate() {
        let values = &mut product.options[axis].values;
        values.truncate(2);
        for (position, word) in words.into_iter().enumerate() {
            values[position].word = word;
            values[position].surcharge = (axis * position) as u8;
        }
    }
    product
}

fn goal() -> Goal {
    Goal {
        category: CategoryPath { domain: "床品", leaf: "枕头" },
        attributes: vec!["乳胶", "护颈"],
        brand: Some("澜栖"),
        options: vec!["白色", "1.8米"],
        budget: 229,
        fits: true,
    }
}

fn buy(product: &Product, goal: &Goal, selection: [Option<usize>; 2]) -> Outcome {
    let price = product.offer(&selection).unwrap();
    let purchase = Purchase { product, selection: &selection, price };
    Outcome::new(goal, Ending::Bought(purchase))
}

const WHITE_LARGE: [Option<usize>; 2] = [Some(0), Some(1)];

#[test]
fn purchases_are_scored_by_the_published_formulas() {
    let check = |change: &dyn Fn(&mut Product, &mut Goal), selection, expected: [f64; 7]| {
        let (mut product, mut goal) = (pillow(), goal());
        change(&mut product, &mut goal);
        let Outcome { category, attribute, option, price, loose, strict, success, finish } =
            buy(&product, &goal, selection);
        assert_eq!(finish, 1.0);
        assert_eq!([category, attribute, option, price, loose, strict, success], expected);
    };
    let nothing = |_: &mut Product, _: &mut Goal| {};
    check(&nothing, WHITE_LARGE, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    // 3 features, 1 of 2 options, the price: 5 of 6.
    check(&nothing, [Some(0), None], [1.0, 1.0, 0.5, 1.0, 5.0 / 6.0, 0.5, 0.0]);
    check(&nothing, [None, None], [1.0, 1.0, 0.0, 1.0, 4.0 / 6.0, 0.0, 0.0]);
    check(&nothing, [Some(1), Some(1)], [1.0, 1.0, 0.5, 1.0, 5.0 / 6.0, 0.5, 0.0]);
    // The variant's own price counts, not the listed one.
    check(&|_, goal| goal.budget = 199, WHITE_LARGE, [1.0, 1.0, 1.0, 0.0, 5.0 / 6.0, 0.0, 0.0]);
    // One of three features is wrong: an attribute, or the brand.
    let two_thirds = 2.0 / 3.0;
    let wrong = [1.0, two_thirds, 1.0, 1.0, 5.0 / 6.0, two_thirds, 0.0];
    check(&|product, _| product.attributes[2] = "抗菌", WHITE_LARGE, wrong);
    check(&|product, _| product.brand = "禾朵", WHITE_LARGE, wrong);
    // Same domain, another leaf: one half. Another domain: 0.
    check(
        &|product, _| product.category.leaf = "被子",
        WHITE_LARGE,
        [0.5, 1.0, 1.0, 1.0, 0.5, 0.5, 0.0],
    );
    let elsewhere = CategoryPath { domain: "食品", leaf: "茶叶" };
    check(
        &|product, _| product.category = elsewhere,
        WHITE_LARGE,
        [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0],
    );
}

#[test]
fn declining_is_right_only_if_nothing_fits() {
    let impossible = Goal { fits: false, ..goal() };
    let all = Outcome {
        success: 1.0,
        strict: 1.0,
        loose: 1.0,
        finish: 1.0,
        category: 1.0,
        attribute: 1.0,
        option: 1.0,
        price: 1.0,
    };
    assert_eq!(Outcome::new(&impossible, Ending::Declined), all);
    let finished = Outcome { finish: 1.0, ..Outcome::default() };
    assert_eq!(Outcome::new(&goal(), Ending::Declined), finished);
    for goal in [goal(), impossible] {
        assert_eq!(Outcome::new(&goal, Ending::Unfinished), Outcome::default());
    }
}

#[test]
fn a_goal_is_met_by_a_variant_in_stock_within_the_budget() {
    let check = |change: &dyn Fn(&mut Product, &mut Goal), expected: bool| {
        let (mut product, mut goal) = (pillow(), goal());
        change(&mut product, &mut goal);
        assert_eq!(goal.is_met_by(&product), expected);
    };
    check(&|_, _| {}, true);
    check(&|_, goal| goal.budget = 199, false);
    check(&|_, goal| goal.options = vec!["白色"], true);
    check(&|_, goal| (goal.options, goal.budget) = (vec!["白色"], 199), true);
    check(&|_, goal| goal.options = vec!["红色"], false);
    check(&|product, _| product.attributes[0] = "纯棉", false);
    check(&|product, _| product.brand = "禾朵", false);
    check(&|product, _| product.category.leaf = "被子", false);
    let sold_out = |pattern: [Option<usize>; 2]| {
        move |product: &mut Product, _: &mut Goal| {
            let mut other = Catalog::generate(Preset::Mini, 0)
                .products()
                .iter()
                .find_map(|it| it.sold_out.first().cloned())
                .unwrap();
            other.0 = pattern.to_vec();
            product.sold_out = vec![other];
        }
    };
    check(&sold_out([Some(0), Some(1)]), false);
    check(&sold_out([None, Some(1)]), false);
    check(&sold_out([Some(0), Some(0)]), true);
}

#[test]
fn refused_actions_get_a_negative_verdict() {
    let shop = crate::Shop::open(Preset::Mini, 0).unwrap();
    let goal = goal();
    let mut judge = Judge::new(&shop, &goal);
    let empty = crate::storefront::Storefront::default();
    let action = Action::parse("你好");
    let verdict = judge.verdict(&Move { action: &action, before: &empty, after: &empty });
    assert_eq!(verdict, -1.0);
}
