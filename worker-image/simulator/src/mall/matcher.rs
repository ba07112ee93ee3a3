//! How what was bought is compared with what is wanted.

mod published;

use super::Mall;
use super::replay::counts;
use super::storefront::Visit;
use super::task::Goal;
use crate::score::Counts;
use published::{Bought, Wanted};
use serde::{Deserialize, Serialize};

/// A way of comparing facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Matcher {
    /// By identity: axis and value, and the path of the category.
    Canonical,
    /// By likeness of texts, as ShopSimulator and WebShop do, for data whose facts are free text. It lets through what
    /// is not wanted; `published.rs` and its tests say what.
    Published,
}

impl Matcher {
    /// The name as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Published => "published",
        }
    }

    /// What the formulas count of buying `visit`.
    pub(super) fn counts(self, mall: &Mall, goal: &Goal, visit: &Visit) -> Counts {
        let canonical = counts(mall, goal, visit);
        match self {
            Self::Canonical => canonical,
            Self::Published => by_likeness(mall, goal, visit, canonical),
        }
    }
}

/// The price is compared as ever: the chosen variant's own, against the stated budget. (In the published code both were
/// drawn anew in every process.)
fn by_likeness(mall: &Mall, goal: &Goal, visit: &Visit, canonical: Counts) -> Counts {
    let catalog = mall.catalog();
    let product = catalog.at(visit.product);
    let word = |id| catalog.word(id);
    let bought = Bought {
        path: catalog.path(product.leaf()).map(word),
        title: product.title(),
        attributes: product.attributes().map(|(_, value)| value).chain([product.brand()]).collect(),
        options: product.chosen(&visit.selection).iter().map(|it| word(it.value)).collect(),
    };
    let wanted = Wanted {
        path: catalog.path(goal.leaf).map(word),
        title: catalog.at(goal.target).title(),
        attributes: goal.facts.iter().map(|it| it.value).chain(goal.brand).map(word).collect(),
        options: goal.options.iter().map(|it| word(it.value)).collect(),
    };
    let terms = |title| mall.segmenter.terms(title);
    Counts {
        category: published::category(&wanted, &bought, terms),
        features: [wanted.attributes.len(), published::attributes(&wanted, &bought)],
        options: [wanted.options.len(), published::options(&wanted, &bought)],
        ..canonical
    }
}
