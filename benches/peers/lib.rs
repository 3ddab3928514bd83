//! What benches compare barkeep with: the same question, answered by what people use today.
//!
//! Every function puts into `gaps` the slots of `window` that `covered` does not hold.

use std::ops::{Bound, Range};

use rangemap::RangeSet;
use unbounded_interval_tree::interval_tree::IntervalTree;

/// By `rangemap`'s set of ranges, a B-tree that joins what touches.
pub fn rangemap(window: Range<u32>, covered: &[Range<u32>], gaps: &mut Vec<Range<u32>>) {
    let set: RangeSet<u32> = covered.iter().cloned().collect();
    gaps.clear();
    gaps.extend(set.gaps(&window));
}

/// By an interval tree that does not balance itself, as a well-known trading engine's catalog does.
pub fn interval_tree(window: Range<u32>, covered: &[Range<u32>], gaps: &mut Vec<Range<u32>>) {
    let mut tree = IntervalTree::default();
    for range in covered {
        tree.insert((Bound::Included(range.start), Bound::Excluded(range.end)));
    }
    let inclusive = |bound| match bound {
        Bound::Included(slot) => slot,
        Bound::Excluded(slot) => slot + 1,
        Bound::Unbounded => 0,
    };
    let exclusive = |bound| match bound {
        Bound::Included(slot) => slot + 1,
        Bound::Excluded(slot) => slot,
        Bound::Unbounded => u32::MAX,
    };
    let window = (Bound::Included(window.start), Bound::Excluded(window.end));
    gaps.clear();
    let found = tree.get_interval_difference(&window);
    gaps.extend(found.into_iter().map(|(start, end)| inclusive(start.cloned())..exclusive(end.cloned())));
}
