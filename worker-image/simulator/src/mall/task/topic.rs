//! What can be wanted of a thing and asked about.

use crate::mall::catalog::Fact;

/// What a shopper can be asked about, besides single axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mall) enum Topic {
    Attributes,
    Brand,
    Options,
    Budget,
}

/// Topics by the name that questions and answers use.
pub(super) const TOPICS: [(Topic, &str); 4] = [
    (Topic::Attributes, "属性"),
    (Topic::Brand, "品牌"),
    (Topic::Options, "规格"),
    (Topic::Budget, "预算"),
];

impl Topic {
    /// The topic of a name.
    pub(in crate::mall) fn named(name: &str) -> Option<Self> {
        TOPICS.iter().find(|(_, it)| *it == name).map(|(topic, _)| *topic)
    }
}

/// One thing of a goal that a purchase lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mall) struct Lack {
    pub(in crate::mall) topic: Topic,
    /// The attribute or option; `None` for brand and budget.
    pub(in crate::mall) fact: Option<Fact>,
}
