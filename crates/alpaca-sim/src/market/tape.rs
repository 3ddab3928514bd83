//! The source bars of one symbol, as one caller may see them.

use barkeep_types::Adjustment;
use chrono::NaiveDate;

use super::actions::Factors;
use super::instrument::Instrument;
use super::prices::Venue;
use super::recorded::Recording;
use crate::candle::Candle;
use crate::days::{Day, Days};
use crate::span::{Source, Span};
use crate::zone::Zone;

/// Which of a symbol's truths is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) venue: Venue,
    pub(crate) adjustment: Adjustment,
    pub(crate) asof: Asof,
    /// Nothing later than this has happened.
    pub(crate) now: i64,
    /// For how many seconds after its end a bar is not final.
    pub(crate) settling: i64,
}

/// Whose history a symbol stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asof {
    /// That of the company that holds the symbol today.
    Today,
    /// That of the company that held the symbol on that day.
    Date(NaiveDate),
    /// `-`: whatever traded under the symbol, at any time.
    Unmapped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// The source bars of one symbol, in one view.
#[derive(Clone, Debug)]
pub(crate) struct Tape<'market> {
    zone: Zone,
    supply: Supply<'market>,
}

#[derive(Clone, Debug)]
enum Supply<'market> {
    Recorded(&'market Recording),
    Synthetic { days: &'market Days, view: View, pieces: Vec<Piece<'market>> },
}

/// An instrument from one day to another, in Unix seconds, both inclusive.
#[derive(Clone, Debug)]
pub(super) struct Piece<'market> {
    pub(super) instrument: &'market Instrument,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) factors: Factors,
}

/// Source bars, one after the other.
pub(crate) type Candles<'tape> = Box<dyn Iterator<Item = Candle> + 'tape>;

impl<'market> Tape<'market> {
    pub(super) fn recorded(zone: Zone, recording: &'market Recording) -> Self {
        Self { zone, supply: Supply::Recorded(recording) }
    }

    /// `pieces` in the order of time.
    pub(super) fn synthetic(days: &'market Days, view: View, pieces: Vec<Piece<'market>>) -> Option<Self> {
        let zone = pieces.first()?.instrument.zone;
        Some(Self { zone, supply: Supply::Synthetic { days, view, pieces } })
    }

    pub(crate) fn zone(&self) -> Zone {
        self.zone
    }

    /// The bars that bars of `span` are made of and that start within `[from, to]`.
    pub(crate) fn read(&self, span: Span, from: i64, to: i64, order: Order) -> Candles<'_> {
        match &self.supply {
            Supply::Recorded(recording) => recording.read(span, from, to, order),
            Supply::Synthetic { days, view, pieces } => {
                let read = move |piece| read(piece, days, view, span.source(), from, to, order);
                match order {
                    Order::Ascending => Box::new(pieces.iter().flat_map(read)),
                    Order::Descending => Box::new(pieces.iter().rev().flat_map(read)),
                }
            }
        }
    }
}

fn read<'tape>(
    piece: &'tape Piece<'_>,
    days: &Days,
    view: &'tape View,
    source: Source,
    from: i64,
    to: i64,
    order: Order,
) -> Candles<'tape> {
    let (from, to) = (from.max(piece.from), to.min(piece.to).min(view.now));
    let of_day = move |day: Day| {
        let raw = piece.instrument.raw(source, &day, view, from, to).into_iter();
        raw.map(|bar| piece.factors.apply(bar))
    };
    let days = days.within(piece.instrument.zone, from, to).into_iter();
    match order {
        Order::Ascending => Box::new(days.flat_map(of_day)),
        Order::Descending => Box::new(days.rev().flat_map(move |day| of_day(day).rev())),
    }
}
