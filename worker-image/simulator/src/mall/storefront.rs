//! The shop as one visitor sees it. The state depends on the actions alone and holds no goal.

use super::Mall;
use super::catalog::Selection;
use super::page::{self, Rows};
use super::query::Query;
use super::refusal::Refusal;

/// Rows on a result page, and reachable pages.
pub(super) const ROWS: usize = 20;
pub(super) const PAGES: usize = 5;

/// The state of one visitor.
#[derive(Clone, Debug, Default)]
pub(super) struct Storefront {
    listing: Option<Listing>,
    visit: Option<Visit>,
}

#[derive(Clone, Debug)]
struct Listing {
    products: Vec<u32>,
    page: usize,
}

/// An open product and the current selection.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) product: u32,
    pub(super) selection: Selection,
}

impl Listing {
    fn rows(&self) -> &[u32] {
        let start = (self.page * ROWS).min(self.products.len());
        let end = (start + ROWS).min(self.products.len());
        &self.products[start..end]
    }

    fn is_last(&self) -> bool {
        (self.page + 1) * ROWS >= self.products.len()
    }

    fn show(&self, mall: &Mall) -> String {
        page::results(Rows {
            products: self.rows().iter().map(|&id| mall.catalog.at(id)),
            page: self.page + 1,
            pages: self.products.len().div_ceil(ROWS),
            found: self.products.len(),
        })
    }
}

impl Storefront {
    pub(super) fn search(&mut self, mall: &Mall, query: &Query) -> String {
        self.visit = None;
        self.listing.insert(Listing { products: mall.listing(query), page: 0 }).show(mall)
    }

    /// Also possible from an open product.
    pub(super) fn next_page(&mut self, mall: &Mall) -> Result<String, Refusal> {
        let listing = self.listing.as_mut().ok_or(Refusal::NothingListed)?;
        if listing.is_last() {
            return Err(Refusal::NoNextPage);
        }
        listing.page += 1;
        self.visit = None;
        Ok(listing.show(mall))
    }

    /// Opens row `number`, from 1; also possible from an open product.
    pub(super) fn open(&mut self, mall: &Mall, number: usize) -> Result<String, Refusal> {
        let listing = self.listing.as_ref().ok_or(Refusal::NothingListed)?;
        let row = number.checked_sub(1).ok_or(Refusal::NoSuchRow)?;
        let id = *listing.rows().get(row).ok_or(Refusal::NoSuchRow)?;
        let product = mall.catalog.at(id);
        self.visit = Some(Visit { product: id, selection: product.open_selection() });
        Ok(page::item(&product))
    }

    /// Shows the rows again.
    pub(super) fn back(&mut self, mall: &Mall) -> Result<String, Refusal> {
        let listing = self.listing.as_ref().ok_or(Refusal::NothingListed)?;
        self.visit = None;
        Ok(listing.show(mall))
    }

    pub(super) fn details(&self, mall: &Mall) -> Result<String, Refusal> {
        let visit = self.visit.as_ref().ok_or(Refusal::NoItem)?;
        Ok(page::details(&mall.catalog.at(visit.product)))
    }

    /// Chooses a value; it replaces another value of the same axis.
    pub(super) fn choose(&mut self, mall: &Mall, value: &str) -> Result<String, Refusal> {
        let visit = self.visit.as_mut().ok_or(Refusal::NoItem)?;
        let product = mall.catalog.at(visit.product);
        let (axis, position) = product.find_option(value).ok_or(Refusal::NoSuchOption)?;
        let replaced = visit.selection[axis].replace(position);
        let Some(fen) = product.offer(&visit.selection) else {
            visit.selection[axis] = replaced;
            return Err(Refusal::SoldOut);
        };
        let chosen = product.chosen(&visit.selection).into_iter();
        let words = chosen.map(|it| (mall.catalog.word(it.axis), mall.catalog.word(it.value)));
        Ok(page::chosen(words, fen))
    }

    pub(super) fn visit(&self) -> Option<&Visit> {
        self.visit.as_ref()
    }

    /// The products of the current, or last shown, result page.
    pub(super) fn rows(&self) -> &[u32] {
        self.listing.as_ref().map_or(&[], Listing::rows)
    }

    /// The number of that page, from 0; `None` before the first search.
    pub(super) fn page(&self) -> Option<usize> {
        self.listing.as_ref().map(|listing| listing.page)
    }
}

impl Visit {
    /// Fen of a purchase now: the cheapest variant in stock that completes the selection.
    pub(super) fn price(&self, mall: &Mall) -> u32 {
        let product = mall.catalog.at(self.product);
        product.offer(&self.selection).unwrap_or_else(|| product.listed_price())
    }
}
