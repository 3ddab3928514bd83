//! Bars of any timeframe out of the minute and daily bars that the vendor builds from trades.

use std::iter::Peekable;

use crate::candle::Candle;
use crate::market::{Order, Tape};
use crate::span::Span;
use crate::zone::Zone;

/// A bar, and what it was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Made {
    pub(crate) candle: Candle,
    /// How many source bars went into it.
    pub(crate) sources: usize,
    /// Where the last source bar taken starts.
    pub(crate) last_source: i64,
}

/// The bars of one timeframe, in the order of their source bars.
pub(crate) struct Bars<'tape> {
    sources: Peekable<Box<dyn Iterator<Item = Candle> + 'tape>>,
    span: Span,
    zone: Zone,
    order: Order,
    /// After so many source bars, the running bar ends wherever it is.
    cut_after: usize,
}

impl<'tape> Bars<'tape> {
    /// Bars out of the source bars that start within `[from, to]`.
    pub(crate) fn of(tape: &'tape Tape<'_>, span: Span, from: i64, to: i64, order: Order) -> Self {
        let zone = tape.zone();
        let sources = tape.read(span, from, to, order).peekable();
        Self { sources, span, zone, order, cut_after: usize::MAX }
    }

    pub(crate) fn cut_after(self, sources: usize) -> Self {
        Self { cut_after: sources, ..self }
    }
}

impl Iterator for Bars<'_> {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        let first = self.sources.next()?;
        let start = self.span.start_of(first.start, self.zone);
        let mut members = vec![first];
        self.cut_after = self.cut_after.saturating_sub(1);
        while self.cut_after > 0 {
            let same = |next: &Candle| self.span.start_of(next.start, self.zone) == start;
            let Some(next) = self.sources.next_if(same) else { break };
            members.push(next);
            self.cut_after -= 1;
        }
        let last_source = members.last()?.start;
        if self.order == Order::Descending {
            members.reverse();
        }
        Some(Made { candle: Candle::of(&members, start)?, sources: members.len(), last_source })
    }
}
