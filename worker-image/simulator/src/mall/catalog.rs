//! Views of the catalog: products, their facts and their variants.

use std::collections::HashMap;
use std::ops::Range;

use base16ct::lower::encode_string;

use super::layout::{Column, Columns, Layout, LayoutError, Origin};
use super::matcher::Matcher;

/// Number of a word of the catalog.
pub(super) type WordId = u32;

/// A fact of a product: axis and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Fact {
    pub(super) axis: WordId,
    pub(super) value: WordId,
}

/// A selection: per option axis the position of the chosen value, or `None` while open.
pub(super) type Selection = Vec<Option<usize>>;

/// All products of a large shop in order of their ids: leaf by leaf, family by family.
pub struct Catalog {
    layout: Layout,
    digest: String,
    /// Product ids per leaf.
    products: Vec<Range<u32>>,
}

impl Catalog {
    /// Checks the columns and trusts their SHA-256 `digest`; [`Catalog::is_what_its_digest_says`] verifies it.
    pub(super) fn new(layout: Layout, digest: [u8; 32]) -> Result<Self, LayoutError> {
        super::check::check(&layout)?;
        let mut products = vec![0..0; layout.count(Column::Leaves) / 3];
        for (id, leaf) in (0u32..).zip(layout.numbers(Column::Leaf, 0..layout.count(Column::Leaf)))
        {
            let range = &mut products[leaf as usize];
            if range.start == range.end {
                *range = id..id;
            }
            range.end = id + 1;
        }
        let catalog = Self { layout, digest: encode_string(&digest), products };
        for split in [false, true] {
            let mut products = catalog.products();
            if !products.any(|it| it.can_be_wanted() && catalog.is_held_out(it.family()) == split) {
                return Err(LayoutError::Column(Column::HeldOut));
            }
        }
        Ok(catalog)
    }

    /// SHA-256 of all columns in hexadecimal, including the split by families.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Computes the digest again and compares it.
    pub(super) fn is_what_its_digest_says(&self) -> bool {
        encode_string(&self.layout.digest()) == self.digest
    }

    /// The default way of comparing facts. Imported facts are free text, in which the same fact is written in several ways.
    #[must_use]
    pub fn matcher(&self) -> Matcher {
        match self.layout.origin() {
            Origin::Generated => Matcher::Canonical,
            Origin::Imported => Matcher::Published,
        }
    }

    /// The number of products.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.count(Column::Leaf)
    }

    /// Whether there is no product.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of families.
    #[must_use]
    pub fn families(&self) -> usize {
        self.layout.count(Column::HeldOut)
    }

    /// The number of leaf categories.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.products.len()
    }

    /// The bytes of the catalog without its search index.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.layout.bytes()
    }

    /// Product `id`, from 0.
    #[must_use]
    pub fn product(&self, id: u32) -> Option<Product<'_>> {
        ((id as usize) < self.len()).then_some(Product { catalog: self, id })
    }

    /// All products in order of their ids.
    pub fn products(&self) -> impl ExactSizeIterator<Item = Product<'_>> {
        (0..self.len() as u32).map(|id| Product { catalog: self, id })
    }

    /// A product that is known to exist.
    pub(super) fn at(&self, id: u32) -> Product<'_> {
        Product { catalog: self, id }
    }

    pub(super) fn in_leaf(&self, leaf: u32) -> impl ExactSizeIterator<Item = Product<'_>> + Clone {
        self.products[leaf as usize].clone().map(|id| Product { catalog: self, id })
    }

    pub(super) fn word(&self, id: WordId) -> &str {
        let range = self.layout.range(Column::WordEnds, id as usize);
        // Checked in `Catalog::new`.
        std::str::from_utf8(&self.layout.column(Column::WordBytes)[range]).unwrap_or_default()
    }

    pub(super) fn search_words(&self) -> impl Iterator<Item = &str> {
        let all = 0..self.layout.count(Column::SearchWords);
        self.layout.numbers(Column::SearchWords, all).map(|id| self.word(id))
    }

    /// Domain, category and leaf.
    pub(super) fn path(&self, leaf: u32) -> [WordId; 3] {
        std::array::from_fn(|level| self.layout.number(Column::Leaves, 3 * leaf as usize + level))
    }

    /// Other names of a leaf.
    pub(super) fn aliases(&self, leaf: u32) -> impl ExactSizeIterator<Item = &str> {
        let range = self.layout.range(Column::AliasEnds, leaf as usize);
        self.layout.numbers(Column::Aliases, range).map(|id| self.word(id))
    }

    pub(super) fn is_held_out(&self, family: u32) -> bool {
        self.layout.number(Column::HeldOut, family as usize) == 1
    }

    /// The first 64 bits of the digest, which key random streams.
    pub(super) fn fingerprint(&self) -> u64 {
        u64::from_str_radix(&self.digest[..16], 16)
            .expect("a digest is 64 hexadecimal digits by construction")
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let products = self.len();
        formatter.debug_struct("Catalog").field("products", &products).finish_non_exhaustive()
    }
}

/// One product of a catalog.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    catalog: &'a Catalog,
    pub(super) id: u32,
}

impl<'a> Product<'a> {
    fn number(&self, column: Column) -> u32 {
        self.catalog.layout.number(column, self.id as usize)
    }

    fn range(&self, ends: Column) -> Range<usize> {
        self.catalog.layout.range(ends, self.id as usize)
    }

    /// The id, from 0.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Domain, category and leaf, joined by `›`.
    #[must_use]
    pub fn category(&self) -> String {
        self.catalog.path(self.leaf()).map(|word| self.catalog.word(word)).join("›")
    }

