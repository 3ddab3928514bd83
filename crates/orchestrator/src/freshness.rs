//! What counts as held of what was fetched, and what is asked for once more: bars that were not settled, time in doubt, and
//! answers that were empty.

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_store::{Span, State};
use barkeep_types::{Coverage, Hours, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};

/// How often an empty answer is asked for in all: of a series that has bars elsewhere, and of one that has none.
const LOOKS_AT_ACTIVE: u32 = 4;
const LOOKS_AT_SILENT: u32 = 2;

/// Bars of `timeframe` that start before this are final: the session they are of, after-hours included, ended `settle` ago.
pub(crate) fn final_until(
    calendar: &dyn Calendar,
    timeframe: Timeframe,
    now: DateTime<Utc>,
    settle: TimeDelta,
) -> DateTime<Utc> {
    let instant = now - settle;
    let session = calendar.session_at(instant, Hours::Extended);
    let instant = session.map_or(instant, |session| session.span(Hours::Extended).start());
    calendar.bar_at(timeframe, instant).map_or(instant, |bar| bar.start())
}

/// A range, cut where bars stop being final.
pub(crate) fn by_state(range: TimeRange, final_until: DateTime<Utc>) -> impl Iterator<Item = (TimeRange, State)> {
    let settled = range.before(final_until).map(|range| (range, State::Covered));
    let running = range.from(final_until).map(|range| (range, State::Provisional));
    settled.into_iter().chain(running)
}

/// The time that need not be fetched: covered, or provisional and not yet final.
pub(crate) fn held(spans: &[Span], final_until: DateTime<Utc>) -> Coverage {
    let held = |span: &Span| match span.state {
        State::Covered => Some(span.range),
        State::Provisional => span.range.from(final_until),
        State::Suspect => None,
    };
    spans.iter().filter_map(held).collect()
}

/// The spans that were answered with nothing and are due to be asked for again: after `recheck_after`, then after twice as
/// long each time, and not for ever.
pub(crate) fn empty_again(spans: &[Span], now: DateTime<Utc>, recheck_after: TimeDelta) -> Vec<TimeRange> {
    let is_active = spans.iter().any(|span| span.rows > 0);
    let looks = if is_active { LOOKS_AT_ACTIVE } else { LOOKS_AT_SILENT };
    let is_due = |span: &&Span| {
        let is_open = span.state == State::Covered && (1..looks).contains(&span.empty_checks);
        is_open && now - span.fetched_at >= recheck_after * (1 << (span.empty_checks - 1))
    };
    spans.iter().filter(is_due).map(|span| span.range).collect()
}

#[cfg(test)]
mod tests {
    use barkeep_calendar::Nyse;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn final_at(timeframe: Timeframe, now: &str) -> DateTime<Utc> {
        final_until(&Nyse, timeframe, at(now), TimeDelta::hours(8))
    }

    #[test]
    fn a_session_is_final_eight_hours_after_its_late_close_that_is_with_the_next_early_open() {
        let (monday, tuesday) = (at("2024-03-11T08:00:00Z"), at("2024-03-12T08:00:00Z"));
        for now in ["2024-03-11T18:00:00Z", "2024-03-12T00:00:00Z", "2024-03-12T07:59:59Z"] {
            assert_eq!(final_at(Timeframe::M15, now), monday, "{now}");
        }
        assert_eq!(final_at(Timeframe::M15, "2024-03-12T08:00:00Z"), at("2024-03-12T00:00:00Z"));
        assert_eq!(final_at(Timeframe::M15, "2024-03-12T19:00:00Z"), tuesday);
        assert_eq!(final_at(Timeframe::M15, "2024-03-10T12:00:00Z"), at("2024-03-10T04:00:00Z"), "a Sunday");
    }

    #[test]
    fn a_bar_is_never_final_in_part() {
        assert_eq!(final_at(Timeframe::H4, "2024-03-13T15:30:00Z"), at("2024-03-13T04:00:00Z"));
        assert_eq!(final_at(Timeframe::D1, "2024-03-12T11:59:59Z"), at("2024-03-11T04:00:00Z"));
        assert_eq!(final_at(Timeframe::D1, "2024-03-12T12:00:00Z"), at("2024-03-12T04:00:00Z"));
        assert_eq!(final_at(Timeframe::W1, "2024-03-17T12:00:00Z"), at("2024-03-11T04:00:00Z"));
        assert_eq!(final_at(Timeframe::W1, "2024-03-18T12:00:00Z"), at("2024-03-18T04:00:00Z"));
    }

    #[test]
    fn what_is_proved_is_cut_where_bars_stop_being_final() {
        let range = |from, to| TimeRange::new(at(from), at(to)).unwrap();
        let (whole, noon) = (range("2024-03-11T08:00:00Z", "2024-03-11T20:00:00Z"), at("2024-03-11T12:00:00Z"));
        let cut: Vec<_> = by_state(whole, noon).collect();
        let (before, after) = (whole.before(noon).unwrap(), whole.from(noon).unwrap());
        assert_eq!(cut, [(before, State::Covered), (after, State::Provisional)]);
        assert_eq!(by_state(whole, whole.end()).collect::<Vec<_>>(), [(whole, State::Covered)]);
        assert_eq!(by_state(whole, whole.start()).collect::<Vec<_>>(), [(whole, State::Provisional)]);
    }
}
