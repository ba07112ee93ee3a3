//! The grammar of actions: text without spaces, a verb and what it applies to.

use crate::lexicon::phrase;
use crate::refusal::Refusal;
use crate::search::Query;
use serde::{Deserialize, Serialize};

/// Suffix of an action that was cut off by the token limit; such an action is refused with that reason.
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

/// What a shopper can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Attributes and brand.
    Attributes,
    /// Options.
    Options,
    /// The highest price.
    Budget,
}

/// The kind of an action, as statistics and credit assignment count it.
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

/// The kind of `text` by the grammar alone, whatever the shop's answer was.
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
    /// Reads an action; white space around it does not count.
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
mod tests;
