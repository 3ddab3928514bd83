use crate::{SeriesSlots, Slots};

/// Puts into `gaps` the slots of `window` that neither list holds, in order, none touching another.
///
/// What was in `gaps` is gone, so that one buffer serves any number of series. Lists in order are swept, at most twice;
/// lists in disorder, or of runs that overlap, are sorted and joined first. Ranges may overlap, touch, be empty or inverted, and lie outside of the window.
///
/// ```
/// let mut gaps = Vec::new();
/// barkeep_planner::gaps(0..10, &[2..4], &[4..5, 8..9], &mut gaps);
/// assert_eq!(gaps, [0..2, 5..8, 9..10]);
/// ```
pub fn gaps(window: Slots, covered: &[Slots], live: &[Slots], gaps: &mut Vec<Slots>) {
    let most = covered.len() + live.len() + 1;
    gaps.resize(most, 0..0);
    let found = match (covered, live) {
        (one, []) | ([], one) => sweep_any(&window, one, gaps),
        _ => sweep(&window, merge(covered, live), gaps)
            .unwrap_or_else(|| sweep_any(&window, &[covered, live].concat(), gaps)),
    };
    gaps.truncate(found);
}

/// The same for many series at once: `held` has the slots of each that are covered or live, `gaps` gets those missing.
///
/// What was in `gaps` is gone. For series of few runs, several times as fast as [`gaps()`] one after another.
///
/// ```
/// use barkeep_planner::{SeriesSlots, gaps_of_each};
///
/// let mut held = SeriesSlots::default();
/// held.push([2..4, 6..10]);
/// held.push([]);
/// let mut gaps = SeriesSlots::default();
/// gaps_of_each(0..10, &held, &mut gaps);
/// assert!(gaps.iter().eq([&[0..2, 4..6][..], &[0..10]]));
/// ```
pub fn gaps_of_each(window: Slots, held: &SeriesSlots, gaps: &mut SeriesSlots) {
    gaps.fill(held.len(), held.slots() + held.len(), held.iter(), |held, free| {
        if held.is_empty() {
            // Most series of a new universe: nothing to sweep.
            free[0] = window.clone();
            usize::from(!window.is_empty())
        } else {
            sweep_any(&window, held, free)
        }
    });
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

#[inline]
fn sweep_any(window: &Slots, held: &[Slots], gaps: &mut [Slots]) -> usize {
    sweep_apart(window, held, gaps)
        .or_else(|| sweep(window, held.iter(), gaps))
        .unwrap_or_else(|| sweep_normalised(window, held, gaps))
}

/// As [`sweep`], of runs that lie apart: then there is a gap before and after each, but for runs that hold an end of the
/// window, and where a gap goes does not depend on the gaps before it. `None` of other runs.
#[inline]
fn sweep_apart(window: &Slots, mut held: &[Slots], gaps: &mut [Slots]) -> Option<usize> {
    let (mut free, mut end, mut are_apart) = (window.start, window.end, true);
    if let [first, rest @ ..] = held
        && first.start <= free
    {
        are_apart = first.end > free;
        (free, held) = (first.end, rest);
    }
    if let [rest @ .., last] = held
        && last.end >= end
    {
        are_apart &= last.start < end;
        (end, held) = (last.start, rest);
    }
    let (before, after) = gaps.split_at_mut(held.len());
    for (gap, slots) in before.iter_mut().zip(held) {
        *gap = free..slots.start;
        are_apart &= (free < slots.start) & (slots.start < slots.end);
        free = slots.end;
    }
    after[0] = free..end;
    (are_apart & (free < end)).then_some(held.len() + 1)
}

/// Of runs in disorder, that overlap, or that hold nothing.
#[cold]
fn sweep_normalised(window: &Slots, held: &[Slots], gaps: &mut [Slots]) -> usize {
    let mut held: Vec<Slots> = held.iter().filter(|slots| !slots.is_empty()).cloned().collect();
    held.sort_by_key(|slots| slots.start);
    held.dedup_by(|next, kept| {
        let is_joined = next.start <= kept.end;
        kept.end = if is_joined { kept.end.max(next.end) } else { kept.end };
        is_joined
    });
    sweep(window, held.iter(), gaps).unwrap_or_default()
}

/// Puts the gaps between runs into the first of `gaps`, which has room for one more than there are runs. How many there
/// are; `None` if runs are not each after the one before, or one holds nothing.
///
/// Without branches: what is no gap is written over by what comes next.
#[inline]
fn sweep<'a>(window: &Slots, held: impl Iterator<Item = &'a Slots>, gaps: &mut [Slots]) -> Option<usize> {
    let (mut free, mut last_end, mut is_in_order) = (window.start, 0, true);
    let mut found = 0;
    for slots in held {
        is_in_order &= (slots.start >= last_end) & (slots.end > slots.start);
        last_end = slots.end;
        let start = slots.start.min(window.end);
        gaps[found] = free..start;
        found += usize::from(free < start);
        free = window.start.max(slots.end);
    }
    gaps[found] = free..window.end;
    found += usize::from(free < window.end);
    is_in_order.then_some(found)
}
