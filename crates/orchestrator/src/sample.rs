//! Settled time that is asked for again though nothing looks wrong with it: a sample, so that what a vendor revises late is
//! found by and by.
//!
//! Nothing is doubted for it: it stays covered while it is asked for, and the ledger stays as it is where nothing has changed.
//! What is due when is drawn from the names of pieces and weeks alone, so that every process draws the same. Until when it was
//! taken is one note in the database. When a span was fetched would not tell: neighbours are joined, and the latest counts.

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_catalog::Definition;
use barkeep_planner::Slice;
use barkeep_provider::Limits;
use barkeep_store::{Span, State};
use barkeep_types::{Series, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::clock::Moment;
use crate::dispatch::{Dispatched, enqueue, fetched};
use crate::freshness::final_until;
use crate::plan::{hull, series_of, window};
use crate::taken::Taken;
use crate::{Orchestrator, Result, SliceJob};

/// The note that says until when the sample was taken.
const NOTE: &str = "reverified";
const WEEK: TimeDelta = TimeDelta::weeks(1);
/// The most that one tick makes up for, where there was none for a while; what is older than a week is not made up for.
const AT_A_TIME: TimeDelta = TimeDelta::days(1);
/// How long a piece is: of bars of minutes and hours, and of days and more.
const SHORT: TimeDelta = TimeDelta::days(30);
const LONG: TimeDelta = TimeDelta::days(360);
/// Where pieces end: at an hour at which no market of New York trades.
const AT_NIGHT: TimeDelta = TimeDelta::hours(7);
/// From an epoch to the first Monday.
const TO_MONDAY: TimeDelta = TimeDelta::days(4);

/// What is due of the sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    per_thousand: u32,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// Some symbols over some time, about a page of bars.
#[derive(Debug)]
struct Piece<'a> {
    /// What tells it from others.
    name: String,
    symbols: &'a [Symbol],
    range: TimeRange,
}

impl Sample {
    /// What has come due since it was last taken; nothing where none is to be taken, nor the first time.
    pub(crate) async fn due(orchestrator: &Orchestrator, moment: Moment) -> Result<Option<Self>> {
        let per_thousand = orchestrator.settings().reverify_per_thousand;
        if per_thousand == 0 {
            return Ok(None);
        }
        let now = moment.market;
        let vitals = orchestrator.backend().watch.vitals(SliceJob::KIND).await?;
        let since = vitals.beat(NOTE).and_then(|beat| DateTime::deserialize(&beat.note).ok());
        match since.filter(|since| (now - WEEK..=now).contains(since)) {
            Some(since) => Ok(Some(Self { per_thousand, since, until: now.min(since + AT_A_TIME) })),
            None => {
                Self { per_thousand, since: now, until: now }.taken(orchestrator).await?;
                Ok(None)
            }
        }
    }

    /// Enqueues what is due of a definition; it is taken then.
    pub(crate) async fn dispatch(
        &self,
        orchestrator: &Orchestrator,
        definition: &Definition,
        taken: &mut Taken,
        moment: Moment,
    ) -> Result<Dispatched> {
        let slices = self.slices(orchestrator, definition, taken, moment).await?;
        let reverified = slices.len() as u64;
        let requests = reverified;
        let mut done = Dispatched { reverified, requests, least_requests: requests, ..Dispatched::default() };
        enqueue(orchestrator, definition, slices, taken, &mut done).await?;
        Ok(done)
    }

