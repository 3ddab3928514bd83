use std::ops::Range;

/// A half-open run of bar slots of a [`Grid`](barkeep_types::Grid).
pub type Slots = Range<u32>;

/// Puts into `gaps` the slots of `window` that neither list holds, in order, none touching another.
///
/// `gaps` is emptied first, so that one buffer serves any number of series. Lists in order are swept once; a list in
/// disorder is sorted first. Ranges may overlap, touch, be empty or inverted, and lie outside of the window.
///
/// ```
/// let mut gaps = Vec::new();
/// barkeep_planner::gaps(0..10, &[2..4], &[4..5, 8..9], &mut gaps);
/// assert_eq!(gaps, [0..2, 5..8, 9..10]);
/// ```
pub fn gaps(window: Slots, covered: &[Slots], live: &[Slots], gaps: &mut Vec<Slots>) {
    gaps.clear();
    if is_sorted(covered) && is_sorted(live) {
        sweep(window, merge(covered, live), gaps);
    } else {
        let mut held: Vec<Slots> = covered.iter().chain(live).cloned().collect();
        held.sort_unstable_by_key(|slots| slots.start);
        sweep(window, held.iter(), gaps);
    }
}

fn is_sorted(list: &[Slots]) -> bool {
    list.is_sorted_by_key(|slots| slots.start)
}

/// Both lists as one, in order of start.
fn merge<'a>(left: &'a [Slots], right: &'a [Slots]) -> impl Iterator<Item = &'a Slots> {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(first), Some(second)) if second.start < first.start => right.next(),
        (Some(_), _) => left.next(),
        (None, _) => right.next(),
    })
}

fn sweep<'a>(window: Slots, held: impl Iterator<Item = &'a Slots>, gaps: &mut Vec<Slots>) {
    let mut free = window.start;
    for slots in held {
        if slots.start >= window.end {
            break;
        }
        if slots.is_empty() {
            continue;
        }
        if slots.start > free {
            gaps.push(free..slots.start);
        }
        free = free.max(slots.end);
    }
    if free < window.end {
        gaps.push(free..window.end);
    }
}
