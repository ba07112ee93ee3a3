//! The eight metrics of ShopSimulator (arXiv 2601.18225), with facts compared by identity.

use serde::{Deserialize, Serialize};

use crate::catalog::{CategoryPath, Product};
use crate::task::Goal;

/// The metrics of one episode, each between 0 and 1. All are 0 unless the agent ended the episode.
///
/// With U the wanted facts (attributes and brand; options; budget) and Y the facts of the purchase, compared by identity:
/// * R_category: 1 same leaf, 0.5 same domain, 0 otherwise;
/// * R_attribute = |U_att ∩ Y_att| / |U_att|, R_option = |U_opt ∩ Y_opt| / |U_opt| (an option counts when chosen),
///   R_price = 1 if the price of the chosen variant is within the stated budget;
/// * R_loose = R_category · (|U_att ∩ Y_att| + |U_opt ∩ Y_opt| + R_price) / (|U_att| + |U_opt| + 1);
/// * R_strict = R_category · R_attribute · R_option · R_price;
/// * R_succ = 1 if all four are 1;
/// * R_finish = 1 if the agent bought or declined.
///
/// If nothing fits, declining scores 1 in all metrics, and a purchase is scored by the same formulas (never a success).
/// If something fits, declining scores R_finish alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// R_succ.
    pub success: f64,
    /// R_strict.
    pub strict: f64,
    /// R_loose.
    pub loose: f64,
    /// R_finish.
    pub finish: f64,
    /// R_category.
    pub category: f64,
    /// R_attribute.
    pub attribute: f64,
    /// R_option.
    pub option: f64,
    /// R_price.
    pub price: f64,
}

/// A purchase.
#[derive(Clone, Copy)]
pub(crate) struct Purchase<'a> {
    pub(crate) product: &'a Product,
    /// The chosen value per axis.
    pub(crate) selection: &'a [Option<usize>],
    /// Yuan of the variant.
    pub(crate) price: u32,
}

/// How an episode ended, with the data that scoring needs.
#[derive(Clone, Copy)]
pub(crate) enum Ending<'a> {
    Bought(Purchase<'a>),
    Declined,
    /// Out of turns, or not ended.
    Unfinished,
}

/// The counts that the formulas use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// R_category.
    pub(crate) category: f64,
    /// Wanted features, and how many of them the product has.
    pub(crate) features: [usize; 2],
    /// Wanted options, and how many of them were chosen.
    pub(crate) options: [usize; 2],
    pub(crate) within_budget: bool,
}

impl Outcome {
    /// Scores an ending against a goal.
    pub(crate) fn new(goal: &Goal, ending: Ending<'_>) -> Self {
        match ending {
            Ending::Unfinished => Self::default(),
            Ending::Declined => Self::of_decline(goal.fits),
            Ending::Bought(purchase) => Self::of_counts(count(goal, purchase)),
        }
    }

    /// Scores declining; `fits` says whether any product meets the goal.
    pub(crate) fn of_decline(fits: bool) -> Self {
        if fits {
            return Self { finish: 1.0, ..Self::default() };
        }
        Self {
            success: 1.0,
            strict: 1.0,
            loose: 1.0,
            finish: 1.0,
            category: 1.0,
            attribute: 1.0,
            option: 1.0,
            price: 1.0,
        }
    }

    /// Applies the formulas.
    pub(crate) fn of_counts(counts: Counts) -> Self {
        let Counts { category, features, options, within_budget } = counts;
        let [wanted_features, features] = features.map(|count| count as f64);
        let [wanted_options, options] = options.map(|count| count as f64);
        let attribute = features / wanted_features;
        let option = options / wanted_options;
        let price = f64::from(u8::from(within_budget));
        let complete = category == 1.0 && attribute == 1.0 && option == 1.0 && price == 1.0;
        Self {
            success: f64::from(u8::from(complete)),
            strict: category * attribute * option * price,
            loose: category * (features + options + price)
                / (wanted_features + wanted_options + 1.0),
            finish: 1.0,
            category,
            attribute,
            option,
            price,
        }
    }
}

fn count(goal: &Goal, purchase: Purchase<'_>) -> Counts {
    let Purchase { product, selection, price } = purchase;
    let chosen = product.chosen_words(selection);
    let features = goal.features().filter(|feature| product.has_feature(feature)).count();
    let options = goal.options.iter().filter(|option| chosen.contains(option)).count();
    Counts {
        category: category_score(goal.category, product.category),
        features: [goal.features().count(), features],
        options: [goal.options.len(), options],
        within_budget: price <= goal.budget,
    }
}

fn category_score(wanted: CategoryPath, bought: CategoryPath) -> f64 {
    if wanted == bought {
        1.0
    } else if wanted.domain == bought.domain {
        0.5
    } else {
        0.0
    }
}
