//! Prints catalogs as text and as JSON lines.

use std::io::{self, Write};

use serde_json::{Value, json};
use shoprl_simulator::mall::{Catalog, Product};

/// Counts, averages and digest of a catalog.
pub(super) fn summary(out: &mut dyn Write, catalog: &Catalog) -> io::Result<()> {
    let products = catalog.len().max(1) as f64;
    let mean = |count: &dyn Fn(&Product<'_>) -> usize| {
        catalog.products().map(|product| count(&product)).sum::<usize>() as f64 / products
    };
    let mut prices: Vec<u32> = catalog.products().map(|product| product.listed_price()).collect();
    prices.sort_unstable();
    let price = |share: usize| yuan(prices.get(prices.len() * share / 100).copied().unwrap_or(0));
    let attributes = mean(&|product| product.attributes().len());
    let values = mean(&|product| product.options().map(|(_, values)| values.len()).sum());
    let variants = mean(&|product| product.variants().len());
    writeln!(
        out,
        "{} products, {} families, {} leaf categories",
        catalog.len(),
        catalog.families(),
        catalog.leaves()
    )?;
    writeln!(
        out,
        "per product: {attributes:.2} attributes, {values:.2} option values, {variants:.2} variants"
    )?;
    writeln!(out, "prices: median {}, 90th percentile {}", price(50), price(90))?;
    writeln!(out, "rewards compare facts with the {} matcher", catalog.matcher().name())?;
    writeln!(out, "sha256 {}", catalog.digest())
}

/// One product.
pub(super) fn product(out: &mut dyn Write, product: &Product<'_>) -> io::Result<()> {
    writeln!(out, "{}  from {}", product.title(), yuan(product.listed_price()))?;
    writeln!(out, "{} | {} | {}", product.category(), product.brand(), product.shop())?;
    for (axis, value) in product.attributes() {
        writeln!(out, "  {axis}: {value}")?;
    }
    for (axis, values) in product.options() {
        writeln!(out, "  {axis}: {}", values.join(" / "))?;
    }
    for (words, (price, stock)) in variants(product).into_iter().zip(product.variants()) {
        writeln!(out, "    {}: {}, {stock} in stock", words.join(" "), yuan(price))?;
    }
    Ok(())
}

/// Search results, best first.
pub(super) fn results(out: &mut dyn Write, catalog: &Catalog, found: &[u32]) -> io::Result<()> {
    for product in found.iter().filter_map(|id| catalog.product(*id)) {
        let (title, shop) = (product.title(), product.shop());
        writeln!(out, "{:>6}  {}  {title}  ({shop})", product.id(), yuan(product.listed_price()))?;
    }
    if found.is_empty() { writeln!(out, "nothing found") } else { Ok(()) }
}

/// All products as lines of JSON.
pub(super) fn lines(out: &mut dyn Write, catalog: &Catalog) -> io::Result<()> {
    catalog.products().try_for_each(|product| writeln!(out, "{}", as_json(&product)))
}

fn as_json(product: &Product<'_>) -> Value {
    let attributes: Vec<Value> =
        product.attributes().map(|(axis, value)| json!({"axis": axis, "value": value})).collect();
    let options: Vec<Value> =
        product.options().map(|(axis, values)| json!({"axis": axis, "values": values})).collect();
    let variants: Vec<Value> = variants(product)
        .into_iter()
        .zip(product.variants())
        .map(|(chosen, (fen, stock))| json!({"chosen": chosen, "fen": fen, "stock": stock}))
        .collect();
    json!({
        "id": product.id(),
        "category": product.category(),
        "aliases": product.aliases().collect::<Vec<_>>(),
        "title": product.title(),
        "brand": product.brand(),
        "shop": product.shop(),
        "fen": product.listed_price(),
        "attributes": attributes,
        "options": options,
        "variants": variants,
    })
}

/// The values of every variant, in the order of [`Product::variants`].
fn variants<'a>(product: &Product<'a>) -> Vec<Vec<&'a str>> {
    product.options().fold(vec![Vec::new()], |variants, (_, values)| {
        let with = |variant: Vec<&'a str>| {
            values
                .iter()
                .map(move |value| [variant.as_slice(), &[*value]].concat())
                .collect::<Vec<_>>()
        };
        variants.into_iter().flat_map(with).collect()
    })
}

fn yuan(fen: u32) -> String {
    format!("¥{}.{:02}", fen / 100, fen % 100)
}
