//! Chunks of texts: few enough rows that a layer's working memory stays in the cache.

use super::arena::Arena;
use super::backward::backward;
use super::context::GradientContext;
use super::forward::forward;
use super::loss::{Prediction, loss_back};
use crate::batch::{BatchStatistics, Sequence};
use crate::decoder::head::logits as head_logits;
use crate::decoder::layer::Context;
use crate::decoder::weights::Weights;
use crate::kernel::summarize_logits;

/// Most rows of a chunk; a longer text is a chunk of its own.
const ROWS: usize = 256;

/// Cuts texts into chunks by their lengths only.
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
    inputs: GradientContext<'_>,
    arena: &mut Arena,
    sequences: &[Sequence],
    gradient: &mut [f32],
) -> BatchStatistics {
    let geometry = inputs.context.geometry;
    let mut statistics = BatchStatistics::default();
    for chunk in cut(sequences, |s| s.tokens.len()) {
        // The last token of a text predicts nothing, so it is not an input.
        let texts = || chunk.iter().map(|s| &s.tokens[..s.tokens.len() - 1]);
        let rows = arena.place(geometry, texts().map(<[u32]>::len));
        arena.reserve_gradients(geometry, rows);
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
        forward(inputs.context, inputs.weights, arena, rows, texts());
        statistics += loss_back(inputs, arena, rows, &predictions, gradient);
        backward(inputs, arena, rows, texts(), gradient);
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
    let geometry = context.geometry;
    let inputs = || texts.iter().map(|tokens| &tokens[..tokens.len() - 1]);
    let rows = arena.place(geometry, inputs().map(<[u32]>::len));
    forward(context, weights, arena, rows, inputs());
    head_logits(context, weights, &arena.hidden, 0..rows, &mut arena.head);
    let mut logits = arena.head.logits.chunks_exact(geometry.vocabulary_stride);
    let mut of = |tokens: &Vec<u32>| {
        let later = tokens[1..].iter().zip(&mut logits).map(|(&token, row)| {
            let row = &row[..geometry.vocabulary];
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
    let geometry = context.geometry;
    let rows = arena.place(geometry, std::iter::once(tokens.len()));
    forward(context, weights, arena, rows, std::iter::once(tokens));
    head_logits(context, weights, &arena.hidden, std::iter::once(rows - 1), &mut arena.head);
    arena.head.logits[..geometry.vocabulary].to_vec()
}
