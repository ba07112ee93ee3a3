//! Writes imported products into columns.

use std::collections::{BTreeSet, HashMap};

use super::product::Imported;
use crate::mall::catalog::{Catalog, WordId, Words};
use crate::mall::layout::{Column, Columns, LayoutError, Origin};

/// The axis of imported attributes, which have none.
const ATTRIBUTE: &str = "属性";
/// Imported files have no stock counts: every listed variant is in stock.
const IN_STOCK: u32 = 1;
/// Maximum length of a search word in characters. Longer text is found by its characters.
const LONGEST_WORD: usize = 12;

/// Writes products into columns.
#[derive(Default)]
pub(super) struct ColumnWriter {
    columns: Columns,
    words: Words,
}

impl ColumnWriter {
    /// The catalog of `products`, with leaves in order of first occurrence. Each product is a family.
    pub(super) fn catalog(mut products: Vec<Imported>) -> Result<Catalog, LayoutError> {
        let mut leaves: HashMap<[String; 3], u32> = HashMap::new();
        let mut writer = Self::default();
        writer.search_words(&products);
        for product in &products {
            if !leaves.contains_key(&product.path) {
                leaves.insert(product.path.clone(), leaves.len() as u32);
                for node in &product.path {
                    writer.word(Column::Leaves, node);
                }
                writer.columns.push(Column::AliasEnds, 0);
            }
        }
        products.sort_by_key(|product| leaves[&product.path]);
        for (family, product) in (0u32..).zip(&products) {
            writer.product(leaves[&product.path], family, product);
        }
        let (layout, digest) = writer.columns.finish(Origin::Imported);
        Catalog::new(layout, digest)
    }

    /// Adds the search words: the text between punctuation marks, and each character beyond ASCII by itself. The segmenter
    /// keeps runs of ASCII letters and digits together.
    fn search_words(&mut self, products: &[Imported]) {
        let mut words = BTreeSet::new();
        for product in products {
            let values = product.axes.iter().flat_map(|axis| &axis.values).map(|(value, _)| value);
            let texts = product.attributes.iter().chain(values).chain(&product.path);
            let names = [&product.brand, &product.shop];
            for text in texts.chain(names).chain([&product.title]) {
                let characters = text.chars().filter(|c| !c.is_ascii() && c.is_alphanumeric());
                words.extend(characters.map(String::from));
            }
            let texts = product.attributes.iter().chain(&product.path).chain([&product.brand]);
            for piece in texts.flat_map(|text| text.split(|c: char| !c.is_alphanumeric())) {
                if !piece.is_ascii() && piece.chars().count() <= LONGEST_WORD {
                    words.insert(piece.to_owned());
                }
            }
        }
        for word in &words {
            self.word(Column::SearchWords, word);
        }
    }

    fn word(&mut self, column: Column, word: &str) -> WordId {
        let id = self.words.id(&mut self.columns, word);
        self.columns.push(column, id);
        id
    }

    fn product(&mut self, leaf: u32, family: u32, product: &Imported) {
        self.columns.push(Column::Leaf, leaf);
        self.columns.push(Column::Family, family);
        self.columns.push(Column::HeldOut, u32::from(product.held_out == Some(true)));
        self.word(Column::Brand, &product.brand);
        self.word(Column::Shop, &product.shop);
        self.columns.extend_text(Column::TitleBytes, &product.title);
        self.columns.push(Column::TitleEnds, self.columns.bytes(Column::TitleBytes));
        for attribute in &product.attributes {
            self.word(Column::Facts, ATTRIBUTE);
            self.word(Column::Facts, attribute);
        }
        self.columns.push(Column::FactEnds, self.columns.count(Column::Facts) / 2);
        for axis in &product.axes {
            self.word(Column::AxisNames, &axis.name);
            for (value, _) in &axis.values {
                self.word(Column::Values, value);
            }
            self.columns.push(Column::ValueEnds, self.columns.count(Column::Values));
        }
        self.columns.push(Column::AxisEnds, self.columns.count(Column::AxisNames));
        for price in &product.prices {
            self.columns.push(Column::Prices, *price);
            self.columns.push(Column::Stocks, IN_STOCK);
        }
        self.columns.push(Column::VariantEnds, self.columns.count(Column::Prices));
        self.columns.push(Column::Listed, product.prices.iter().copied().min().unwrap_or_default());
    }
}
