use super::*;

#[test]
fn the_grammar_has_nine_verbs() {
    use ActionKind::{Ask, Back, Buy, Decline, Details, Invalid, Open, Option, Page, Search};
    for (text, expected) in [
        ("搜索枕头¥199", Search),
        (" 搜索 枕头 ", Search),
        ("打开#1", Open),
        ("打开#99", Open),
        ("详情", Details),
        ("选择白色", Option),
        ("选择什么都行", Option),
        ("翻页", Page),
        ("返回", Back),
        ("询问属性", Ask),
        ("购买", Buy),
        ("没有合适", Decline),
        ("", Invalid),
        ("购买吧", Invalid),
        ("搜索", Invalid),
        ("打开1", Invalid),
        ("打开#一", Invalid),
        ("询问天气", Invalid),
        ("buy", Invalid),
        ("购买…", Invalid),
    ] {
        assert_eq!(action_kind(text), expected, "{text}");
    }
}

#[test]
fn an_unreadable_action_names_its_fault() {
    for (text, expected) in [
        ("搜索枕头…", Refusal::Unfinished),
        ("…", Refusal::Unfinished),
        ("枕头", Refusal::UnknownAction),
        ("没有合适的", Refusal::UnknownAction),
        ("搜索¥99", Refusal::EmptyQuery),
        (&format!("搜索{}", "枕".repeat(49)), Refusal::LongQuery),
        ("打开", Refusal::NoSuchRow),
        ("询问", Refusal::NoSuchTopic),
    ] {
        assert_eq!(Action::parse(text), Err(expected), "{text}");
    }
}
