//! Draws over slices that are never empty, in terms of the project's counter-based streams.

use shoprl_rl::seed::Stream;

/// One element, uniformly.
///
/// # Panics
/// If `items` is empty: every caller passes a vocabulary or a list that it has just filled.
pub(crate) fn pick<T: Copy>(stream: &mut Stream, items: &[T]) -> T {
    items[index(stream, items.len())]
}

/// A position below `length`, uniformly; `length` is at least 1.
pub(crate) fn index(stream: &mut Stream, length: usize) -> usize {
    stream.below(length as u64) as usize
}

/// `count` different elements in random order; all of them when there are fewer.
pub(crate) fn sample<T: Copy>(stream: &mut Stream, items: &[T], count: usize) -> Vec<T> {
    let mut shuffled = items.to_vec();
    stream.shuffle(&mut shuffled);
    shuffled.truncate(count);
    shuffled
}

/// An element other than `current`, uniformly; `items` holds at least one other.
pub(crate) fn pick_other<T: Copy + PartialEq>(stream: &mut Stream, items: &[T], current: T) -> T {
    let others: Vec<T> = items.iter().copied().filter(|item| *item != current).collect();
    pick(stream, &others)
}
