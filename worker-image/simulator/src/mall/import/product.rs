//! Reads one product from its record.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::records::Read;
use super::{Format, Reason};

const LONGEST_TITLE: usize = 500;
const MOST_ATTRIBUTES: usize = 64;
const MOST_AXES: usize = 8;
const MOST_VARIANTS: usize = 2_000;
/// In yuan, or the currency of the file.
const DEAREST: f64 = 1e7;

/// Counts the dropped parts of kept products, by kind. The kinds are keys of the JSON report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notes(pub(super) BTreeMap<&'static str, usize>);

impl Notes {
    fn add(&mut self, part: &'static str) {
        *self.0.entry(part).or_default() += 1;
    }
}

/// A product of a file. Its texts are in lower case, as both environments show them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Imported {
    pub(super) id: String,
    pub(super) title: String,
    /// Domain, category, leaf.
    pub(super) path: [String; 3],
    pub(super) shop: String,
    pub(super) brand: String,
    pub(super) attributes: Vec<String>,
    pub(super) axes: Vec<Axis>,
    /// Fen of each combination of options; the last axis varies fastest.
    pub(super) prices: Vec<u32>,
    /// `None` if the record has no split.
    pub(super) held_out: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) name: String,
    /// Values, with fen if a value has its own price.
    pub(super) values: Vec<(String, Option<u32>)>,
}

impl Imported {
    /// Whether a goal can be drawn from it.
    pub(super) fn can_be_wanted(&self) -> bool {
        !self.attributes.is_empty() && !self.axes.is_empty()
    }

    /// Upper bound of its bytes in any column.
    pub(super) fn size(&self) -> usize {
        let values = self.axes.iter().flat_map(|axis| &axis.values).map(|(value, _)| value.len());
        let attributes = self.attributes.iter().map(|it| it.len() + 8);
        let texts = self.title.len() + self.shop.len() + self.brand.len();
        texts + attributes.sum::<usize>() + values.sum::<usize>() + 4 * self.prices.len() + 64
    }
}

/// Names of fields. All others are ignored: images, reviews, instructions, personas.
struct Fields {
    title: &'static str,
    category: &'static str,
    domain: &'static str,
    attributes: &'static str,
}

impl Format {
    const fn fields(self) -> Fields {
        match self {
            Self::ShopSimulator => Fields {
                title: "title",
                category: "category",
                domain: "domain_zh",
                attributes: "attribute",
            },
            Self::WebShop => Fields {
                title: "name",
                category: "product_category",
                domain: "category",
                attributes: "attributes",
            },
        }
    }
}

/// Reads one record.
pub(super) fn read(format: Format, record: &Value, notes: &mut Notes) -> Read<Imported> {
    let record = record.as_object().ok_or((None, Reason::NotAnObject))?;
    let id = text(record, "asin").ok_or((None, Reason::NoId))?;
    product(format, record, id.clone(), notes).map_err(|reason| (Some(id), reason))
}

fn product(
    format: Format,
    record: &Map<String, Value>,
    id: String,
    notes: &mut Notes,
) -> Result<Imported, Reason> {
    let fields = format.fields();
    let title = text(record, fields.title).ok_or(Reason::NoTitle)?;
    if title.chars().count() > LONGEST_TITLE {
        return Err(Reason::LongTitle);
    }
    let category = text(record, fields.category).ok_or(Reason::NoCategory)?;
    let path = path(&category, text(record, fields.domain).as_deref()).ok_or(Reason::NoCategory)?;
    let attributes = attributes(record.get(fields.attributes), notes)?;
    let axes = axes(record.get("customization_options"), notes)?;
    let base = base_price(record.get("pricing"))?;
    let prices = prices(&axes, base)?;
    let shop = text(record, "shop_name").unwrap_or_else(|| "-".to_owned());
    let brand = text(record, "brand").unwrap_or_else(|| shop.clone());
    let held_out = match record.get("tag").and_then(Value::as_str) {
        Some("eval") => Some(true),
        Some("train") => Some(false),
        _ => None,
    };
    Ok(Imported { id, title, path, shop, brand, attributes, axes, prices, held_out })
}

/// The text of a field as one line in lower case; `None` if it has none.
fn text(record: &Map<String, Value>, field: &str) -> Option<String> {
    line(record.get(field)?)
}

fn line(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(plain).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" ").to_lowercase())
}

/// Three levels of a path `a›b›c`: the first node, the nodes between, the last; shorter paths repeat nodes from above.
fn path(category: &str, domain: Option<&str>) -> Option<[String; 3]> {
    let nodes = category.split('›').map(str::trim).filter(|node| !node.is_empty());
    let nodes: Vec<&str> = nodes.collect();
    let [first, between, last] = match nodes[..] {
        [] => return None,
        [only] => [domain.unwrap_or(only).to_owned(), only.to_owned(), only.to_owned()],
        [first, last] => match domain {
            Some(domain) => [domain.to_owned(), first.to_owned(), last.to_owned()],
            None => [first.to_owned(), first.to_owned(), last.to_owned()],
        },
        [first, ref between @ .., last] => [first.to_owned(), between.join("›"), last.to_owned()],
    };
    Some([first, between, last])
}

