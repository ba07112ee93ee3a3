//! What the agent reads. Nothing in here knows a goal.

use super::catalog::Product;
use std::fmt::Write as _;

/// Attributes that a row shows.
pub(super) const TAGS: usize = 2;

/// Rows of one page of results.
pub(super) struct Rows<I> {
    pub(super) products: I,
    /// From 1.
    pub(super) page: usize,
    pub(super) pages: usize,
    pub(super) found: usize,
}

/// A page of results: title, price of the cheapest variant in stock, shop, brand, and the first two attributes. Titles
/// are what merchants claim; what follows them is true.
pub(super) fn results<'a>(rows: Rows<impl Iterator<Item = Product<'a>>>) -> String {
    let Rows { products, page, pages, found } = rows;
    if found == 0 {
        return "结果 没有找到".to_owned();
    }
    let mut text = format!("结果 共{found}件 第{page}/{pages}页");
    for (number, product) in (1..).zip(products) {
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            text,
            "\n#{number} {} ¥{} {} {}",
            product.title(),
            Yuan(product.listed_price()),
            product.shop(),
            product.brand()
        );
        for (position, (_, value)) in product.attributes().take(TAGS).enumerate() {
            text.push(if position == 0 { ' ' } else { '/' });
            text.push_str(value);
        }
    }
    text
}

/// A product: everything but prices and stock of its variants.
pub(super) fn item(product: &Product<'_>) -> String {
    let mut text = format!(
        "商品 {}\n店铺 {}\n类目 {}\n品牌 {}\n参数",
        product.title(),
        product.shop(),
        product.category(),
        product.brand()
    );
    for (axis, value) in product.attributes() {
        let _ = write!(text, " {axis}:{value}");
    }
    text.push_str("\n规格");
    for (axis, values) in product.options() {
        let _ = write!(text, " {axis}:{}", values.join("/"));
    }
    let _ = write!(text, "\n价格 ¥{}起", Yuan(product.listed_price()));
    text
}

/// For every option value the cheapest price at which it can be had.
pub(super) fn details(product: &Product<'_>) -> String {
    let mut text = "详情".to_owned();
    for (position, (axis, values)) in product.options().enumerate() {
        let _ = write!(text, "\n{axis}");
        for (choice, value) in values.into_iter().enumerate() {
            let mut selection = product.open_selection();
            selection[position] = Some(choice);
            let _ = match product.offer(&selection) {
                Some(fen) => write!(text, " {value}:¥{}起", Yuan(fen)),
                None => write!(text, " {value}:售罄"),
            };
        }
    }
    text
}

/// Everything chosen so far and the price of the cheapest variant in stock that has it.
pub(super) fn chosen<'a>(chosen: impl Iterator<Item = (&'a str, &'a str)>, fen: u32) -> String {
    let mut text = "已选".to_owned();
    for (axis, value) in chosen {
        let _ = write!(text, " {axis}:{value}");
    }
    let _ = write!(text, "\n价格 ¥{}", Yuan(fen));
    text
}

pub(super) fn bought(fen: u32) -> String {
    format!("成交 ¥{}", Yuan(fen))
}

/// The last line of every observation.
pub(super) fn counter(remaining: u32) -> String {
    if remaining == 0 { "\n结束".to_owned() } else { format!("\n剩余{remaining}轮") }
}

/// Fen as yuan, without zeros that say nothing.
pub(super) struct Yuan(pub(super) u32);

impl std::fmt::Display for Yuan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (yuan, fen) = (self.0 / 100, self.0 % 100);
        if fen == 0 {
            write!(formatter, "{yuan}")
        } else if fen % 10 == 0 {
            write!(formatter, "{yuan}.{}", fen / 10)
        } else {
            write!(formatter, "{yuan}.{fen:02}")
        }
    }
}
