//! The digest of a catalog.

use sha2::{Digest, Sha256};

use super::{Preset, Product};

/// Incremented whenever the meaning of a field changes.
const FORMAT: &str = "shoprl catalog 1";

/// SHA-256 over a canonical text: one line per product, fields separated by tabs, lists by commas.
pub(super) fn digest(preset: Preset, products: &[Product], held_out: &[bool]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("{FORMAT}\n{}\n", preset.name()));
    for product in products {
        hasher.update(line(product, held_out[product.family as usize]));
    }
    base16ct::lower::encode_string(&hasher.finalize())
}

fn line(product: &Product, held_out: bool) -> String {
    // Destructured without `..`, so that a new field must be added to the digest or excluded explicitly.
    let Product {
        family,
        category,
        brand,
        attributes,
        title,
        flourish,
        stray,
        options,
        base,
        sold_out,
        popularity,
    } = product;
    let axes: Vec<String> = options
        .iter()
        .map(|axis| {
            let values = axis.values.iter();
            let values: Vec<String> =
                values.map(|value| format!("{}+{}", value.word, value.surcharge)).collect();
            format!("{}={}", axis.name, values.join(","))
        })
        .collect();
    let stock: Vec<String> = sold_out
        .iter()
        .map(|pattern| {
            let values = pattern.0.iter();
            let values: Vec<String> = values
                .map(|value| value.map_or_else(|| "*".to_owned(), |value| value.to_string()))
                .collect();
            values.join("/")
        })
        .collect();
    format!(
        "{family}\t{held_out}\t{}›{}\t{brand}\t{}\t{}\t{flourish}\t{stray}\t{}\t{base}\t{}\t{popularity}\n",
        category.domain,
        category.leaf,
        attributes.join(","),
        title.join(","),
        axes.join(";"),
        stock.join(","),
    )
}
