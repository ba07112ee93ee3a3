//! Content words: domains, categories and leaves with the attributes and options that fit them. Written for this project, in
//! compact tables in the folder `vocabulary`.
//!
//! ```text
//! domain NAME
//! category NAME                 what follows belongs to it until the next one
//! price LOW HIGH                yuan
//! scene WORD...                 words about use that merchants add to titles
//! leaf NAME/ALIAS/ALIAS AXIS=VALUE,VALUE AXIS=
//!                               an axis of its own instead of the category's; nothing after = drops the axis
//! axis NAME VALUE...            a product has at most one value
//! axis* NAME VALUE...           a product has up to three
//! option NAME VALUE...          to be chosen when buying
//! option+ NAME VALUE...         the same, later values cost more
//! ```

use std::sync::LazyLock;

type Word = &'static str;

const NAMES: &str = include_str!("vocabulary/00-names.txt");
const TABLES: [&str; 10] = [
    include_str!("vocabulary/01-home.txt"),
    include_str!("vocabulary/02-appliance.txt"),
    include_str!("vocabulary/03-digital.txt"),
    include_str!("vocabulary/04-beauty.txt"),
    include_str!("vocabulary/05-baby.txt"),
    include_str!("vocabulary/06-clothing.txt"),
    include_str!("vocabulary/07-food.txt"),
    include_str!("vocabulary/08-sport.txt"),
    include_str!("vocabulary/09-office.txt"),
    include_str!("vocabulary/10-craft.txt"),
];

/// All names and tables.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    pub(super) categories: Vec<Category>,
    pub(super) leaves: Vec<Leaf>,
    /// First and second syllables of invented brands.
    pub(super) heads: Vec<Word>,
    pub(super) tails: Vec<Word>,
    /// Words of merchants that carry no information.
    pub(super) flourishes: Vec<Word>,
    /// Suffixes of shop names.
    pub(super) shops: Vec<Word>,
    /// Recipients of purchases: relations, family names, given names.
    pub(super) persons: Vec<Word>,
    pub(super) surnames: Vec<Word>,
    pub(super) given: Vec<Word>,
}

/// A category of the second level.
#[derive(Debug, Default)]
pub(super) struct Category {
    pub(super) domain: Word,
    pub(super) name: Word,
    /// In yuan: the cheapest and the most expensive family.
    pub(super) price: (u32, u32),
    pub(super) scenes: Vec<Word>,
}

/// A category of the third level with the axes of its products.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) category: usize,
    pub(super) name: Word,
    /// Other names that merchants use; some are broader than the leaf.
    pub(super) aliases: Vec<Word>,
    pub(super) axes: Vec<Axis>,
    pub(super) options: Vec<OptionAxis>,
}

/// An attribute axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: Word,
    pub(super) values: Vec<Word>,
    /// Whether a product may have several values.
    pub(super) several: bool,
}

/// An option axis.
#[derive(Clone, Debug)]
pub(super) struct OptionAxis {
    pub(super) name: Word,
    pub(super) values: Vec<Word>,
    /// Whether later values cost more.
    pub(super) graded: bool,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut vocabulary = Vocabulary::default();
    NAMES.lines().for_each(|line| vocabulary.take_names(line));
    for table in TABLES {
        vocabulary.take_table(table);
    }
    vocabulary
});

/// The vocabulary of generated catalogs.
pub(super) fn vocabulary() -> &'static Vocabulary {
    &VOCABULARY
}

impl Vocabulary {
    fn take_names(&mut self, line: Word) {
        let mut words = line.split_whitespace();
        let list = match words.next() {
            Some("heads") => &mut self.heads,
            Some("tails") => &mut self.tails,
            Some("flourish") => &mut self.flourishes,
            Some("shop") => &mut self.shops,
            Some("person") => &mut self.persons,
            Some("surname") => &mut self.surnames,
            Some("given") => &mut self.given,
            _ => return,
        };
        list.extend(words);
    }

