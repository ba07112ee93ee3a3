//! Causal attention, as two row products around a softmax.

use super::cache::{Span, key_operand, value_operand};
use super::geometry::Geometry;
use crate::kernel::{KernelPath, LANES, Left, Start, attention_softmax, product, row_products};

/// Queries of all rows of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Queries<'a> {
    /// `[heads][rows][head_stride]`
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
}

impl<'a> Queries<'a> {
    fn left(&self, g: &Geometry, head: usize, row: usize) -> Left<'a> {
        let data = &self.data[(head * self.rows + row) * g.head_stride..];
        Left { data, row: g.head_stride, step: 1 }
    }
}

/// Attention of a text's rows over their own and all earlier positions; `attended` is the batch's, with row stride
/// `g.attended_stride`.
///
/// Rows go in blocks of sixteen positions, aligned in the text, and each row's sums run to the end of its block (with
/// probability zero beyond itself): what a row adds up depends on its position alone, not on how a prompt was cut
/// into steps.
pub(crate) fn attend_text(
    path: KernelPath,
    g: &Geometry,
    queries: Queries<'_>,
    span: &Span<'_>,
    scores: &mut Vec<f32>,
    attended: &mut [f32],
) {
    let mut done = 0;
    while done < span.rows {
        let position = span.position + done;
        let end = (position / LANES + 1) * LANES;
        let rows = (end - position).min(span.rows - done);
        let block = Block { row: span.row + done, rows, position, end };
        let needed = end * if rows == 1 { g.heads } else { rows };
        if scores.len() < needed {
            scores.resize(needed, 0.0);
        }
        if rows == 1 {
            attend_token(path, g, queries, span, &block, scores, attended);
        } else {
            for head in 0..g.heads {
                attend_block(path, g, queries, span, &block, head, scores, attended);
            }
        }
        done += rows;
    }
}

/// Rows of a text whose positions lie in one aligned block of sixteen.
struct Block {
    row: usize,
    rows: usize,
    position: usize,
    /// End of the aligned block.
    end: usize,
}

/// Several rows, one head.
#[allow(
    clippy::too_many_arguments,
    reason = "what one block of attention reads and writes, called from one place"
)]
fn attend_block(
    path: KernelPath,
    g: &Geometry,
    queries: Queries<'_>,
    span: &Span<'_>,
    &Block { row, rows, position, end }: &Block,
    head: usize,
    scores: &mut [f32],
    attended: &mut [f32],
) {
    let scores = &mut scores[..rows * end];
    let keys = key_operand(g, span.cache.keys, g.shared(head));
    let left = queries.left(g, head, row);
    product(path, rows, end, g.head, left, keys, scores, end, Start::Zero);
    attention_softmax(path, scores, end, position + 1, 1, g.scale);
    let probabilities = Left { data: scores, row: end, step: 1 };
    let values = value_operand(g, span.cache.values, g.shared(head));
    let out = &mut attended[row * g.attended_stride + head * g.head..];
    product(path, rows, g.head, end, probabilities, values, out, g.attended_stride, Start::Zero);
}

/// One row, all heads: the rows of the products are the heads, each with its own keys and values. Their chains are
/// those of [`attend_block`], but the processor works on all of them at once.
fn attend_token(
    path: KernelPath,
    g: &Geometry,
    queries: Queries<'_>,
    span: &Span<'_>,
    &Block { row, position, end, .. }: &Block,
    scores: &mut [f32],
    attended: &mut [f32],
) {
    let heads = g.key_value_heads;
    let group = g.heads / heads;
    let scores = &mut scores[..g.heads * end];
    let (keys, values) =
        (key_operand(g, span.cache.keys, 0), value_operand(g, span.cache.values, 0));
    // Query heads `member`, `member + group`, ... have one key head each.
    for member in 0..group {
        let left =
            Left { row: group * queries.rows * g.head_stride, ..queries.left(g, member, row) };
        let to = &mut scores[member * end..];
        row_products(path, heads, end, g.head, left, keys, LANES, to, group * end);
    }
    attention_softmax(path, scores, end, position + 1, 0, g.scale);
    for member in 0..group {
        let left = Left { data: &scores[member * end..], row: group * end, step: 1 };
        let to = &mut attended[row * g.attended_stride + member * g.head..];
        row_products(path, heads, g.head, end, left, values, g.head_stride, to, group * g.head);
    }
}
