//! Ways of comparing a purchase with the goal.

use serde::{Deserialize, Serialize};

/// A way of comparing facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Matcher {
    /// By identity: axis and value, and the path of the category.
    Canonical,
    /// By similarity of texts, as ShopSimulator and WebShop do, for data whose facts are free text. It has known false
    /// matches; `counts/published.rs` and its tests list them.
    Published,
}

impl Matcher {
    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Published => "published",
        }
    }
}
