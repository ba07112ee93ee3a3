//! BM25 scores and their order.

/// BM25 by Robertson and Zaragoza (2009), section 3.4, with the usual constants and the idf of Lucene and tantivy,
/// ln(1 + (N - n + 1/2) / (n + 1/2)). Computed in f64 by `libm`, so that ranks do not depend on the platform.
pub(crate) struct Bm25 {
    documents: f64,
    mean_length: f64,
}

/// Saturation of term frequency.
const K1: f64 = 1.2;
/// Strength of length normalisation.
const B: f64 = 0.75;

impl Bm25 {
    pub(crate) fn new(documents: u64, tokens: u64) -> Self {
        Self { documents: documents as f64, mean_length: tokens as f64 / documents.max(1) as f64 }
    }

    /// Weight of a term that `frequency` documents contain.
    pub(crate) fn idf(&self, frequency: u64) -> f64 {
        let frequency = frequency as f64;
        libm::log1p((self.documents - frequency + 0.5) / (frequency + 0.5))
    }

    /// Saturated term frequency, between 0 and k1 + 1, in a document of `length` words that contains the term `count` times.
    pub(crate) fn saturation(&self, count: u32, length: u32) -> f64 {
        let count = f64::from(count);
        let norm = 1.0 - B + B * f64::from(length) / self.mean_length;
        count * (K1 + 1.0) / (count + K1 * norm)
    }
}

/// The best `limit` ids, best first, equal scores by id.
pub(crate) fn best(mut scored: Vec<(u32, f64)>, limit: usize) -> Vec<u32> {
    let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if scored.len() > limit {
        scored.select_nth_unstable_by(limit, order);
        scored.truncate(limit);
    }
    scored.sort_unstable_by(order);
    scored.into_iter().map(|(document, _)| document).collect()
}
