//! The shop as one visitor sees it: results, a page of them, an open product, a selection.
//!
//! The state depends on the actions alone. It holds no goal, so its output cannot depend on one.

use crate::catalog::{Product, Selection};
use crate::page;
use crate::refusal::Refusal;
use crate::search::Query;
use crate::shop::{ROWS_PER_PAGE, Shop};

/// The state of one visitor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Storefront {
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
pub(crate) struct Visit {
    pub(crate) product: u32,
    pub(crate) selection: Selection,
}

impl Listing {
    fn rows(&self) -> &[u32] {
        let start = (self.page * ROWS_PER_PAGE).min(self.products.len());
        let end = (start + ROWS_PER_PAGE).min(self.products.len());
        &self.products[start..end]
    }

    fn is_last(&self) -> bool {
        (self.page + 1) * ROWS_PER_PAGE >= self.products.len()
    }

    fn show(&self, shop: &Shop) -> String {
        let products = self.rows().iter().map(|&id| shop.catalog().product(id));
        page::results(products, self.is_last())
    }
}

impl Storefront {
    /// 搜索
    pub(crate) fn search(&mut self, shop: &Shop, query: &Query) -> String {
        let listing = Listing { products: shop.search(query), page: 0 };
        self.visit = None;
        self.listing.insert(listing).show(shop)
    }

    /// 翻页; also from an open product.
    pub(crate) fn next_page(&mut self, shop: &Shop) -> Result<String, Refusal> {
        let listing = self.listing.as_mut().ok_or(Refusal::NothingListed)?;
        if listing.is_last() {
            return Err(Refusal::NoNextPage);
        }
        listing.page += 1;
        self.visit = None;
        Ok(listing.show(shop))
    }

    /// 打开#k, from 1; also from an open product.
    pub(crate) fn open(&mut self, shop: &Shop, number: usize) -> Result<String, Refusal> {
        let listing = self.listing.as_ref().ok_or(Refusal::NothingListed)?;
        let row = number.checked_sub(1).ok_or(Refusal::NoSuchRow)?;
        let id = *listing.rows().get(row).ok_or(Refusal::NoSuchRow)?;
        let product = shop.catalog().product(id);
        self.visit = Some(Visit { product: id, selection: product.open_selection() });
        Ok(page::item(product))
    }

    /// 返回
    pub(crate) fn back(&mut self) -> Result<String, Refusal> {
        self.listing.as_ref().ok_or(Refusal::NothingListed)?;
        self.visit = None;
        Ok(page::listing())
    }

    /// 详情
    pub(crate) fn details(&self, shop: &Shop) -> Result<String, Refusal> {
        let visit = self.visit.as_ref().ok_or(Refusal::NoItem)?;
        Ok(page::details(shop.catalog().product(visit.product)))
    }

    /// 选择; a second value of the same axis replaces the first.
    pub(crate) fn choose(&mut self, shop: &Shop, value: &str) -> Result<String, Refusal> {
        let visit = self.visit.as_mut().ok_or(Refusal::NoItem)?;
        let product = shop.catalog().product(visit.product);
        let (axis, position) = product.find_option(value).ok_or(Refusal::NoSuchOption)?;
        let replaced = visit.selection[axis].replace(position);
        let Some(yuan) = product.offer(&visit.selection) else {
            visit.selection[axis] = replaced;
            return Err(Refusal::SoldOut);
        };
        Ok(page::chosen(product, &visit.selection, yuan))
    }

    /// The open product.
    pub(crate) fn visit(&self) -> Option<&Visit> {
        self.visit.as_ref()
    }

    /// The products of the current result page; empty before the first search.
    pub(crate) fn rows(&self) -> &[u32] {
        self.listing.as_ref().map_or(&[], Listing::rows)
    }
}

impl Visit {
    /// Yuan of a purchase now: the cheapest variant in stock that completes the selection.
    pub(crate) fn price(&self, product: &Product) -> u32 {
        product.offer(&self.selection).unwrap_or_else(|| product.listed_price())
    }
}
