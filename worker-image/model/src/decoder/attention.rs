//! Causal attention of one head, as two row products around a softmax.

use super::geometry::Geometry;
use crate::kernel::{KernelPath, LANES, Left, Right, Start, attention_softmax, product};

/// Queries of one head of one text.
pub(crate) struct Queries<'a> {
    /// `[rows][head stride]`.
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    /// Position of the first row.
    pub(crate) position: usize,
}

/// Attention of the rows over their own and all earlier positions.
///
/// Rows go in blocks of sixteen positions, aligned in the text, and each row's sums run to the end of its block (with
/// probability zero beyond itself): what a row adds up depends on its position alone, not on how a prompt was cut
/// into steps. `out` has row stride `g.attended_stride`; `scores` is working memory.
pub(crate) fn attend_head(
    path: KernelPath,
    g: &Geometry,
    queries: &Queries<'_>,
    keys: &[f32],
    values: &[f32],
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    let mut done = 0;
    while done < queries.rows {
        let position = queries.position + done;
        let end = (position / LANES + 1) * LANES;
        let rows = (end - position).min(queries.rows - done);
        if scores.len() < rows * end {
            scores.resize(LANES * end, 0.0);
        }
        let block = &mut scores[..rows * end];
        let queries =
            Left { data: &queries.data[done * g.head_stride..], row: g.head_stride, step: 1 };
        let keys = Right { data: keys, panel: g.head_stride * LANES, step: LANES };
        product(path, rows, end, g.head, queries, keys, block, end, Start::Zero);
        attention_softmax(path, block, end, position + 1, g.scale);
        let probabilities = Left { data: block, row: end, step: 1 };
        let values = Right { data: values, panel: LANES, step: g.head_stride };
        let out = &mut out[done * g.attended_stride..];
        product(
            path,
            rows,
            g.head,
            end,
            probabilities,
            values,
            out,
            g.attended_stride,
            Start::Zero,
        );
        done += rows;
    }
}
