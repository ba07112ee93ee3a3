//! Random draws from non-empty slices, by the project's counter-based streams.

use shoprl_rl::seed::Stream;

/// Draws one element uniformly.
///
/// # Panics
/// If `items` is empty. Callers pass a vocabulary or a list that they have just filled.
pub(crate) fn pick<T: Copy>(stream: &mut Stream, items: &[T]) -> T {
    items[index(stream, items.len())]
}

/// Draws a position below `length` uniformly; `length` is at least 1.
pub(crate) fn index(stream: &mut Stream, length: usize) -> usize {
    stream.below(length as u64) as usize
}

/// Draws `count` different elements in random order; all of them if there are fewer.
pub(crate) fn sample<T: Copy>(stream: &mut Stream, items: &[T], count: usize) -> Vec<T> {
    let mut shuffled = items.to_vec();
    stream.shuffle(&mut shuffled);
    shuffled.truncate(count);
    shuffled
}

/// Draws an element other than `current` uniformly; `items` must hold one.
pub(crate) fn pick_other<T: Copy + PartialEq>(stream: &mut Stream, items: &[T], current: T) -> T {
    let others: Vec<T> = items.iter().copied().filter(|item| *item != current).collect();
    pick(stream, &others)
}
