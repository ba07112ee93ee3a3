//! Reasons why an action was refused, with remedies.

use crate::lexicon::{Word, phrase};
use crate::search::QueryError;

/// Why an action was refused. The turn is spent and the state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Cut off by the token limit.
    Unfinished,
    /// No verb of the grammar, or text after a verb that takes no argument.
    UnknownAction,
    /// A search without words.
    EmptyQuery,
    /// A search with too many characters.
    LongQuery,
    /// Opening, paging or going back before any search.
    NothingListed,
    /// A row that the page does not have.
    NoSuchRow,
    /// Paging beyond the last page.
    NoNextPage,
    /// Details, choosing or buying without an open product.
    NoItem,
    /// A value that the product does not offer.
    NoSuchOption,
    /// A value whose variants, given the current selection, are all sold out.
    SoldOut,
    /// A question in a scenario without a shopper.
    NoShopperToAsk,
    /// A question about anything other than attributes, options or budget.
    NoSuchTopic,
}

impl Refusal {
    /// The reason and the remedy, as lexicon words.
    pub(crate) const fn words(self) -> [Word; 2] {
        match self {
            Self::Unfinished => [phrase::UNFINISHED_ACTION, phrase::WRITE_SHORTER],
            Self::UnknownAction => [phrase::UNKNOWN_ACTION, phrase::USE_A_VERB],
            Self::EmptyQuery => [phrase::EMPTY_QUERY, phrase::NAME_THE_PRODUCT],
            Self::LongQuery => [phrase::LONG_QUERY, phrase::WRITE_SHORTER],
            Self::NothingListed => [phrase::NOTHING_LISTED, phrase::SEARCH_FIRST],
            Self::NoSuchRow => [phrase::NO_SUCH_ROW, phrase::READ_THE_NUMBERS],
            Self::NoNextPage => [phrase::NO_NEXT_PAGE, phrase::SEARCH_AGAIN],
            Self::NoItem => [phrase::NO_ITEM, phrase::OPEN_FIRST],
            Self::NoSuchOption => [phrase::NO_SUCH_OPTION, phrase::READ_THE_OPTIONS],
            Self::SoldOut => [phrase::SOLD_OUT, phrase::CHOOSE_ANOTHER],
            Self::NoShopperToAsk => [phrase::NO_SHOPPER_TO_ASK, phrase::READ_THE_TASK],
            Self::NoSuchTopic => [phrase::NO_SUCH_TOPIC, phrase::ASK_A_TOPIC],
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
