//! From time to bar slots.

use barkeep_types::{Grid, TimeRange};
use chrono::{DateTime, Utc};

use crate::Slots;

/// Puts into `slots` what each range of the lists holds of the grid, leaving out ranges that hold no bar.
pub(crate) fn locate<'a>(grid: &Grid, lists: impl Iterator<Item = &'a [TimeRange]>, slots: &mut Vec<Slots>) {
    slots.clear();
    let located = lists.flatten().map(|range| grid.slots_in(*range));
    slots.extend(located.filter(|slots| !slots.is_empty()));
}

/// How many of the grid's first bars have ended by then.
pub(crate) fn settled_slots(grid: &Grid, until: DateTime<Utc>) -> u32 {
    let started = grid.first_slot_from(until);
    let is_unfinished = |slot| grid.bar(slot).is_some_and(|bar| bar.end() > until);
    started - u32::from(started.checked_sub(1).is_some_and(is_unfinished))
}