    /// Reads one table. A test of the counts detects lines that are not understood.
    fn take_table(&mut self, table: Word) {
        let mut domain = "";
        // The leaves of the current category; they precede the axes that they vary.
        let mut leaves: Vec<Word> = Vec::new();
        let (mut axes, mut options) = (Vec::new(), Vec::new());
        for line in table.lines().chain(["end"]) {
            let mut words = line.split_whitespace();
            let key = words.next().unwrap_or_default();
            if matches!(key, "domain" | "category" | "end") {
                let category = self.categories.len().saturating_sub(1);
                let finished = leaves.drain(..).map(|line| leaf(category, line, &axes, &options));
                self.leaves.extend(finished);
                axes.clear();
                options.clear();
            }
            let values = words.clone().skip(1).collect();
            let name = words.clone().next().unwrap_or_default();
            match key {
                "domain" => domain = name,
                "category" => {
                    self.categories.push(Category { domain, name, ..Category::default() });
                }
                "leaf" => leaves.push(line),
                "axis" | "axis*" => axes.push(Axis { name, values, several: key == "axis*" }),
                "option" | "option+" => {
                    options.push(OptionAxis { name, values, graded: key == "option+" });
                }
                "price" | "scene" => self.describe(key, words.collect()),
                _ => {}
            }
        }
    }

    /// Sets the price range or the scenes of the current category.
    fn describe(&mut self, key: Word, words: Vec<Word>) {
        let Some(category) = self.categories.last_mut() else {
            return;
        };
        if key == "scene" {
            category.scenes = words;
        } else if let [Ok(low), Ok(high)] =
            words.iter().map(|it| it.parse()).collect::<Vec<_>>()[..]
        {
            category.price = (low, high);
        }
    }
}

/// A leaf from its line: the category's axes, some replaced by its own.
fn leaf(category: usize, line: Word, axes: &[Axis], options: &[OptionAxis]) -> Leaf {
    let mut words = line.split_whitespace().skip(1);
    let mut names = words.next().unwrap_or_default().split('/');
    let mut axes = axes.to_vec();
    for own in words {
        let (name, values) = own.split_once('=').unwrap_or((own, ""));
        let values: Vec<Word> = values.split(',').filter(|value| !value.is_empty()).collect();
        if let Some(axis) = axes.iter_mut().find(|axis| axis.name == name) {
            axis.values = values;
        }
    }
    axes.retain(|axis| !axis.values.is_empty());
    let name = names.next().unwrap_or_default();
    Leaf { category, name, aliases: names.collect(), axes, options: options.to_vec() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_tables_hold_ten_domains_and_two_hundred_leaves() {
        let Vocabulary { categories, leaves, .. } = vocabulary();
        let domains: BTreeSet<_> = categories.iter().map(|it| it.domain).collect();
        assert_eq!((domains.len(), categories.len(), leaves.len()), (10, 40, 200));
        let names: BTreeSet<_> = leaves.iter().map(|leaf| leaf.name).collect();
        assert_eq!(names.len(), 200, "a name says which leaf is meant");
        for category in categories {
            assert!(category.price.0 < category.price.1, "{}", category.name);
            assert!(category.scenes.len() >= 3, "{}", category.name);
        }
    }

    #[test]
    fn every_line_of_the_tables_is_understood() {
        let keys =
            ["domain", "category", "price", "scene", "leaf", "axis", "axis*", "option", "option+"];
        for table in TABLES {
            for line in table.lines() {
                let key = line.split_whitespace().next().unwrap_or_default();
                assert!(keys.contains(&key), "{line}");
            }
            for line in table.lines().filter(|line| line.starts_with("leaf ")) {
                let name = line.split_whitespace().nth(1).unwrap().split('/').next().unwrap();
                let leaf = vocabulary().leaves.iter().find(|leaf| leaf.name == name).unwrap();
                for own in line.split_whitespace().skip(2) {
                    let (axis, values) = own.split_once('=').unwrap();
                    let found = leaf.axes.iter().find(|it| it.name == axis);
                    assert_eq!(found.is_none(), values.is_empty(), "{name}: {own} changes nothing");
                    assert!(found.is_none_or(|axis| values.starts_with(axis.values[0])), "{own}");
                }
            }
        }
    }

    /// Within a leaf, a word identifies one value.
    #[test]
    fn in_one_leaf_a_word_has_one_meaning() {
        for leaf in &vocabulary().leaves {
            let facts = leaf.axes.iter().flat_map(|axis| &axis.values);
            let choices = leaf.options.iter().flat_map(|axis| &axis.values);
            let mut distinct = BTreeSet::new();
            for word in facts.chain(choices) {
                assert!(distinct.insert(word), "{} of {} means two things", word, leaf.name);
            }
            assert!(leaf.axes.iter().any(|axis| axis.several), "{}", leaf.name);
            assert!(leaf.axes.len() >= 5 && !leaf.options.is_empty(), "{}", leaf.name);
            assert!(leaf.axes.iter().all(|axis| axis.values.len() >= 2), "{}", leaf.name);
        }
    }
}
