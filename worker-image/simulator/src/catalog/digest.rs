//! The catalog's identity.

use super::{Preset, Product};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Raised whenever the meaning of the same fields changes.
const FORMAT: &str = "shoprl catalog 1";

/// SHA-256 over a canonical text: one line per product, fields separated by tabs, lists by commas.
pub(super) fn digest(preset: Preset, products: &[Product], held_out: &[bool]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("{FORMAT}\n{}\n", preset.name()));
    for product in products {
        hasher.update(line(product, held_out[product.family as usize]));
    }
    hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn line(product: &Product, held_out: bool) -> String {
    // Destructured without `..`: a new field must enter the digest, or say why not.
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
