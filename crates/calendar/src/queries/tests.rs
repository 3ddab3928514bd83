use barkeep_types::TimeRange;
use chrono::NaiveTime;
use proptest::prelude::*;

use super::*;
use crate::{Always, Nyse, Table};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn range(start: &str, end: &str) -> TimeRange {
    TimeRange::new(at(start), at(end)).unwrap()
}

/// Up to 50 days between 1989 and 2035, with ends anywhere in a day.
fn ranges() -> impl Strategy<Value = TimeRange> {
    (599_616_000..2_082_758_400_i64, 1..4_320_000_i64).prop_map(|(start, length)| {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        TimeRange::new(at(start), at(start + length)).unwrap()
    })
}

/// Weeks in which clocks change and half days fall, ends included.
fn awkward_ranges() -> impl Strategy<Value = TimeRange> {
    let weeks = ["2024-03-08", "2024-11-01", "2006-03-31", "2006-10-27", "2024-11-26", "2024-12-23", "2024-07-01"];
    (prop::sample::select(weeks.to_vec()), 0..20_160_i64, 1..20_160_i64).prop_map(|(date, from, minutes)| {
        let start = at(&format!("{date}T00:00:00Z")) + TimeDelta::minutes(from);
        TimeRange::new(start, start + TimeDelta::minutes(minutes)).unwrap()
    })
}

/// The starts of all bars in a range that hold some trading time, found by trying every minute.
fn bars_by_trying(calendar: &dyn Calendar, timeframe: Timeframe, hours: Hours, range: TimeRange) -> Vec<DateTime<Utc>> {
    let zone = calendar.time_zone();
    let first_minute = ceil(range.start(), TimeDelta::minutes(1)).unwrap();
    let minutes = std::iter::successors(Some(first_minute), |minute| Some(*minute + TimeDelta::minutes(1)));
    let within = minutes.take_while(|minute| *minute < range.end());
    let starts = within.filter(|minute| match timeframe.minutes() {
        Some(length) => (minute.timestamp() / 60) % i64::from(length) == 0,
        None => {
            let local = minute.with_timezone(&zone);
            let is_midnight = local.time() == NaiveTime::MIN;
            let starts_period = match timeframe {
                Timeframe::W1 => local.weekday() == chrono::Weekday::Mon,
                Timeframe::Mn1 => local.day() == 1,
                _ => true,
            };
            is_midnight && starts_period
        }
    });
    starts
        .filter(|start| {
            let dates = start.with_timezone(&zone).date_naive().iter_days();
            let days = match timeframe {
                Timeframe::D1 => 1,
                Timeframe::W1 => 7,
                Timeframe::Mn1 => chrono::NaiveDate::num_days_in_month(&start.with_timezone(&zone).date_naive()).into(),
                _ => {
                    let bar = TimeRange::new(*start, *start + timeframe.length().unwrap()).unwrap();
                    return sessions_near(calendar, bar).any(|session| session.span(hours).overlaps(&bar));
                }
            };
            dates.take(days).any(|date| calendar.session(date).is_some())
        })
        .collect()
}

