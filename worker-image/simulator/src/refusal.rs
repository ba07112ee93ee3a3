//! Why an action changed nothing, and what to do instead.

use crate::lexicon::{Word, phrase};
use crate::search::QueryError;

/// A reason; the turn is spent, the state is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Cut off by the token limit.
    Unfinished,
    /// No verb of the grammar, or a verb that takes nothing with something after it.
    UnknownAction,
    /// A search for nothing.
    EmptyQuery,
    /// A search for too much.
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
    /// A value whose variants, given what is chosen already, are all sold out.
    SoldOut,
    /// A question where no shopper listens.
    NobodyToAsk,
    /// A question about something else than attributes, options or budget.
    NoSuchTopic,
}

impl Refusal {
    /// The reason and the remedy, in words.
    pub(crate) const fn words(self) -> [Word; 2] {
        match self {
            Self::Unfinished => [phrase::UNFINISHED_ACTION, phrase::WRITE_SHORTER],
            Self::UnknownAction => [phrase::UNKNOWN_ACTION, phrase::USE_A_VERB],
            Self::EmptyQuery => [phrase::EMPTY_QUERY, phrase::NAME_THE_GOODS],
            Self::LongQuery => [phrase::LONG_QUERY, phrase::WRITE_SHORTER],
            Self::NothingListed => [phrase::NOTHING_LISTED, phrase::SEARCH_FIRST],
            Self::NoSuchRow => [phrase::NO_SUCH_ROW, phrase::READ_THE_NUMBERS],
            Self::NoNextPage => [phrase::NO_NEXT_PAGE, phrase::SEARCH_AGAIN],
            Self::NoItem => [phrase::NO_ITEM, phrase::OPEN_FIRST],
            Self::NoSuchOption => [phrase::NO_SUCH_OPTION, phrase::READ_THE_OPTIONS],
            Self::SoldOut => [phrase::SOLD_OUT, phrase::CHOOSE_ANOTHER],
            Self::NobodyToAsk => [phrase::NOBODY_TO_ASK, phrase::READ_THE_TASK],
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
