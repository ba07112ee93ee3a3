//! The grammar of actions: a verb and its argument, without spaces.

use serde::{Deserialize, Serialize};

use crate::lexicon::phrase;
use crate::refusal::Refusal;
use crate::search::Query;

/// Suffix of an action that was cut off by the token limit; such an action is refused for that reason.
pub const UNFINISHED: &str = "…";

/// What an agent can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// 搜索 words ¥ceiling
    Search(Query),
    /// 打开#k, from 1
    Open(usize),
    /// 详情
    Details,
    /// 选择 value
    Choose(String),
    /// 翻页
    NextPage,
    /// 返回
    Back,
    /// 询问 topic
    Ask(Topic),
    /// 购买
    Buy,
    /// 没有合适
    Decline,
}

/// A topic of a question to the shopper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Attributes and brand.
    Attributes,
    /// Options.
    Options,
    /// The highest price.
    Budget,
}

/// The kind of an action, as used by statistics and credit assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ActionKind {
    /// 搜索
    Search,
    /// 打开
    Open,
    /// 详情
    Details,
    /// 选择
    Option,
    /// 翻页
    Page,
    /// 返回
    Back,
    /// 询问
    Ask,
    /// 购买
    Buy,
    /// 没有合适
    Decline,
    /// Not an action of the grammar.
    Invalid,
}

/// The kind of `text` by the grammar alone; whether the shop accepted it does not matter.
#[must_use]
pub fn action_kind(text: &str) -> ActionKind {
    match Action::parse(text) {
        Ok(Action::Search(_)) => ActionKind::Search,
        Ok(Action::Open(_)) => ActionKind::Open,
        Ok(Action::Details) => ActionKind::Details,
        Ok(Action::Choose(_)) => ActionKind::Option,
        Ok(Action::NextPage) => ActionKind::Page,
        Ok(Action::Back) => ActionKind::Back,
        Ok(Action::Ask(_)) => ActionKind::Ask,
        Ok(Action::Buy) => ActionKind::Buy,
        Ok(Action::Decline) => ActionKind::Decline,
        Err(_) => ActionKind::Invalid,
    }
}

impl Action {
    /// Parses an action; surrounding white space is ignored.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if text.ends_with(UNFINISHED) {
            return Err(Refusal::Unfinished);
        }
        match text {
            phrase::DETAILS => return Ok(Self::Details),
            phrase::NEXT_PAGE => return Ok(Self::NextPage),
            phrase::BACK => return Ok(Self::Back),
            phrase::BUY => return Ok(Self::Buy),
            phrase::DECLINE => return Ok(Self::Decline),
            _ => {}
        }
        if let Some(query) = text.strip_prefix(phrase::SEARCH) {
            return Ok(Self::Search(Query::parse(query)?));
        }
        if let Some(row) = text.strip_prefix(phrase::OPEN) {
            let number = row.strip_prefix('#').and_then(|number| number.parse().ok());
            return number.map(Self::Open).ok_or(Refusal::NoSuchRow);
        }
        if let Some(value) = text.strip_prefix(phrase::CHOOSE) {
            return Ok(Self::Choose(value.to_owned()));
        }
        if let Some(topic) = text.strip_prefix(phrase::ASK) {
            return Topic::parse(topic).map(Self::Ask).ok_or(Refusal::NoSuchTopic);
        }
        Err(Refusal::UnknownAction)
    }
}

impl Topic {
    fn parse(text: &str) -> Option<Self> {
        match text {
            phrase::ATTRIBUTES => Some(Self::Attributes),
            phrase::OPTIONS => Some(Self::Options),
            phrase::BUDGET => Some(Self::Budget),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn an_invalid_action_is_refused_with_its_fault() {
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
}
