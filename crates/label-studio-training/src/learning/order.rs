//! The order in which examples are seen.

use crate::numbers::dropout::mixed;

/// Returns the numbers below `n` in the order of an epoch.
pub(crate) fn shuffled(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    #[expect(clippy::cast_possible_truncation, reason = "any number does as a seed")]
    let seed = mixed(epoch as u32, (seed ^ (seed >> 32)) as u32);
    for last in (1..n).rev() {
        #[expect(clippy::cast_possible_truncation, reason = "any number does as a seed")]
        let bits = u64::from(mixed(last as u32, seed));
        // The upper half of the product is below `last + 1`.
        let chosen = (bits * (last as u64 + 1)) >> 32;
        order.swap(last, usize::try_from(chosen).expect("it is at most `last`"));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::shuffled;

    #[test]
    fn every_epoch_has_all_examples_in_an_order_of_its_own() {
        let (first, second) = (shuffled(100, 42, 0), shuffled(100, 42, 1));
        assert_eq!(first, shuffled(100, 42, 0));
        assert_ne!(first, second);
        assert_ne!(first, shuffled(100, 43, 0));
        let mut sorted = second;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert!(shuffled(0, 1, 1).is_empty());
    }
}
