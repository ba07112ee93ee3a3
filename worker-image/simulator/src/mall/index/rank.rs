//! The best of what some postings hold, without scoring everything.
//!
//! Products stand leaf by leaf, so the rare terms of a query lie close together. Products are scored in windows of
//! neighbours, those first whose terms could add up to most, until no window left can reach the list: the pruning of
//! MaxScore (Turtle and Flood 1995, section 4) with windows for documents. Within a window the postings are added in
//! the order of the query's terms and of the fields, so a score has the bits that scoring everything gives it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Neighbours that are scored together: their scores stay in a processor's nearest cache.
const WINDOW: usize = 2048;
/// By how much a sum of bounds may fall short of a sum of scores because both are rounded: far more than 64 additions
/// and a product can differ (each by a part in 2^53).
const ROUNDING: f64 = 1.0 + 1e-9;

/// What one term holds in one field.
pub(super) struct Postings<F> {
    /// Products, ascending.
    pub(super) products: Vec<u32>,
    /// How often each holds the term.
    pub(super) counts: Vec<u32>,
    /// What the term contributes to the score of a product that holds it so often.
    pub(super) contribution: F,
    /// No contribution is greater.
    pub(super) bound: f64,
}

/// The best `limit` of `0..products` among those that `admits` and that some postings hold, best first, equal scores by
/// id. `admits` is asked only about products that could enter the list.
pub(super) fn best<F: Fn(u32, u32) -> f64>(
    postings: &[Postings<F>],
    products: usize,
    limit: usize,
    admits: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let windows = products.div_ceil(WINDOW);
    let starts: Vec<Vec<usize>> = postings.iter().map(|it| starts(&it.products, windows)).collect();
    let mut order: Vec<(f64, usize)> =
        (0..windows).map(|window| (bound(postings, &starts, window), window)).collect();
    order.retain(|(bound, _)| *bound > 0.0);
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut list = List { limit, ranked: BinaryHeap::new() };
    let mut scores = [0.0; WINDOW];
    for (bound, window) in order {
        if bound * ROUNDING < list.floor() {
            break;
        }
        for (it, starts) in postings.iter().zip(&starts) {
            let here = starts[window]..starts[window + 1];
            for (&product, &count) in it.products[here.clone()].iter().zip(&it.counts[here]) {
                scores[product as usize % WINDOW] += (it.contribution)(product, count);
            }
        }
        for (product, score) in ((window * WINDOW) as u32..).zip(&mut scores) {
            let score = std::mem::take(score);
            if score > 0.0 && score >= list.floor() && admits(product) {
                list.offer(Ranked { score, product });
            }
        }
    }
    list.ranked.into_sorted_vec().into_iter().map(|it| it.product).collect()
}

/// Where in the ascending `products` each window begins, and the end.
fn starts(products: &[u32], windows: usize) -> Vec<usize> {
    let mut starts = Vec::with_capacity(windows + 1);
    let mut at = 0;
    for window in 0..windows {
        starts.push(at);
        let end = (window + 1) * WINDOW;
        // A window has no more postings than products.
        let near = &products[at..products.len().min(at + WINDOW)];
        at += near.partition_point(|product| (*product as usize) < end);
    }
    starts.push(at);
    starts
}

/// What a product of `window` can reach.
fn bound<F>(postings: &[Postings<F>], starts: &[Vec<usize>], window: usize) -> f64 {
    let held = postings.iter().zip(starts);
    held.filter(|(_, starts)| starts[window] < starts[window + 1]).map(|(it, _)| it.bound).sum()
}

#[derive(Clone, Copy, Debug)]
struct Ranked {
    score: f64,
    product: u32,
}

/// The better comes first.
impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.product.cmp(&other.product))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

/// The best so far, the last of them on top.
struct List {
    limit: usize,
    ranked: BinaryHeap<Ranked>,
}

impl List {
    /// A lower score does not enter the list any more.
    fn floor(&self) -> f64 {
        let last = self.ranked.peek().filter(|_| self.ranked.len() >= self.limit);
        last.map_or(0.0, |last| last.score)
    }

    fn offer(&mut self, new: Ranked) {
        if self.ranked.len() < self.limit {
            self.ranked.push(new);
        } else if let Some(mut last) = self.ranked.peek_mut().filter(|last| new < **last) {
            *last = new;
        }
    }
}
