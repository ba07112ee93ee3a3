//! Causal attention, as two row products around a softmax.

use super::cache::{Span, key_operand, value_operand};
use super::geometry::Geometry;
use crate::kernel::{
    KernelPath, LANES, Left, Output, Shape, Start, attention_softmax, product, row_products,
};

/// Queries of all rows of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Queries<'a> {
    /// `[heads][rows][head_stride]`
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
}

impl<'a> Queries<'a> {
    fn left(&self, geometry: &Geometry, head: usize, row: usize) -> Left<'a> {
        let data = &self.data[(head * self.rows + row) * geometry.head_stride..];
        Left { data, row_stride: geometry.head_stride, step_stride: 1 }
    }
}

/// Attention of a text's rows over their own and all earlier positions. `attended` holds the whole batch, with row
/// stride `geometry.attended_stride`.
///
/// Rows are processed in blocks of sixteen positions, aligned in the text. Each row's sums run to the end of its
/// block, with probability zero after the row itself. So what a row adds up depends on its position only, not on
/// how a prompt was cut into steps.
pub(crate) fn attend_text(
    path: KernelPath,
    geometry: &Geometry,
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
        let needed = end * if rows == 1 { geometry.heads } else { rows };
        if scores.len() < needed {
            scores.resize(needed, 0.0);
        }
        if rows == 1 {
            attend_token(path, geometry, queries, span, &block, scores, attended);
        } else {
            for head in 0..geometry.heads {
                attend_block(path, geometry, queries, span, &block, head, scores, attended);
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
    reason = "everything one block of attention reads and writes; called from one place"
)]
fn attend_block(
    path: KernelPath,
    geometry: &Geometry,
    queries: Queries<'_>,
    span: &Span<'_>,
    &Block { row, rows, position, end }: &Block,
    head: usize,
    scores: &mut [f32],
    attended: &mut [f32],
) {
    let scores = &mut scores[..rows * end];
    let keys = key_operand(geometry, span.cache.keys, geometry.shared(head));
    let left = queries.left(geometry, head, row);
    product(
        path,
        Shape { rows, columns: end, steps: geometry.head },
        left,
        keys,
        Output { data: scores, row_stride: end },
        Start::Zero,
    );
    attention_softmax(path, scores, end, position + 1, 1, geometry.scale);
    let probabilities = Left { data: scores, row_stride: end, step_stride: 1 };
    let values = value_operand(geometry, span.cache.values, geometry.shared(head));
    let out = &mut attended[row * geometry.attended_stride + head * geometry.head..];
    product(
        path,
        Shape { rows, columns: geometry.head, steps: end },
        probabilities,
        values,
        Output { data: out, row_stride: geometry.attended_stride },
        Start::Zero,
    );
}

/// One row, all heads: the rows of the products are the heads, each with its own keys and values. The sums are
/// those of [`attend_block`], but the processor works on all heads in parallel.
fn attend_token(
    path: KernelPath,
    geometry: &Geometry,
    queries: Queries<'_>,
    span: &Span<'_>,
    &Block { row, position, end, .. }: &Block,
    scores: &mut [f32],
    attended: &mut [f32],
) {
    let heads = geometry.key_value_heads;
    let group = geometry.heads / heads;
    let scores = &mut scores[..geometry.heads * end];
    let (keys, values) =
        (key_operand(geometry, span.cache.keys, 0), value_operand(geometry, span.cache.values, 0));
    // Query heads `member`, `member + group`, ... have different key heads.
    for member in 0..group {
        let left = Left {
            row_stride: group * queries.rows * geometry.head_stride,
            ..queries.left(geometry, member, row)
        };
        let to = &mut scores[member * end..];
        row_products(
            path,
            Shape { rows: heads, columns: end, steps: geometry.head },
            left,
            keys,
            LANES,
            Output { data: to, row_stride: group * end },
        );
    }
    attention_softmax(path, scores, end, position + 1, 0, geometry.scale);
    for member in 0..group {
        let left = Left { data: &scores[member * end..], row_stride: group * end, step_stride: 1 };
        let to = &mut attended[row * geometry.attended_stride + member * geometry.head..];
        row_products(
            path,
            Shape { rows: heads, columns: geometry.head, steps: end },
            left,
            values,
            geometry.head_stride,
            Output { data: to, row_stride: group * geometry.head },
        );
    }
}
