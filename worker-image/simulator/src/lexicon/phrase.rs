//! Function words: verbs of the agent, markers of pages, leads of instructions, reasons for refusals.

use super::Word;

/// Verbs of the agent.
pub(crate) const SEARCH: Word = "搜索";
pub(crate) const OPEN: Word = "打开";
pub(crate) const DETAILS: Word = "详情";
pub(crate) const CHOOSE: Word = "选择";
pub(crate) const NEXT_PAGE: Word = "翻页";
pub(crate) const BACK: Word = "返回";
pub(crate) const ASK: Word = "询问";
pub(crate) const BUY: Word = "购买";
pub(crate) const DECLINE: Word = "没有合适";

/// Topics of questions, which also lead the answers.
pub(crate) const ATTRIBUTES: Word = "属性";
pub(crate) const OPTIONS: Word = "规格";
pub(crate) const BUDGET: Word = "预算";

/// First words of an observation or of one of its parts.
pub(crate) const PERSONA: Word = "最近搜索";
pub(crate) const TASK: Word = "任务";
pub(crate) const SHOPPER: Word = "顾客";
pub(crate) const RESULTS: Word = "结果";
pub(crate) const ITEM: Word = "商品";
pub(crate) const CHOSEN: Word = "已选";
pub(crate) const MERCHANT: Word = "卖家";
pub(crate) const LISTING: Word = "列表";
pub(crate) const REFUSED: Word = "无效";
pub(crate) const BOUGHT: Word = "成交";
pub(crate) const DECLINED: Word = "未成交";

/// Parts of pages.
pub(crate) const LAST_PAGE: Word = "末页";
pub(crate) const COLOUR: Word = "颜色";
pub(crate) const SIZE: Word = "尺寸";
pub(crate) const SOLD_OUT: Word = "售罄";
pub(crate) const OUT_OF: Word = "缺货";
pub(crate) const PATH: Word = "›";
pub(crate) const RECORD_END: Word = "；";
pub(crate) const AS_USUAL: Word = "按照习惯";
pub(crate) const EPISODE_END: Word = "结束";

/// Leads of instructions. [`OPTIONS`] and [`BUDGET`] are leads too.
pub(crate) const WANT: Word = "想买";
pub(crate) const FIND: Word = "帮我找";
pub(crate) const NEED: Word = "需要";
pub(crate) const RECOMMEND: Word = "推荐";
pub(crate) const WITH: Word = "要";
pub(crate) const BEST: Word = "最好";
pub(crate) const MUST: Word = "得是";
pub(crate) const BRAND: Word = "品牌";
pub(crate) const TRUST: Word = "认准";
pub(crate) const ONLY: Word = "只要";
pub(crate) const PICK: Word = "选";
pub(crate) const STYLE: Word = "款式";
pub(crate) const WITHIN: Word = "以内";
pub(crate) const NO_MORE_THAN: Word = "不超过";
pub(crate) const AT_MOST: Word = "最多";

/// Reasons for refusals, each followed by a remedy.
pub(crate) const UNFINISHED_ACTION: Word = "动作没写完";
pub(crate) const UNKNOWN_ACTION: Word = "没有这种动作";
pub(crate) const EMPTY_QUERY: Word = "缺少搜索词";
pub(crate) const LONG_QUERY: Word = "搜索词太长";
pub(crate) const NOTHING_LISTED: Word = "还没有搜索";
pub(crate) const NO_SUCH_ROW: Word = "没有这一行";
pub(crate) const NO_NEXT_PAGE: Word = "已是末页";
pub(crate) const NO_ITEM: Word = "还没打开商品";
pub(crate) const NO_SUCH_OPTION: Word = "没有此规格";
pub(crate) const NO_SHOPPER_TO_ASK: Word = "没人可问";
pub(crate) const NO_SUCH_TOPIC: Word = "问题不明";

/// Remedies of refusals.
pub(crate) const WRITE_SHORTER: Word = "请写短些";
pub(crate) const USE_A_VERB: Word = "请用九种动作";
pub(crate) const NAME_THE_PRODUCT: Word = "请写品名";
pub(crate) const SEARCH_FIRST: Word = "请先搜索";
pub(crate) const READ_THE_NUMBERS: Word = "请看编号";
pub(crate) const SEARCH_AGAIN: Word = "请换搜索词";
pub(crate) const OPEN_FIRST: Word = "请先打开";
pub(crate) const READ_THE_OPTIONS: Word = "请看颜色尺寸";
pub(crate) const CHOOSE_ANOTHER: Word = "请换规格或商品";
pub(crate) const READ_THE_TASK: Word = "请看任务";
pub(crate) const ASK_A_TOPIC: Word = "可问属性规格预算";

/// All of the above, in the order of the lexicon, which determines token ids.
#[rustfmt::skip]
pub(crate) const ALL: [Word; 69] = [
    SEARCH, OPEN, DETAILS, CHOOSE, NEXT_PAGE, BACK, ASK, BUY, DECLINE,
    ATTRIBUTES, OPTIONS, BUDGET,
    PERSONA, TASK, SHOPPER, RESULTS, ITEM, CHOSEN, MERCHANT, LISTING, REFUSED, BOUGHT, DECLINED,
    LAST_PAGE, COLOUR, SIZE, SOLD_OUT, OUT_OF, PATH, RECORD_END, AS_USUAL, EPISODE_END,
    WANT, FIND, NEED, RECOMMEND, WITH, BEST, MUST, BRAND, TRUST, ONLY, PICK, STYLE, WITHIN, NO_MORE_THAN, AT_MOST,
    UNFINISHED_ACTION, UNKNOWN_ACTION, EMPTY_QUERY, LONG_QUERY, NOTHING_LISTED, NO_SUCH_ROW, NO_NEXT_PAGE,
    NO_ITEM, NO_SUCH_OPTION, NO_SHOPPER_TO_ASK, NO_SUCH_TOPIC,
    WRITE_SHORTER, USE_A_VERB, NAME_THE_PRODUCT, SEARCH_FIRST, READ_THE_NUMBERS, SEARCH_AGAIN, OPEN_FIRST,
    READ_THE_OPTIONS, CHOOSE_ANOTHER, READ_THE_TASK, ASK_A_TOPIC,
];
