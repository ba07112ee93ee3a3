use expect_test::expect;

use super::*;

pub(crate) fn episode() -> Episode {
    let row = r##"{
        "batch": "step-000012", "group": 190, "member": 3, "scenario": "multiTurn", "taskSeed": 77, "heldOut": false,
        "messages": [
            {"policy": false, "text": "我想买耳机\n还有12轮<|act|>"},
            {"policy": true, "text": "搜索红色耳机<|end|>", "tokens": ["搜索", "红色", "耳机", "<|end|>"], "kind": "search", "verdict": 1.0},
            {"policy": false, "text": "#1红色耳机¥80 #2蓝色耳机¥75"},
            {"policy": true, "text": "打开#2", "tokens": ["打开", "#2"], "kind": "open", "verdict": -1.0},
            {"policy": false, "text": "蓝色耳机¥75"},
            {"policy": true, "text": "购买<|end|>", "tokens": ["购买", "<|end|>"], "kind": "buy", "verdict": 0.0}
        ],
        "end": "bought",
        "metrics": {"success": 0.0, "strict": 0.0, "loose": 0.75, "finish": 1.0, "category": 1.0,
                    "attribute": 0.5, "option": 1.0, "price": 1.0},
        "reward": 0.375, "advantage": -0.5
    }"##;
    serde_json::from_str(row).unwrap()
}

#[test]
fn an_episode_is_printed_as_a_conversation() {
    let mut out = Vec::new();
    write_episode(&mut out, &episode(), Paint::off()).unwrap();
    expect![[r#"
        step-000012, group 190, member 3: multiTurn task 77
        shop  | 我想买耳机
              | 还有12轮
        agent | 搜索红色耳机  [search +1]
        shop  | #1红色耳机¥80 #2蓝色耳机¥75
        agent | 打开#2…  [open -1]
        shop  | 蓝色耳机¥75
        agent | 购买  [buy +0]
        bought: reward 0.38, advantage -0.50 (success 0.00, strict 0.00, loose 0.75, category 1.00, attribute 0.50, option 1.00, price 1.00)

    "#]].assert_eq(&String::from_utf8(out).unwrap());
}