    /// Other names of its leaf.
    pub fn aliases(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        self.catalog.aliases(self.leaf())
    }

    /// The title as its merchant wrote it.
    #[must_use]
    pub fn title(&self) -> &'a str {
        let range = self.range(Column::TitleEnds);
        // Checked in `Catalog::new`.
        std::str::from_utf8(&self.catalog.layout.column(Column::TitleBytes)[range])
            .unwrap_or_default()
    }

    /// The brand.
    #[must_use]
    pub fn brand(&self) -> &'a str {
        self.catalog.word(self.brand_id())
    }

    /// The shop that sells it.
    #[must_use]
    pub fn shop(&self) -> &'a str {
        self.catalog.word(self.number(Column::Shop))
    }

    /// The attributes: axis and value.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = (&'a str, &'a str)> + use<'a> {
        let catalog = self.catalog;
        self.facts().map(|fact| (catalog.word(fact.axis), catalog.word(fact.value)))
    }

    /// Price of the cheapest variant in stock, in fen.
    #[must_use]
    pub fn listed_price(&self) -> u32 {
        self.number(Column::Listed)
    }

    /// The option axes: name and values.
    pub fn options(&self) -> impl ExactSizeIterator<Item = (&'a str, Vec<&'a str>)> + use<'a> {
        let catalog = self.catalog;
        self.axes().map(|(name, values)| {
            (catalog.word(name), values.map(|value| catalog.word(value)).collect())
        })
    }

    /// Price in fen and pieces in stock of each variant; the last option axis varies fastest.
    pub fn variants(&self) -> impl ExactSizeIterator<Item = (u32, u32)> + use<'a> {
        let (layout, range) = (&self.catalog.layout, self.range(Column::VariantEnds));
        layout.numbers(Column::Prices, range.clone()).zip(layout.numbers(Column::Stocks, range))
    }

    pub(super) fn leaf(&self) -> u32 {
        self.number(Column::Leaf)
    }

    pub(super) fn family(&self) -> u32 {
        self.number(Column::Family)
    }

    pub(super) fn brand_id(&self) -> WordId {
        self.number(Column::Brand)
    }

    pub(super) fn facts(&self) -> impl ExactSizeIterator<Item = Fact> + use<'a> {
        let (layout, range) = (&self.catalog.layout, self.range(Column::FactEnds));
        range.map(|index| Fact {
            axis: layout.number(Column::Facts, 2 * index),
            value: layout.number(Column::Facts, 2 * index + 1),
        })
    }

    /// Whether a goal can be drawn from it: it has attributes and options.
    pub(super) fn can_be_wanted(&self) -> bool {
        self.facts().len() > 0 && self.axes().len() > 0
    }

    pub(super) fn has_fact(&self, fact: Fact) -> bool {
        self.facts().any(|it| it == fact)
    }

    /// The option axes: name and values.
    pub(super) fn axes(
        &self,
    ) -> impl ExactSizeIterator<Item = (WordId, impl ExactSizeIterator<Item = WordId> + use<'a>)> + use<'a>
    {
        let layout = &self.catalog.layout;
        self.range(Column::AxisEnds).map(|axis| {
            let values = layout.range(Column::ValueEnds, axis);
            (layout.number(Column::AxisNames, axis), layout.numbers(Column::Values, values))
        })
    }

    pub(super) fn open_selection(&self) -> Selection {
        vec![None; self.range(Column::AxisEnds).len()]
    }

    /// Axis and position of an option value, by its text.
    pub(super) fn find_option(&self, text: &str) -> Option<(usize, usize)> {
        self.axes().enumerate().find_map(|(axis, (_, mut values))| {
            let position = values.position(|value| self.catalog.word(value) == text)?;
            Some((axis, position))
        })
    }

    /// Axis and position of an option value.
    pub(super) fn option_position(&self, option: Fact) -> Option<(usize, usize)> {
        self.axes().enumerate().find_map(|(axis, (name, mut values))| {
            let position = values.position(|value| value == option.value)?;
            (name == option.axis).then_some((axis, position))
        })
    }

    /// The selection as facts.
    pub(super) fn chosen(&self, selection: &[Option<usize>]) -> Vec<Fact> {
        let chosen = self.axes().zip(selection);
        chosen
            .filter_map(|((axis, mut values), position)| {
                Some(Fact { axis, value: values.nth((*position)?)? })
            })
            .collect()
    }

    /// Fen of the cheapest variant in stock that completes `selection`; `None` if all are sold out. For a complete selection
    /// this is the price of that variant.
    pub(super) fn offer(&self, selection: &[Option<usize>]) -> Option<u32> {
        let sizes: Vec<usize> = self.axes().map(|(_, values)| values.len()).collect();
        let matches = |mut variant: usize| {
            sizes.iter().zip(selection).rev().all(|(size, chosen)| {
                let position = variant % size;
                variant /= size;
                chosen.is_none_or(|chosen| chosen == position)
            })
        };
        let variants = self.variants().enumerate();
        variants.filter(|&(at, (_, stock))| stock > 0 && matches(at)).map(|(_, it)| it.0).min()
    }
}

/// Numbers the words of a catalog that is being built.
#[derive(Debug, Default)]
pub(super) struct Words {
    ids: HashMap<String, WordId>,
}

impl Words {
    /// The number of a word; a new word is stored.
    pub(super) fn id(&mut self, columns: &mut Columns, word: &str) -> WordId {
        if let Some(&id) = self.ids.get(word) {
            return id;
        }
        columns.extend_text(Column::WordBytes, word);
        columns.push(Column::WordEnds, columns.bytes(Column::WordBytes));
        let id = self.ids.len() as WordId;
        self.ids.insert(word.to_owned(), id);
        id
    }
}