fn attributes(value: Option<&Value>, notes: &mut Notes) -> Result<Vec<String>, Reason> {
    let values = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) => values,
        Some(_) => return Err(Reason::WrongType),
    };
    let mut attributes: Vec<String> = Vec::new();
    for value in values {
        match line(value) {
            None => notes.add("attribute that is no text"),
            Some(text) if attributes.contains(&text) => notes.add("attribute that occurs twice"),
            Some(text) => attributes.push(text),
        }
    }
    if attributes.len() > MOST_ATTRIBUTES { Err(Reason::TooMuch) } else { Ok(attributes) }
}

/// Reads a table of axes, each a list of texts or of objects with a `value` and an optional `price`.
fn axes(value: Option<&Value>, notes: &mut Notes) -> Result<Vec<Axis>, Reason> {
    let table = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(table)) => table,
        Some(_) => return Err(Reason::WrongType),
    };
    // Sorted by name, because JSON readers disagree on the order of keys.
    let mut table: Vec<_> = table.iter().collect();
    table.sort_by_key(|(name, _)| *name);
    let mut axes: Vec<Axis> = Vec::new();
    for (name, values) in table {
        let Some(values) = values.as_array() else {
            if values.is_null() {
                continue;
            }
            return Err(Reason::WrongType);
        };
        let Some(name) = line(&Value::String(name.clone())) else {
            notes.add("axis of options without a name");
            continue;
        };
        let mut axis = Axis { name, values: Vec::new() };
        for entry in values {
            let value = entry.get("value").unwrap_or(entry);
            let Some(value) = line(value).map(|value| value.replace('/', " | ")) else {
                notes.add("option value that is no text");
                continue;
            };
            // Agents choose by the value alone, so values must be unique over all axes.
            let all = axes.iter().chain([&axis]).flat_map(|axis| &axis.values);
            if all.into_iter().any(|(known, _)| *known == value) {
                notes.add("option value that occurs twice");
                continue;
            }
            let price = entry.get("price").filter(|price| !price.is_null()).map(fen);
            axis.values.push((value, price.transpose()?));
        }
        if axis.values.is_empty() {
            notes.add("axis of options without values");
        } else if axes.iter().any(|it| it.name == axis.name) {
            notes.add("axis of options that occurs twice");
        } else {
            axes.push(axis);
        }
    }
    if axes.len() > MOST_AXES { Err(Reason::TooMuch) } else { Ok(axes) }
}

/// The lowest of the product's own prices; `None` if it has none.
fn base_price(value: Option<&Value>) -> Result<Option<u32>, Reason> {
    let prices = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(prices)) => {
            prices.iter().map(fen).collect::<Result<Vec<u32>, Reason>>()?
        }
        // $10 to $20
        Some(Value::String(text)) if text.trim_start().starts_with('-') => {
            return Err(Reason::ImpossiblePrice);
        }
        Some(Value::String(text)) if !text.trim().is_empty() => {
            let parts = text.split(|c: char| !(c.is_ascii_digit() || ".,".contains(c)));
            let parts = parts.filter(|part| part.contains(|c: char| c.is_ascii_digit()));
            let parts = parts.map(|part| fen(&Value::String(part.to_owned())));
            let prices = parts.collect::<Result<Vec<u32>, Reason>>()?;
            if prices.is_empty() {
                return Err(Reason::ImpossiblePrice);
            }
            prices
        }
        Some(Value::String(_)) => return Ok(None),
        Some(price) => vec![fen(price)?],
    };
    Ok(prices.into_iter().min())
}

/// Reads a price in hundredths.
fn fen(value: &Value) -> Result<u32, Reason> {
    let price = match value {
        Value::String(text) => {
            let text = text.trim().trim_start_matches(['$', '¥', '￥']).replace(',', "");
            text.parse().ok()
        }
        other => other.as_f64(),
    };
    let price: f64 = price.ok_or(Reason::ImpossiblePrice)?;
    let fen = (100.0 * price).round();
    // At most 10^9, so the conversion cannot overflow.
    if fen >= 1.0 && price <= DEAREST { Ok(fen as u32) } else { Err(Reason::ImpossiblePrice) }
}

/// Fen of each combination: the highest price of its values, or the product's own price if no value has one. Both
/// environments show the price of the last clicked value, which is not a property of a combination.
fn prices(axes: &[Axis], base: Option<u32>) -> Result<Vec<u32>, Reason> {
    let mut prices: Vec<Option<u32>> = vec![None];
    for axis in axes {
        if prices.len().saturating_mul(axis.values.len()) > MOST_VARIANTS {
            return Err(Reason::TooMuch);
        }
        let with = |price: Option<u32>| axis.values.iter().map(move |(_, own)| price.max(*own));
        prices = prices.into_iter().flat_map(with).collect();
    }
    prices.into_iter().map(|price| price.or(base).ok_or(Reason::NoPrice)).collect()
}
