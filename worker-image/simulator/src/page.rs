//! Renders pages as lexicon words without spaces. No function here gets a goal.

use crate::catalog::Product;
use crate::lexicon::phrase;
use crate::lexicon::vocabulary::{PRICES, REMAINING, ROWS};
use crate::lexicon::{self, Word};
use crate::refusal::Refusal;

/// Rows `品牌 属性 属性 类目 ¥价 #k`, and a marker on the last page.
pub(crate) fn results<'a>(products: impl Iterator<Item = &'a Product>, last: bool) -> String {
    let mut page = phrase::RESULTS.to_owned();
    for (product, row) in products.zip(ROWS) {
        page.extend(product.title.iter().copied());
        page.push_str(price(product.listed_price()));
        page.push_str(row);
    }
    if last {
        page.push_str(phrase::LAST_PAGE);
    }
    page
}

/// A product: brand, category, all attributes, the values of each option axis, the lowest price.
pub(crate) fn item(product: &Product) -> String {
    let mut page = [phrase::ITEM, product.brand, product.category.leaf].concat();
    page.extend(product.attributes.iter().copied());
    for axis in &product.options {
        page.push_str(axis.name);
        page.extend(axis.values.iter().map(|value| value.word));
    }
    page.push_str(price(product.listed_price()));
    page
}

/// The details of a product: flourish, category path, price and stock of each variant.
pub(crate) fn details(product: &Product) -> String {
    let path = product.category;
    let mut page =
        [phrase::MERCHANT, product.flourish, path.domain, phrase::PATH, path.leaf].concat();
    let mut prices_differ = false;
    for (position, axis) in product.options.iter().enumerate() {
        let priced = axis.values.iter().any(|value| value.surcharge > 0);
        prices_differ |= priced;
        page.push_str(axis.name);
        for (choice, value) in axis.values.iter().enumerate() {
            let mut selection = product.open_selection();
            selection[position] = Some(choice);
            page.push_str(value.word);
            match product.offer(&selection) {
                None => page.push_str(phrase::SOLD_OUT),
                Some(yuan) if priced => page.push_str(price(yuan)),
                Some(_) => {}
            }
        }
    }
    if !prices_differ {
        page.push_str(price(product.listed_price()));
    }
    // Sold-out combinations, which no single value shows.
    for pattern in product.sold_out.iter().filter(|pattern| pattern.0.iter().flatten().count() > 1)
    {
        page.push_str(phrase::OUT_OF);
        page.extend(product.chosen_words(&pattern.0));
    }
    page
}

/// The current selection and the price of the cheapest variant in stock that has it.
pub(crate) fn chosen(product: &Product, selection: &[Option<usize>], yuan: u32) -> String {
    let mut page = phrase::CHOSEN.to_owned();
    page.extend(product.chosen_words(selection));
    page.push_str(price(yuan));
    page
}

/// Back on the result page; the rows are unchanged and not repeated.
pub(crate) fn listing() -> String {
    phrase::LISTING.to_owned()
}

/// An utterance of the shopper.
pub(crate) fn spoken(words: &str) -> String {
    [phrase::SHOPPER, words].concat()
}

/// The reason why an action was refused, and a remedy.
pub(crate) fn refused(refusal: Refusal) -> String {
    let [reason, remedy] = refusal.words();
    [phrase::REFUSED, reason, remedy].concat()
}

/// A purchase at this price.
pub(crate) fn bought(yuan: u32) -> String {
    [phrase::BOUGHT, price(yuan)].concat()
}

/// The end by declining.
pub(crate) fn declined() -> String {
    phrase::DECLINED.to_owned()
}

/// The last word of every observation: the remaining turns, or the end marker.
pub(crate) fn counter(remaining: u32) -> Word {
    match remaining.checked_sub(1) {
        None => phrase::EPISODE_END,
        Some(index) => REMAINING[(index as usize).min(REMAINING.len() - 1)],
    }
}

/// The word for a price. All prices of the shop are on the ladder.
pub(crate) fn price(yuan: u32) -> Word {
    let position = PRICES.partition_point(|step| step.0 < yuan);
    let word = PRICES[position.min(PRICES.len() - 1)].1;
    debug_assert_eq!(lexicon::class(word), Some(lexicon::Class::Price(yuan)));
    word
}
