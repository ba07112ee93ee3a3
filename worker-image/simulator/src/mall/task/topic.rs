//! The topics that questions can be about.

use std::collections::BTreeSet;

use crate::mall::catalog::{Catalog, Fact};

/// A topic of questions. Questions can also be about a single axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mall) enum Topic {
    Attributes,
    Brand,
    Options,
    Budget,
}

/// Topics with the names used in questions and answers.
pub(super) const TOPICS: [(Topic, &str); 4] = [
    (Topic::Attributes, "属性"),
    (Topic::Brand, "品牌"),
    (Topic::Options, "规格"),
    (Topic::Budget, "预算"),
];

impl Topic {
    /// The topic with this name.
    pub(in crate::mall) fn named(name: &str) -> Option<Self> {
        TOPICS.iter().find(|(_, it)| *it == name).map(|(topic, _)| *topic)
    }

    /// The names of all topics.
    pub(in crate::mall) fn names() -> impl Iterator<Item = &'static str> {
        TOPICS.iter().map(|(_, name)| *name)
    }
}

/// The names of all axes of a leaf, for attributes and options.
pub(super) fn axes(catalog: &Catalog, leaf: u32) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for product in catalog.in_leaf(leaf) {
        names.extend(product.attributes().map(|(axis, _)| axis));
        names.extend(product.options().map(|(axis, _)| axis));
    }
    names
}

/// The topics and axes of a leaf that a question in free words names, topics first.
pub(in crate::mall) fn named_in<'a>(
    question: &str,
    catalog: &'a Catalog,
    leaf: u32,
) -> Vec<&'a str> {
    let names = TOPICS.iter().map(|(_, name)| *name).chain(axes(catalog, leaf));
    names.filter(|name| question.contains(name)).collect()
}

/// One fact of a goal that a purchase lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mall) struct Lack {
    pub(in crate::mall) topic: Topic,
    /// The attribute or option; `None` for brand and budget.
    pub(in crate::mall) fact: Option<Fact>,
}
