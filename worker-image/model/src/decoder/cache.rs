//! Keys and values of one text in one layer, in the layout attention reads.

use crate::kernel::LANES;

/// Keys as `[kv head][position / 16][head value][16]`: sixteen positions side by side, so that scores come out of the
/// same row product as everything else. Values as `[kv head][position][head stride]`.
///
/// Values of positions not yet written, in the block of sixteen that is being filled, are zero: attention reads
/// blocks whole, with probability zero on those.
pub(crate) struct KeyValues<'a> {
    pub(crate) keys: &'a mut [f32],
    pub(crate) values: &'a mut [f32],
    /// Distance of one head from the next, in both.
    pub(crate) head_distance: usize,
}

impl KeyValues<'_> {
    /// Values of one head at a position, `width` long at distance `head_distance` in `row`.
    pub(crate) fn write(
        &mut self,
        position: usize,
        head: usize,
        stride: usize,
        key: &[f32],
        value: &[f32],
    ) {
        let lane = position % LANES;
        let block = head * self.head_distance + (position - lane) * stride;
        let keys = &mut self.keys[block..block + LANES * stride];
        for (step, key) in keys.chunks_exact_mut(LANES).zip(key) {
            step[lane] = *key;
        }
        let values = &mut self.values[block..block + LANES * stride];
        if lane == 0 {
            values.fill(0.0);
        }
        values[lane * stride..][..value.len()].copy_from_slice(value);
    }
}

/// The rows of a batch that belong to one text, and the text's cache.
pub(crate) struct Span<'a> {
    /// First row in the batch.
    pub(crate) row: usize,
    /// Number of rows.
    pub(crate) rows: usize,
    /// Position of the first row in its text.
    pub(crate) position: usize,
    pub(crate) cache: KeyValues<'a>,
}
