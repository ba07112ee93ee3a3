//! Reasons why an action was refused, with remedies.

use crate::search::QueryError;

/// Why an action was refused. The turn is spent and the state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Unfinished,
    UnknownAction,
    EmptyQuery,
    LongQuery,
    NothingListed,
    NoSuchRow,
    NoNextPage,
    NoItem,
    NoSuchOption,
    SoldOut,
    NoShopperToAsk,
    NoSuchTopic,
}

impl Refusal {
    /// The reason and the remedy.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Unfinished => "动作没写完，请写短些",
            Self::UnknownAction => {
                "动作不明，可用：搜索 打开#k 详情 选择 翻页 返回 询问 推荐 购买 没有合适"
            }
            Self::EmptyQuery => "搜索词是空的，请写要找的东西",
            Self::LongQuery => "搜索词太长，请不超过200字",
            Self::NothingListed => "还没有搜索，请先搜索",
            Self::NoSuchRow => "没有这一行，请看#后的编号",
            Self::NoNextPage => "已是末页，请换搜索词",
            Self::NoItem => "还没打开商品，请先打开",
            Self::NoSuchOption => "没有此规格，请看规格一行",
            Self::SoldOut => "售罄，请换规格或商品",
            Self::NoShopperToAsk => "没人可问，请看任务",
            Self::NoSuchTopic => "问题不明，可问：属性 品牌 规格 预算，或一项参数的名称",
        }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Empty => Self::EmptyQuery,
            QueryError::Long => Self::LongQuery,
        }
    }
}
