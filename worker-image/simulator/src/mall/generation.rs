//! Generates catalogs from the vocabulary: families of near-identical products whose members differ in one to three facts.

mod family;
mod item;
mod price;
mod title;

use shoprl_rl::seed::{Purpose, Stream};

use super::Preset;
use super::catalog::{Catalog, WordId, Words};
use super::layout::{Column, Columns, Origin};
use super::vocabulary::{Category, Leaf, Vocabulary, vocabulary};
use crate::draw;
use family::Family;
use item::Item;

/// Use of a stream with purpose `Catalog` (its second coordinate; the first one separates large shops from `mini`).
#[derive(Clone, Copy)]
enum Part {
    Names,
    Family,
    Split,
}

const LARGE: u64 = 1 << 32;
/// Share of the families of each leaf that are held out as targets.
const HELD_OUT: f64 = 0.2;

/// The sizes that differ between presets.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) products_per_leaf: usize,
    /// Brands and shops per category. There cannot be more brands than pairs of syllables.
    pub(super) brands: usize,
    pub(super) shops: usize,
}

fn stream(seed: u64, part: Part, index: usize) -> Stream {
    Stream::new(seed, Purpose::Catalog, &[LARGE, part as u64, index as u64])
}

/// Names shared by the products of one category.
struct Names {
    brands: Vec<String>,
    shops: Vec<String>,
}

impl Names {
    fn draw(
        seed: u64,
        index: usize,
        scale: Scale,
        category: &Category,
        words: &Vocabulary,
    ) -> Self {
        let mut stream = stream(seed, Part::Names, index);
        let invent = |stream: &mut Stream| {
            [draw::pick(stream, &words.heads), draw::pick(stream, &words.tails)].concat()
        };
        let mut brands: Vec<String> = Vec::with_capacity(scale.brands);
        while brands.len() < scale.brands {
            let brand = invent(&mut stream);
            if !brands.contains(&brand) {
                brands.push(brand);
            }
        }
        let shops = (0..scale.shops).map(|_| {
            let name = invent(&mut stream);
            [name.as_str(), category.name, draw::pick(&mut stream, &words.shops[1..])].concat()
        });
        let shops = shops.collect();
        Self { brands, shops }
    }
}

/// All products of `preset` in memory; a function of both arguments alone.
pub(super) fn generate(preset: Preset, seed: u64) -> Catalog {
    let (layout, digest) = columns(preset, seed).finish(Origin::Generated);
    Catalog::new(layout, digest).expect("generated columns are consistent: a test reads them back")
}

/// All products of `preset` as columns to write; a function of both arguments alone.
pub(super) fn columns(preset: Preset, seed: u64) -> Columns {
    let (vocabulary, scale) = (vocabulary(), preset.scale());
    let mut writer = ColumnWriter::new(vocabulary);
    let mut family = 0;
    let names: Vec<Names> = (0..)
        .zip(&vocabulary.categories)
        .map(|(index, category)| Names::draw(seed, index, scale, category, vocabulary))
        .collect();
    for (number, leaf) in (0u32..).zip(&vocabulary.leaves) {
        let names = &names[leaf.category];
        writer.leaf(leaf, &vocabulary.categories[leaf.category]);
        let (first_family, mut missing) = (family, scale.products_per_leaf);
        while missing > 0 {
            let stream = stream(seed, Part::Family, family);
            let items = Family::new(stream, leaf, names, vocabulary).items(missing);
            missing -= items.len();
            items.iter().for_each(|item| writer.product(number, family as u32, item));
            family += 1;
        }
        let held_out = hold_out(seed, first_family, family - first_family);
        held_out.into_iter().for_each(|it| writer.columns.push(Column::HeldOut, u32::from(it)));
    }
    writer.columns
}

