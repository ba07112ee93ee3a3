//! Checks that stored columns are consistent, so that reading them cannot panic.

use super::layout::Column::{self, *};
use super::layout::{Layout, LayoutError};

/// Checks everything that views rely on.
pub(super) fn check(layout: &Layout) -> Result<(), LayoutError> {
    let products = layout.count(Leaf);
    let leaves = layout.count(Leaves) / 3;
    lists(layout, WordEnds, layout.count(WordEnds), layout.column(WordBytes).len())?;
    texts(layout, WordEnds, WordBytes)?;
    let words = layout.count(WordEnds);
    for column in [SearchWords, Leaves, Aliases, Brand, Shop, Facts, AxisNames, Values] {
        below(layout, column, words)?;
    }
    that(layout.column(Leaves).len() == 12 * leaves, Leaves)?;
    lists(layout, AliasEnds, leaves, layout.count(Aliases))?;
    below(layout, Leaf, leaves)?;
    let leaf = layout.numbers(Leaf, 0..products);
    that(leaf.is_sorted(), Leaf)?;
    below(layout, Family, layout.count(HeldOut))?;
    for column in [Family, Brand, Shop, Listed] {
        that(layout.count(column) == products, column)?;
    }
    lists(layout, TitleEnds, products, layout.column(TitleBytes).len())?;
    texts(layout, TitleEnds, TitleBytes)?;
    that(layout.column(Facts).len().is_multiple_of(8), Facts)?;
    lists(layout, FactEnds, products, layout.count(Facts) / 2)?;
    lists(layout, AxisEnds, products, layout.count(AxisNames))?;
    lists(layout, ValueEnds, layout.count(AxisNames), layout.count(Values))?;
    lists(layout, VariantEnds, products, layout.count(Prices))?;
    that(layout.count(Stocks) == layout.count(Prices), Stocks)?;
    (0..products).try_for_each(|product| variants(layout, product))
}

fn that(holds: bool, column: Column) -> Result<(), LayoutError> {
    if holds { Ok(()) } else { Err(LayoutError::Column(column)) }
}

/// Checks `count` lists whose ends rise to `total`.
fn lists(layout: &Layout, ends: Column, count: usize, total: usize) -> Result<(), LayoutError> {
    let numbers = || layout.numbers(ends, 0..layout.count(ends));
    that(layout.column(ends).len() == 4 * count, ends)?;
    that(numbers().is_sorted(), ends)?;
    that(numbers().last().unwrap_or(0) as usize == total, ends)
}

/// Checks that each text is valid UTF-8 by itself.
fn texts(layout: &Layout, ends: Column, bytes: Column) -> Result<(), LayoutError> {
    let text = |index| &layout.column(bytes)[layout.range(ends, index)];
    let fine = (0..layout.count(ends)).all(|index| std::str::from_utf8(text(index)).is_ok());
    that(fine, bytes)
}

fn below(layout: &Layout, column: Column, limit: usize) -> Result<(), LayoutError> {
    that(layout.column(column).len().is_multiple_of(4), column)?;
    let mut numbers = layout.numbers(column, 0..layout.count(column));
    that(numbers.all(|number| (number as usize) < limit), column)
}

/// Checks that there is one variant per combination of options, and that the listed price is the cheapest in stock.
fn variants(layout: &Layout, product: usize) -> Result<(), LayoutError> {
    let axes = layout.range(AxisEnds, product);
    let count =
        axes.map(|axis| layout.range(ValueEnds, axis).len()).try_fold(1usize, usize::checked_mul);
    let range = layout.range(VariantEnds, product);
    that(count == Some(range.len()), VariantEnds)?;
    let variants = layout.numbers(Prices, range.clone()).zip(layout.numbers(Stocks, range));
    let cheapest = variants.filter(|(_, stock)| *stock > 0).map(|(price, _)| price).min();
    that(cheapest == Some(layout.number(Listed, product)), Listed)
}
