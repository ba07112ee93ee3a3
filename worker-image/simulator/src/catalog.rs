//! The catalog: families of near-identical products, generated from a seed.

mod digest;
mod generation;
mod option;
mod price;
mod product;
mod sold_out;

pub(crate) use price::step_above;
pub(crate) use product::{CategoryPath, Product, Selection};

use serde::{Deserialize, Serialize};

/// A size of catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Preset {
    /// 2,400 products in 8 domains and 32 leaf categories.
    Mini,
}

impl Preset {
    /// The name used in a manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mini => "mini",
        }
    }

    const fn products_per_category(self) -> usize {
        match self {
            Self::Mini => 75,
        }
    }
}

/// All products of a shop, ordered by id.
#[derive(Clone, Debug)]
pub struct Catalog {
    products: Vec<Product>,
    /// Per family: whether its products are targets of held-out tasks. Such a family is never used for training.
    held_out: Vec<bool>,
    digest: String,
}

impl Catalog {
    /// Generates the catalog of `preset`; a function of both arguments alone.
    #[must_use]
    pub fn generate(preset: Preset, seed: u64) -> Self {
        let (products, held_out) = generation::generate(preset.products_per_category(), seed);
        let digest = digest::digest(preset, &products, &held_out);
        Self { products, held_out, digest }
    }

    /// SHA-256 in hexadecimal over the canonical form of every product and of the split by families.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The number of products.
    #[must_use]
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Whether there is no product; never true for a generated catalog.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// The number of families.
    #[must_use]
    pub fn families(&self) -> usize {
        self.held_out.len()
    }

    /// The number of leaf categories.
    #[must_use]
    pub fn categories(&self) -> usize {
        let mut leaves: Vec<_> = self.products.iter().map(|product| product.category).collect();
        leaves.dedup();
        leaves.len()
    }

    pub(crate) fn products(&self) -> &[Product] {
        &self.products
    }

    pub(crate) fn product(&self, id: u32) -> &Product {
        &self.products[id as usize]
    }

    /// The first 64 bits of the digest, which key random streams.
    pub(crate) fn fingerprint(&self) -> u64 {
        u64::from_str_radix(&self.digest[..16], 16)
            .expect("a digest is 64 hexadecimal digits by construction")
    }

    pub(crate) fn is_held_out(&self, family: u32) -> bool {
        self.held_out[family as usize]
    }
}

#[cfg(test)]
mod tests;