fn check(calendar: &dyn Calendar, timeframe: Timeframe, hours: Hours, range: TimeRange) -> Result<(), TestCaseError> {
    let starts = bars_by_trying(calendar, timeframe, hours, range);
    let spans = calendar.spans(timeframe, hours, range);
    prop_assert!(spans.windows(2).all(|pair| pair[0].end() <= pair[1].start()), "{:?}", spans);
    let grid = calendar.grid(timeframe, hours, range);
    prop_assert_eq!(grid.spans(), &spans[..], "nothing is left for the grid to put right");
    prop_assert_eq!(grid.bars() as usize, starts.len());
    for (slot, start) in (0..).zip(&starts) {
        let bar = calendar.bar_at(timeframe, *start).unwrap();
        prop_assert_eq!(bar.start(), *start);
        prop_assert_eq!(grid.bar(slot), Some(bar));
        prop_assert_eq!(grid.slot(*start), Some(slot));
        prop_assert_eq!(calendar.bar_at(timeframe, bar.end() - TimeDelta::nanoseconds(1)), Some(bar));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn spans_hold_the_bars_that_touch_trading_time_and_start_in_the_range(
        range in prop_oneof![ranges(), awkward_ranges()],
        timeframe in prop::sample::select(Timeframe::ALL.to_vec()),
        hours in prop::sample::select(vec![Hours::Regular, Hours::Extended, Hours::Always]),
    ) {
        check(&Nyse, timeframe, hours, range)?;
        check(&Always, timeframe, hours, range)?;
    }

    #[test]
    fn an_instant_is_in_a_session_if_and_only_if_it_is_within_its_hours(range in ranges()) {
        let open = Nyse.session_at(range.start(), Hours::Extended);
        prop_assert_eq!(open.is_some(), Nyse.is_open(range.start(), Hours::Extended));
        let by_trying = sessions_near(&Nyse, range).find(|session| session.span(Hours::Extended).contains(range.start()));
        prop_assert_eq!(open, by_trying);
    }

    #[test]
    fn next_and_previous_session_are_inverse(range in ranges()) {
        if let Some(session) = Nyse.sessions(range).next() {
            let next = Nyse.next_session(session.date()).unwrap();
            prop_assert_eq!(Nyse.previous_session(next.date()), Some(session));
        }
    }
}

#[test]
fn a_table_answers_as_its_rules_do_within_its_dates_and_beyond() {
    let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let table = Table::new(Nyse, date(2000, 1, 1)..=date(2001, 12, 31));
    assert_eq!(table.sessions().len(), 252 + 248);
    for date in date(1999, 12, 1).iter_days().take(900) {
        assert_eq!(table.session(date), Nyse.session(date), "{date}");
    }
    assert!(Table::new(Nyse, date(2001, 1, 1)..=date(2000, 1, 1)).sessions().is_empty());
}

#[test]
fn sessions_in_a_range_are_those_that_trade_in_it() {
    let dates = |range| Nyse.sessions(range).map(|session| session.date().to_string()).collect::<Vec<_>>();
    assert_eq!(dates(range("2024-03-09T00:59:00Z", "2024-03-11T08:00:00Z")), ["2024-03-08"]);
    assert_eq!(dates(range("2024-03-09T01:00:00Z", "2024-03-11T08:00:00Z")), Vec::<String>::new());
    assert_eq!(dates(range("2024-03-09T01:00:00Z", "2024-03-11T08:00:01Z")), ["2024-03-11"]);
}

#[test]
fn four_hour_bars_reach_around_a_session_on_the_utc_grid() {
    let spans = |hours| {
        let spans = Nyse.spans(Timeframe::H4, hours, range("2024-01-05T00:00:00Z", "2024-01-06T00:00:00Z"));
        spans.iter().map(TimeRange::to_string).collect::<Vec<_>>()
    };
    assert_eq!(spans(Hours::Regular), ["[2024-01-05T12:00:00Z, 2024-01-06T00:00:00Z)"]);
    // The last hour of Thursday's session is in the bar that starts on Friday at 00:00; the bar of Saturday is not in
    // the range.
    assert_eq!(
        spans(Hours::Extended),
        ["[2024-01-05T00:00:00Z, 2024-01-05T04:00:00Z)", "[2024-01-05T08:00:00Z, 2024-01-06T00:00:00Z)"]
    );
}

#[test]
fn weeks_start_on_monday_even_when_it_is_a_holiday_and_months_on_the_1st() {
    let range = range("2021-01-01T00:00:00Z", "2021-05-01T00:00:00Z");
    let starts = |timeframe| {
        let spans = Nyse.spans(timeframe, Hours::Regular, range);
        spans.iter().map(|span| span.start().to_rfc3339()).collect::<Vec<_>>()
    };
    assert!(starts(Timeframe::W1).contains(&"2021-01-18T05:00:00+00:00".to_owned()));
    let months = ["2021-01-01T05:00:00+00:00", "2021-02-01T05:00:00+00:00", "2021-03-01T05:00:00+00:00"];
    assert_eq!(starts(Timeframe::Mn1), [&months[..], &["2021-04-01T04:00:00+00:00"]].concat());
    assert_eq!(
        Nyse.bar_end(Timeframe::D1, at("2024-03-10T05:00:00Z")),
        Some(at("2024-03-11T04:00:00Z")),
        "the day on which clocks change has 23 hours"
    );
}

#[test]
fn the_ends_of_time_have_no_sessions_and_no_panic() {
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let hour = TimeDelta::hours(1);
    for (start, end) in [(first, first + hour), (last - hour, last)] {
        let range = TimeRange::new(start, end).unwrap();
        for timeframe in Timeframe::ALL {
            assert_eq!(Always.spans(timeframe, Hours::Always, range), []);
            assert_eq!(Nyse.spans(timeframe, Hours::Regular, range), []);
            assert!(Nyse.bar_at(timeframe, start).is_none_or(|bar| bar.contains(start)));
            assert!(Nyse.bar_end(timeframe, start).is_none_or(|end| end > start));
        }
        assert!(!Always.is_open(start, Hours::Always));
    }
    assert_eq!(Nyse.next_session(NaiveDate::MAX), None);
    assert_eq!(Nyse.previous_session(NaiveDate::MIN), None);
    assert!(
        Nyse.spans(Timeframe::H1, Hours::Regular, range("1800-01-01T00:00:00Z", "1990-01-01T00:00:00Z")).is_empty()
    );
}
