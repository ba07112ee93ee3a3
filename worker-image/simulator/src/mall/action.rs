//! The grammar of actions: a verb and its argument.

use super::query::Query;
use super::refusal::Refusal;
use crate::action::{ActionKind, UNFINISHED};
use crate::lexicon::phrase;

/// Shows the open product and the current selection to the shopper.
pub(super) const PROPOSE: &str = "推荐";

/// What an agent can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
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
    Ask(String),
    /// 推荐
    Propose,
    /// 购买
    Buy,
    /// 没有合适
    Decline,
}

impl Action {
    /// Parses an action; white space around it and after its verb is ignored.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if text.ends_with(UNFINISHED) {
            return Err(Refusal::Unfinished);
        }
        match text {
            phrase::DETAILS => return Ok(Self::Details),
            phrase::NEXT_PAGE => return Ok(Self::NextPage),
            phrase::BACK => return Ok(Self::Back),
            PROPOSE => return Ok(Self::Propose),
            phrase::BUY => return Ok(Self::Buy),
            phrase::DECLINE => return Ok(Self::Decline),
            _ => {}
        }
        let after = |verb: &str| text.strip_prefix(verb).map(str::trim_start);
        if let Some(query) = after(phrase::SEARCH) {
            return Ok(Self::Search(Query::parse(query)?));
        }
        if let Some(row) = after(phrase::OPEN) {
            let number = row.strip_prefix('#').and_then(|number| number.parse().ok());
            return number.map(Self::Open).ok_or(Refusal::NoSuchRow);
        }
        if let Some(value) = after(phrase::CHOOSE) {
            return Ok(Self::Choose(value.to_owned()));
        }
        if let Some(topic) = after(phrase::ASK) {
            return Ok(Self::Ask(topic.to_owned()));
        }
        Err(Refusal::UnknownAction)
    }

    /// The kind of the action, for statistics. A proposal counts as a question.
    pub(super) fn kind(&self) -> ActionKind {
        match self {
            Self::Search(_) => ActionKind::Search,
            Self::Open(_) => ActionKind::Open,
            Self::Details => ActionKind::Details,
            Self::Choose(_) => ActionKind::Option,
            Self::NextPage => ActionKind::Page,
            Self::Back => ActionKind::Back,
            Self::Ask(_) | Self::Propose => ActionKind::Ask,
            Self::Buy => ActionKind::Buy,
            Self::Decline => ActionKind::Decline,
        }
    }
}
