//! Tests the published formulas and names their known false matches.

use super::*;

/// The expected values were computed with thefuzz 0.22.1.
#[test]
fn similarity_equals_that_of_the_published_library() {
    for (a, b, expected) in [
        ("500ml", "500ml*2瓶", 100),
        ("白色", "【加厚】白色", 100),
        ("护颈", "护颈椎", 80),
        ("防水", "防水防尘", 67),
        ("50w（高亮芯片）白光", "【48小时一度电】高亮款50w", 24),
        ("天然乳胶", "天然乳胶", 100),
        ("memory foam pillow", "Pillow memory", 100),
        ("loose fit", "relaxed fit", 60),
        ("a b c", "c b d", 80),
        ("easy to use", "easy to clean", 78),
        ("black | white", "white/black", 100),
        ("xx-large", "x-large", 93),
        ("gluten free", "gluten-free", 100),
        ("wash cold", "machine wash", 62),
        ("泰国 进口", "进口 越南", 60),
        ("", "a", 0),
        ("!!", "a", 0),
    ] {
        assert_eq!(token_set_ratio(a, b), expected, "{a} {b}");
        assert_eq!(token_set_ratio(b, a), expected, "{b} {a}");
    }
}

fn wanted() -> Wanted<'static> {
    Wanted {
        path: ["家居", "床品", "枕头"],
        title: "泰国 乳胶 枕头 护颈 成人",
        attributes: vec!["护颈"],
        options: vec!["500ml"],
    }
}

fn bought() -> Bought<'static> {
    Bought {
        path: ["食品", "饮料", "豆浆"],
        title: "手工 豆浆",
        attributes: vec!["无糖"],
        options: vec!["300ml"],
    }
}

#[test]
fn false_pass_one_word_more_is_the_same_attribute_and_option() {
    let (wanted, mut bought) = (wanted(), bought());
    assert_eq!((attributes(&wanted, &bought), options(&wanted, &bought)), (0, 0));
    bought.attributes = vec!["不 护颈"];
    bought.options = vec!["500ml*2瓶"];
    assert_eq!((attributes(&wanted, &bought), options(&wanted, &bought)), (1, 1));
}

#[test]
fn false_pass_a_claim_in_the_title_is_an_attribute() {
    let (wanted, mut bought) = (wanted(), bought());
    bought.title = "非护颈款豆浆";
    assert_eq!(attributes(&wanted, &bought), 1);
}

#[test]
fn false_fail_a_longer_word_is_not_the_shorter_one() {
    let (wanted, mut bought) = (wanted(), bought());
    bought.attributes = vec!["护颈椎"];
    assert_eq!(attributes(&wanted, &bought), 0);
}

#[test]
fn false_passes_of_the_category() {
    let score = |path: [&'static str; 3], title: &'static str| {
        let bought = Bought { path, title, ..bought() };
        category(&wanted(), &bought, |title| title.split_whitespace().collect())
    };
    let elsewhere = ["食品", "饮料", "豆浆"];
    // One half for another product type of another domain.
    assert_eq!(score(elsewhere, "手工 豆浆"), 0.5);
    // One of five words is not more than a fifth; two are, for any product type.
    assert_eq!(score(elsewhere, "护颈 豆浆"), 0.5);
    assert_eq!(score(elsewhere, "护颈 成人 豆浆"), 1.0);
    // Another leaf of the same category.
    assert_eq!(score(["家居", "床品", "凉席"], "手工 豆浆"), 1.0);
    assert_eq!(score(["家居", "灯具", "台灯"], "手工 豆浆"), 0.5);
}
