//! Finds the best products without scoring all of them.
//!
//! Products are ordered leaf by leaf, so the rare terms of a query lie close together. Products are scored in windows of
//! neighbours, in descending order of the upper bound of their scores, until no remaining window can reach the list: the
//! pruning of MaxScore (Turtle and Flood 1995, section 4) with windows for documents. Within a window the postings are
//! added in the order of the query's terms and of the fields, so a score has the same bits as without pruning.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Products per window: their scores fit into the L1 cache.
const WINDOW: usize = 2048;
/// Slack for comparing a sum of bounds with a sum of scores, both rounded: far more than 64 additions and a product can
/// differ (each by a part in 2^53).
const ROUNDING: f64 = 1.0 + 1e-9;

/// The postings of one term in one field.
pub(super) struct Postings<F> {
    /// Product ids in ascending order.
    pub(super) products: Vec<u32>,
    /// Occurrences of the term in each product.
    pub(super) counts: Vec<u32>,
    /// Maps a product and its count to the term's contribution to the score.
    pub(super) contribution: F,
    /// Upper bound of the contributions.
    pub(super) bound: f64,
}

/// The best `limit` of `0..products` that occur in some postings and that `admits` accepts, best first, equal scores by id.
/// `admits` is called only for products that could enter the list.
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

/// The positions in the ascending `products` at which each window begins, and the end.
fn starts(products: &[u32], windows: usize) -> Vec<usize> {
    let mut starts = Vec::with_capacity(windows + 1);
    let mut at = 0;
    for window in 0..windows {
        starts.push(at);
        let end = (window + 1) * WINDOW;
        // A window has at most one posting per product.
        let near = &products[at..products.len().min(at + WINDOW)];
        at += near.partition_point(|product| (*product as usize) < end);
    }
    starts.push(at);
    starts
}

/// Upper bound of the scores in `window`.
fn bound<F>(postings: &[Postings<F>], starts: &[Vec<usize>], window: usize) -> f64 {
    let held = postings.iter().zip(starts);
    held.filter(|(_, starts)| starts[window] < starts[window + 1]).map(|(it, _)| it.bound).sum()
}

#[derive(Clone, Copy, Debug)]
struct Ranked {
    score: f64,
    product: u32,
}

/// The better product comes first.
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

/// The best products so far, as a heap with the worst on top.
struct List {
    limit: usize,
    ranked: BinaryHeap<Ranked>,
}

impl List {
    /// The score below which a product cannot enter the list.
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
