//! Renders the pages that the agent reads. No function here gets a goal.

use std::fmt::Write as _;

use super::catalog::Product;

/// Attributes on a row.
pub(super) const TAGS: usize = 2;

/// The rows of one result page.
pub(super) struct Rows<I> {
    pub(super) products: I,
    /// Page number, from 1.
    pub(super) page: usize,
    pub(super) pages: usize,
    pub(super) found: usize,
}

/// A result page: title, price of the cheapest variant in stock, shop, brand, and the first two attributes. Titles are the
/// merchants' claims; the other columns are true.
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

/// A product: everything except prices and stock of its variants.
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

/// The lowest price of each option value, or that it is sold out.
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

/// The current selection and the price of the cheapest variant in stock that has it.
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

/// The last line of each observation.
pub(super) fn counter(remaining: u32) -> String {
    if remaining == 0 { "\n结束".to_owned() } else { format!("\n剩余{remaining}轮") }
}

/// Formats fen as yuan, without trailing zeros.
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
