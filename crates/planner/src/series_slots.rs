use std::fmt;
use std::ops::Range;

/// A half-open run of bar slots of a [`Grid`](barkeep_types::Grid).
pub type Slots = Range<u32>;

/// Runs of bar slots of many series, a list each, in one piece of memory that is used again and again.
#[derive(Clone, Default)]
pub struct SeriesSlots {
    // Those of all series, one after another; beyond the last end there may be left-over room.
    slots: Vec<Slots>,
    // Where each series' runs end.
    ends: Vec<usize>,
}

impl SeriesSlots {
    /// Adds a series.
    pub fn push(&mut self, slots: impl IntoIterator<Item = Slots>) {
        self.slots.truncate(self.slots());
        self.slots.extend(slots);
        self.ends.push(self.slots.len());
    }

    /// The number of series.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no series.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The number of runs of all series.
    pub fn slots(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Each series' runs.
    pub fn iter(&self) -> impl Iterator<Item = &[Slots]> {
        self.ends.iter().scan(0, |start, end| {
            let runs = &self.slots[*start..*end];
            *start = *end;
            Some(runs)
        })
    }

    /// Makes the runs of each series of `from` with `make`, which is given room and says how much of it it used.
    #[inline]
    pub(crate) fn fill<'a>(
        &mut self,
        series: usize,
        most: usize,
        from: impl Iterator<Item = &'a [Slots]>,
        mut make: impl FnMut(&'a [Slots], &mut [Slots]) -> usize,
    ) {
        if self.slots.len() < most {
            self.slots.resize(most, 0..0);
        }
        self.ends.resize(series, 0);
        let mut end = 0;
        for (from, made) in from.zip(&mut self.ends) {
            end += make(from, &mut self.slots[end..]);
            *made = end;
        }
    }
}

impl fmt::Debug for SeriesSlots {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}