/// Marks a random fifth of a leaf's families.
fn hold_out(seed: u64, first: usize, count: usize) -> Vec<bool> {
    let chosen = ((count as f64 * HELD_OUT + 0.5) as usize).max(1);
    let mut held_out = vec![false; count];
    for family in stream(seed, Part::Split, first).sample_indices(count, chosen) {
        held_out[family] = true;
    }
    held_out
}

/// Writes products into columns.
struct ColumnWriter {
    columns: Columns,
    words: Words,
    /// Per word: whether it is already a search word.
    searched: Vec<bool>,
}

impl ColumnWriter {
    fn new(vocabulary: &Vocabulary) -> Self {
        let mut writer =
            Self { columns: Columns::default(), words: Words::default(), searched: Vec::new() };
        for word in &vocabulary.flourishes {
            writer.searched(word);
        }
        writer
    }

    /// The number of a word, which becomes a search word.
    fn searched(&mut self, word: &str) -> WordId {
        let id = self.words.id(&mut self.columns, word);
        let index = id as usize;
        if self.searched.len() <= index {
            self.searched.resize(index + 1, false);
        }
        if !std::mem::replace(&mut self.searched[index], true) {
            self.columns.push(Column::SearchWords, id);
        }
        id
    }

    fn leaf(&mut self, leaf: &Leaf, category: &Category) {
        for word in [category.domain, category.name, leaf.name] {
            let word = self.searched(word);
            self.columns.push(Column::Leaves, word);
        }
        for word in &category.scenes {
            self.searched(word);
        }
        for alias in &leaf.aliases {
            let alias = self.searched(alias);
            self.columns.push(Column::Aliases, alias);
        }
        self.columns.push(Column::AliasEnds, self.columns.count(Column::Aliases));
    }

    fn product(&mut self, leaf: u32, family: u32, item: &Item<'_>) {
        let brand = self.searched(&item.brand);
        let shop = self.words.id(&mut self.columns, &item.shop);
        for (column, number) in [
            (Column::Leaf, leaf),
            (Column::Family, family),
            (Column::Brand, brand),
            (Column::Shop, shop),
        ] {
            self.columns.push(column, number);
        }
        self.columns.extend_text(Column::TitleBytes, &item.title);
        self.columns.push(Column::TitleEnds, self.columns.bytes(Column::TitleBytes));
        for (axis, value) in item.facts() {
            // Names of axes are not search words: every product has a material.
            let axis = self.words.id(&mut self.columns, axis);
            let value = self.searched(value);
            self.columns.push(Column::Facts, axis);
            self.columns.push(Column::Facts, value);
        }
        self.columns.push(Column::FactEnds, self.columns.count(Column::Facts) / 2);
        self.options(item);
    }

    fn options(&mut self, item: &Item<'_>) {
        for (name, values) in item.options() {
            let name = self.words.id(&mut self.columns, name);
            self.columns.push(Column::AxisNames, name);
            for value in values {
                let value = self.searched(value);
                self.columns.push(Column::Values, value);
            }
            self.columns.push(Column::ValueEnds, self.columns.count(Column::Values));
        }
        self.columns.push(Column::AxisEnds, self.columns.count(Column::AxisNames));
        for &(price, stock) in &item.variants {
            self.columns.push(Column::Prices, price);
            self.columns.push(Column::Stocks, stock);
        }
        self.columns.push(Column::VariantEnds, self.columns.count(Column::Prices));
        let in_stock = item.variants.iter().filter(|(_, stock)| *stock > 0);
        let listed = in_stock.map(|(price, _)| *price).min().unwrap_or_default();
        self.columns.push(Column::Listed, listed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise drawing the brands of a category would not terminate.
    #[test]
    fn there_are_more_brand_names_than_a_preset_draws() {
        let names = vocabulary().heads.len() * vocabulary().tails.len();
        for preset in [Preset::Fine, Preset::Full] {
            assert!(2 * preset.scale().brands <= names, "{}", preset.name());
        }
    }
}