    /// What is due of a definition, as slices. What is lacking, under way or refused is left out.
    async fn slices(
        &self,
        orchestrator: &Orchestrator,
        definition: &Definition,
        taken: &Taken,
        moment: Moment,
    ) -> Result<Vec<SliceJob>> {
        let calendar = orchestrator.calendar_for(definition.hours);
        let limits = orchestrator.provider().limits();
        let mut slices = Vec::new();
        for timeframe in fetched(definition) {
            let final_until = final_until(calendar, timeframe, moment.market, orchestrator.settings().settle);
            let window = window(calendar, definition.window, &limits, moment.market);
            let Some(settled) = window.and_then(|window| window.before(final_until)) else { continue };
            let pieces = pieces(calendar, definition, timeframe, settled, &limits);
            for piece in pieces.iter().filter(|piece| self.has(piece)) {
                let Some(range) = hull(&calendar.spans(timeframe, definition.hours, piece.range)) else { continue };
                let series = piece.symbols.iter().map(|symbol| series_of(definition, timeframe, symbol));
                let is_free = |series: &Series| {
                    !taken.is_rejected(series) && !taken.live(series).iter().any(|live| live.overlaps(&range))
                };
                let series: Vec<Series> = series.filter(is_free).collect();
                let coverage = orchestrator.backend().store.coverage(&series, range).await?;
                let held = series.into_iter().zip(coverage).filter(|(_, spans)| spans.iter().any(is_settled));
                let symbols: Vec<Symbol> = held.map(|(series, _)| series.symbol).collect();
                if !symbols.is_empty() {
                    let slice = Slice { symbols, range, bars: 0, requests: 1 };
                    slices.push(SliceJob { is_sample: true, ..SliceJob::new(definition, timeframe, slice) });
                }
            }
        }
        Ok(slices)
    }

    /// Notes that it was taken.
    pub(crate) async fn taken(&self, orchestrator: &Orchestrator) -> Result<()> {
        let settings = orchestrator.settings();
        Ok(orchestrator.backend().watch.beat(NOTE, &settings.name, &json!(self.until)).await?)
    }

    /// Whether a piece is due: in the weeks that it is drawn for, at an instant of its own.
    fn has(&self, piece: &Piece<'_>) -> bool {
        let first = week_of(self.since);
        (first..=week_of(self.until)).any(|week| {
            let drawn = hash(&piece.name, week);
            let is_drawn = ((drawn & u64::from(u32::MAX)) * 1000) >> 32 < u64::from(self.per_thousand);
            let within = (WEEK.num_seconds().cast_unsigned() * (drawn >> 32)) >> 32;
            let due_at = start_of(week) + TimeDelta::seconds(within.cast_signed());
            is_drawn && self.since < due_at && due_at <= self.until
        })
    }
}

/// Whether there is something to ask for again. What was answered with nothing is looked at again by itself.
fn is_settled(span: &Span) -> bool {
    span.state == State::Covered && span.rows > 0
}

/// The pieces of a definition's bars of a timeframe, from one end of the settled time to the other.
fn pieces<'a>(
    calendar: &dyn Calendar,
    definition: &'a Definition,
    timeframe: Timeframe,
    settled: TimeRange,
    limits: &Limits,
) -> Vec<Piece<'a>> {
    let length = if timeframe.minutes().is_some() { SHORT } else { LONG };
    let number = |instant: DateTime<Utc>| (instant - AT_NIGHT).timestamp().div_euclid(length.num_seconds());
    let begin = |number: i64| {
        let instant = DateTime::from_timestamp(number * length.num_seconds(), 0)? + AT_NIGHT;
        Some(calendar.bar_at(timeframe, instant).map_or(instant, |bar| bar.start()))
    };
    let groups = definition.symbols.chunks(symbols_a_page(timeframe, limits));
    let groups: Vec<&[Symbol]> = groups.collect();
    let mut pieces = Vec::new();
    // A bar that a piece begins with may have begun before the hour.
    for number in number(settled.start()) - 1..=number(settled.end()) {
        let range = begin(number).zip(begin(number + 1)).and_then(|(start, end)| TimeRange::new(start, end).ok());
        let Some(range) = range.and_then(|range| range.intersection(&settled)) else { continue };
        pieces.extend(groups.iter().enumerate().map(|(group, symbols)| {
            let name = format!("{timeframe}/{}/{}/{group}/{number}", definition.feed, definition.adjustment);
            Piece { name, symbols, range }
        }));
    }
    pieces
}

/// Of how many symbols a piece fills about a page of the vendor's.
fn symbols_a_page(timeframe: Timeframe, limits: &Limits) -> usize {
    const MINUTES_A_DAY: i64 = 390;
    let trading_days = |length: TimeDelta| length.num_days() * 5 / 7;
    let bars = match timeframe.minutes() {
        Some(minutes) => trading_days(SHORT) * MINUTES_A_DAY / i64::from(minutes),
        None => trading_days(LONG),
    };
    let symbols = i64::from(limits.bars_a_page) / bars.max(1);
    usize::try_from(symbols).unwrap_or(1).clamp(1, limits.symbols_a_request.max(1))
}

