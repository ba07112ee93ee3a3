//! The order in which gradients of micro-batches are added.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A sum over leaves `0..n` by a fixed binary tree, in whatever order the leaves complete.
///
/// On every level node `2i + 1` is added to node `2i`; a node without a neighbour moves up unchanged. The tree
/// depends on `n` only, so thread and rank counts do not change the bits. A rank that holds an aligned block of
/// `2^k` leaves can sum it alone and insert the block's node into the same tree.
#[derive(Debug)]
pub struct TreeSum<T> {
    leaves: usize,
    waiting: Mutex<BTreeMap<(u32, usize), T>>,
}

impl<T> TreeSum<T> {
    /// A sum over `leaves` leaves.
    #[must_use]
    pub fn new(leaves: usize) -> Self {
        Self { leaves, waiting: Mutex::new(BTreeMap::new()) }
    }

    /// Adds a leaf. `add(left, right)` stores the sum in `left`; it runs on the calling thread without a lock. The
    /// call that completes the sum returns it.
    pub fn insert(&self, leaf: usize, value: T, mut add: impl FnMut(&mut T, T)) -> Option<T> {
        let (mut level, mut index, mut value) = (0, leaf, value);
        loop {
            let count = self.leaves.div_ceil(1 << level);
            if count <= 1 {
                return Some(value);
            }
            let neighbour = index ^ 1;
            if neighbour < count {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(other) = waiting.remove(&(level, neighbour)) else {
                    waiting.insert((level, index), value);
                    return None;
                };
                drop(waiting);
                let (mut left, right) =
                    if index < neighbour { (value, other) } else { (other, value) };
                add(&mut left, right);
                value = left;
            }
            (level, index) = (level + 1, index / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(n: usize, order: impl Iterator<Item = usize>) -> String {
        let tree = TreeSum::new(n);
        let add = |left: &mut String, right: String| *left = format!("({left}+{right})");
        order.filter_map(|i| tree.insert(i, i.to_string(), add)).last().unwrap()
    }

    #[test]
    fn the_tree_depends_only_on_the_number_of_leaves() {
        let check = |n: usize, expected: &str| {
            assert_eq!(shape(n, 0..n), expected);
            assert_eq!(shape(n, (0..n).rev()), expected);
            assert_eq!(shape(n, (0..n).map(|i| (i * 7 + 3) % n)), expected);
        };
        check(1, "0");
        check(2, "(0+1)");
        check(3, "((0+1)+2)");
        check(5, "(((0+1)+(2+3))+4)");
        check(6, "(((0+1)+(2+3))+(4+5))");
    }
}
