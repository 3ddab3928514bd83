//! Universes for property tests: some series over some sessions, each with coverage and live slices of its own.

use barkeep_planner::{Density, SeriesState};
use barkeep_types::{Grid, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, Utc};
use proptest::prelude::*;

/// Hours from the start of the universe to its end.
pub(crate) const HOURS: i64 = 24 * 14;

#[derive(Clone, Debug)]
pub(crate) struct Universe {
    pub(crate) timeframe: Timeframe,
    pub(crate) spans: Vec<TimeRange>,
    pub(crate) rows: Vec<SeriesRow>,
}

#[derive(Clone, Debug)]
pub(crate) struct SeriesRow {
    pub(crate) symbol: Symbol,
    pub(crate) covered: Vec<TimeRange>,
    pub(crate) live: Vec<TimeRange>,
    pub(crate) density: Option<Density>,
}

impl SeriesRow {
    pub(crate) fn state(&self) -> SeriesState<'_> {
        let Self { symbol, covered, live, density } = self;
        SeriesState { symbol, covered, live, density: *density }
    }
}

pub(crate) fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_709_500_000 / 86_400 * 86_400 + minute * 60, 0).unwrap()
}

pub(crate) fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(at(start), at(end)).unwrap()
}

pub(crate) fn grid_of(universe: &Universe) -> Grid {
    Grid::new(universe.timeframe, universe.spans.clone())
}

pub(crate) fn states(universe: &Universe) -> Vec<SeriesState<'_>> {
    universe.rows.iter().map(SeriesRow::state).collect()
}

/// A minute in the universe or around it.
pub(crate) fn settled_anywhere() -> impl Strategy<Value = i64> {
    prop_oneof![2 => Just(HOURS * 60 + 600), 1 => -100..HOURS * 60 + 100]
}

pub(crate) fn universe() -> impl Strategy<Value = Universe> {
    let timeframe = prop::sample::select(vec![Timeframe::M15, Timeframe::H1, Timeframe::H4, Timeframe::D1]);
    (timeframe, 1..12_i64, 0..5_i64, prop::collection::vec(row(), 0..24)).prop_map(|(timeframe, hours, start, rows)| {
        let days = HOURS / 24;
        let session = |day: i64| range((day * 24 + start) * 60, (day * 24 + start + hours) * 60);
        let weekdays = (0..days).filter(|day| day % 7 < 5);
        Universe { timeframe, spans: weekdays.map(session).collect(), rows }
    })
}

/// Ranges on whole quarter hours, or sessions, in any order.
fn ranges(most: usize) -> impl Strategy<Value = Vec<TimeRange>> {
    let quarter_hours = (0..HOURS * 4, 1..400_i64).prop_map(|(start, length)| range(start * 15, (start + length) * 15));
    let days = (0..14_i64, 1..5_i64).prop_map(|(day, days)| range(day * 1440, (day + days) * 1440));
    prop::collection::vec(prop_oneof![quarter_hours, days], 0..=most)
}

fn row() -> impl Strategy<Value = SeriesRow> {
    let live = prop_oneof![3 => Just(Vec::new()), 1 => ranges(3)];
    let number = prop_oneof![4 => 0.0..80.0_f64, 1 => prop::sample::select(vec![0.0, -1.0, f64::NAN, f64::INFINITY])];
    let density =
        prop::option::of((number.clone(), number).prop_map(|(bars, source_bars)| Density { bars, source_bars }));
    ("[A-C][A-D]{0,1}", ranges(4), live, density).prop_map(|(symbol, covered, live, density)| SeriesRow {
        symbol: symbol.parse().unwrap(),
        covered,
        live,
        density,
    })
}
