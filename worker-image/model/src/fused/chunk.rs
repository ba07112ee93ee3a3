//! Some texts at a time: few enough rows that the working memory of a layer stays in the cache.

use super::arena::Arena;
use super::backward::backward;
use super::forward::forward;
use super::loss::{Prediction, loss_back};
use crate::batch::{BatchStatistics, Objective, Sequence};
use crate::decoder::head::logits as head_logits;
use crate::decoder::layer::Context;
use crate::decoder::weights::{Transposes, Weights};
use crate::kernel::summarize_logits;

/// Rows of a chunk, unless one text is longer.
const ROWS: usize = 256;

/// What a gradient is computed with.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) context: Context<'a>,
    pub(super) weights: &'a Weights,
    pub(super) transposes: &'a Transposes,
    pub(super) objective: &'a Objective,
}

/// Cuts texts into chunks, by their lengths alone.
pub(super) fn cut<T>(texts: &[T], length: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = texts;
    std::iter::from_fn(move || {
        let mut rows = 0;
        let fits = rest.iter().take_while(|text| {
            rows += length(text);
            rows <= ROWS
        });
        let (chunk, tail) = rest.split_at(fits.count().max(1).min(rest.len()));
        rest = tail;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Gradient of a micro-batch, added to `gradient`.
pub(super) fn gradients(
    pass: Pass<'_>,
    arena: &mut Arena,
    sequences: &[Sequence],
    gradient: &mut [f32],
) -> BatchStatistics {
    let g = pass.context.geometry;
    let mut statistics = BatchStatistics::default();
    for chunk in cut(sequences, |s| s.tokens.len()) {
        // The last token of a text predicts nothing, so it need not be read.
        let inputs = || chunk.iter().map(|s| &s.tokens[..s.tokens.len() - 1]);
        let rows = arena.place(g, inputs().map(<[u32]>::len));
        arena.reserve_gradients(g, rows);
        let mut predictions = Vec::with_capacity(rows);
        for (place, sequence) in arena.places.iter().zip(chunk) {
            let wanted = sequence.tokens.iter().zip(&sequence.targets).skip(1).enumerate();
            predictions.extend(
                wanted
                    .filter(|(_, (_, target))| target.counts())
                    .map(|(t, (&token, &target))| Prediction { row: place.row + t, token, target }),
            );
        }
        statistics.tokens += chunk.iter().map(|s| s.tokens.len() as u64).sum::<u64>();
        if predictions.is_empty() {
            continue;
        }
        forward(pass.context, pass.weights, arena, rows, inputs());
        statistics += loss_back(pass, arena, rows, &predictions, gradient);
        backward(pass, arena, rows, inputs(), gradient);
    }
    statistics
}

/// Log-probabilities of the tokens of a chunk of texts.
pub(super) fn log_probabilities(
    context: Context<'_>,
    weights: &Weights,
    arena: &mut Arena,
    texts: &[Vec<u32>],
) -> Vec<Vec<f32>> {
    let g = context.geometry;
    let inputs = || texts.iter().map(|tokens| &tokens[..tokens.len() - 1]);
    let rows = arena.place(g, inputs().map(<[u32]>::len));
    forward(context, weights, arena, rows, inputs());
    head_logits(context, weights, &arena.hidden, 0..rows, &mut arena.head);
    let mut logits = arena.head.logits.chunks_exact(g.vocabulary_stride);
    let mut of = |tokens: &Vec<u32>| {
        let later = tokens[1..].iter().zip(&mut logits).map(|(&token, row)| {
            let row = &row[..g.vocabulary];
            summarize_logits(context.path, row).normalizer.log_probability(row[token as usize])
        });
        std::iter::once(0.0).chain(later).collect()
    };
    texts.iter().map(&mut of).collect()
}

/// Logits after the last token of one text.
pub(super) fn logits(
    context: Context<'_>,
    weights: &Weights,
    arena: &mut Arena,
    tokens: &[u32],
) -> Vec<f32> {
    let g = context.geometry;
    let rows = arena.place(g, std::iter::once(tokens.len()));
    forward(context, weights, arena, rows, std::iter::once(tokens));
    head_logits(context, weights, &arena.hidden, std::iter::once(rows - 1), &mut arena.head);
    arena.head.logits[..g.vocabulary].to_vec()
}
