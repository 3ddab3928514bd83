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
    let was_in_order = match (covered, live) {
        (one, []) | ([], one) => sweep(&window, one.iter(), one.len(), gaps),
        _ => sweep(&window, merge(covered, live), covered.len() + live.len(), gaps),
    };
    if !was_in_order {
        let mut held: Vec<Slots> = covered.iter().chain(live).cloned().collect();
        held.sort_unstable_by_key(|slots| slots.start);
        sweep(&window, held.iter(), held.len(), gaps);
    }
}

/// Both lists as one, in order of start if each is.
fn merge<'a>(left: &'a [Slots], right: &'a [Slots]) -> impl Iterator<Item = &'a Slots> {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(first), Some(second)) if second.start < first.start => right.next(),
        (Some(_), _) => left.next(),
        (None, _) => right.next(),
    })
}

/// Finds the gaps between runs in order; false if they were not, and then what was found means nothing.
fn sweep<'a>(window: &Slots, held: impl Iterator<Item = &'a Slots>, most: usize, gaps: &mut Vec<Slots>) -> bool {
    gaps.clear();
    gaps.reserve(most + 1);
    let (mut free, mut last, mut is_in_order) = (window.start, 0, true);
    for slots in held {
        is_in_order &= slots.start >= last;
        last = slots.start;
        if slots.start < slots.end {
            let start = slots.start.min(window.end);
            if free < start {
                gaps.push(free..start);
            }
            free = free.max(slots.end);
        }
    }
    if free < window.end {
        gaps.push(free..window.end);
    }
    is_in_order
}