/// The number of the week that an instant is in, from Monday to Sunday.
fn week_of(instant: DateTime<Utc>) -> i64 {
    (instant - TO_MONDAY).timestamp().div_euclid(WEEK.num_seconds())
}

fn start_of(week: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TO_MONDAY + TimeDelta::seconds(week * WEEK.num_seconds())
}

/// A number for a piece in a week that is the same in every process and version: FNV-1a, and then mixed, since neighbours
/// would have neighbouring numbers.
fn hash(name: &str, week: i64) -> u64 {
    let bytes = name.bytes().chain(week.to_le_bytes());
    let fnv =
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use barkeep_calendar::Nyse;
    use barkeep_catalog::presets;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn limits() -> Limits {
        Limits { symbols_a_request: 100, ..Limits::new(10_000) }
    }

    fn drawn(per_thousand: u32, weeks: i64) -> (usize, BTreeMap<(String, i64), u32>, Vec<u32>) {
        let settled = TimeRange::new(at("2014-01-01T00:00:00Z"), at("2024-01-01T00:00:00Z")).unwrap();
        let definition = presets::tech20();
        let pieces = pieces(&Nyse, &definition, Timeframe::M1, settled, &limits());
        let (mut times, mut days) = (BTreeMap::new(), vec![0; 7]);
        let begin = at("2024-03-04T00:00:00Z");
        for hour in 0..weeks * 7 * 24 {
            let since = begin + TimeDelta::hours(hour);
            let sample = Sample { per_thousand, since, until: since + TimeDelta::hours(1) };
            for piece in pieces.iter().filter(|piece| sample.has(piece)) {
                *times.entry((piece.name.clone(), hour / (7 * 24))).or_default() += 1;
                days[usize::try_from(hour / 24 % 7).unwrap()] += 1;
            }
        }
        (pieces.len(), times, days)
    }

    #[test]
    fn each_week_about_the_share_is_drawn_each_piece_once_and_some_on_every_day() {
        let (pieces, times, days) = drawn(5, 4);
        let expected = pieces * 4 / 200;
        assert!(expected > 45, "{pieces}");
        assert!((expected / 2..=expected * 2).contains(&times.len()), "{} of {expected}", times.len());
        assert!(times.values().all(|times| *times == 1));
        assert!(days.iter().all(|drawn| *drawn > 0), "{days:?}");
        let (pieces, times, _) = drawn(1000, 1);
        assert_eq!(times.len(), pieces, "all of it is all of it");
        assert_eq!(drawn(0, 1).1.len(), 0);
    }

    #[test]
    fn pieces_are_whole_bars_tile_the_settled_time_and_fill_about_a_page() {
        let settled = TimeRange::new(at("2020-02-03T05:00:00Z"), at("2024-03-02T05:00:00Z")).unwrap();
        let definition = presets::tech20();
        for timeframe in [Timeframe::M1, Timeframe::M15, Timeframe::H4, Timeframe::D1, Timeframe::W1] {
            let pieces = pieces(&Nyse, &definition, timeframe, settled, &limits());
            let of_first: Vec<_> = pieces
                .iter()
                .filter(|piece| piece.symbols.contains(&definition.symbols[0]))
                .map(|piece| piece.range)
                .collect();
            assert_eq!(
                (of_first[0].start(), of_first.last().unwrap().end()),
                (settled.start(), settled.end()),
                "{timeframe}"
            );
            for pair in of_first.windows(2) {
                assert_eq!(pair[0].end(), pair[1].start(), "{timeframe}");
                assert_eq!(Nyse.bar_at(timeframe, pair[1].start()).unwrap().start(), pair[1].start(), "{timeframe}");
            }
        }
        let sizes = [Timeframe::M1, Timeframe::H1, Timeframe::D1].map(|timeframe| symbols_a_page(timeframe, &limits()));
        assert_eq!(sizes, [1, 73, 38]);
    }
}
