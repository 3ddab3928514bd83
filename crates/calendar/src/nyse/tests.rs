use barkeep_types::Hours;
use chrono::{DateTime, NaiveDate, Utc};

use super::*;
use crate::CalendarExt;

const SESSIONS: &str = include_str!("../../testdata/xnys_sessions.csv");
const SPECIAL_CLOSURES: &str = include_str!("../../testdata/xnys_special_closures.csv");

fn rows(table: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(table.as_bytes()).records().map(Result::unwrap).collect()
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn dates(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |date| *date <= last)
}

fn new_york(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&Nyse.time_zone()).format("%H:%M").to_string()
}

#[test]
fn rules_and_table_agree_for_every_date_of_the_table() {
    let rows = rows(SESSIONS);
    let mut expected = rows.iter().peekable();
    for date in dates(date(1990, 1, 1), date(2026, 12, 31)) {
        let row = expected.next_if(|row| row[0] == date.to_string());
        let hours = Nyse.session(date).map(|session| (session.open(), session.close()));
        let table = row.map(|row| (row[1].parse().unwrap(), row[2].parse().unwrap()));
        assert_eq!(hours, table, "{date}");
        let is_early = Nyse.session(date).is_some_and(|session| new_york(session.close()) != "16:00");
        assert_eq!(is_early, row.is_some_and(|row| &row[3] == "1"), "{date}");
    }
    assert_eq!((expected.next(), rows.len()), (None, 9_318));
}

#[test]
fn every_special_closure_is_closed_and_its_neighbours_are_not_all() {
    let rows = rows(SPECIAL_CLOSURES);
    assert_eq!(rows.len(), 11);
    for row in rows {
        let date: NaiveDate = row[0].parse().unwrap();
        assert_eq!(Nyse.session(date), None, "{date}: {}", &row[1]);
        assert!(Nyse.previous_session(date).is_some() && Nyse.next_session(date).is_some());
    }
}

#[test]
fn the_rules_go_on_as_published_calendars_do() {
    // Two independent published calendars agree on these numbers for 1990 to 2035.
    let sessions: Vec<_> = dates(date(1990, 1, 1), date(2035, 12, 31)).filter_map(|date| Nyse.session(date)).collect();
    let early = sessions.iter().filter(|session| new_york(session.close()) != "16:00").count();
    assert_eq!((sessions.len(), early), (11_577, 98));
    assert!(Nyse.session(date(2999, 1, 2)).is_some());
}

#[test]
fn holidays_that_fall_on_weekends_are_kept_as_the_exchange_does() {
    for (closed, why) in [
        (date(2023, 1, 2), "New Year's Day was a Sunday"),
        (date(2026, 7, 3), "Independence Day is a Saturday"),
        (date(2027, 6, 18), "Juneteenth is a Saturday"),
        (date(2027, 7, 5), "Independence Day is a Sunday"),
        (date(2027, 12, 24), "Christmas is a Saturday"),
        (date(2024, 3, 29), "Good Friday"),
    ] {
        assert_eq!(Nyse.session(closed), None, "{closed}: {why}");
    }
    for (open, why) in [
        (date(2021, 12, 31), "New Year's Day on a Saturday is not made up for"),
        (date(2021, 6, 18), "Juneteenth is kept since 2022"),
        (date(1997, 1, 20), "Martin Luther King's day is kept since 1998"),
    ] {
        assert!(Nyse.session(open).is_some(), "{open}: {why}");
    }
}

#[test]
fn extended_hours_run_from_4_to_20_and_to_17_on_early_closes() {
    for date in dates(date(1990, 1, 1), date(2035, 12, 31)) {
        let Some(session) = Nyse.session(date) else { continue };
        let is_early = new_york(session.close()) != "16:00";
        assert_eq!(new_york(session.pre_open()), "04:00", "{date}");
        assert_eq!(new_york(session.open()), "09:30", "{date}");
        assert_eq!(new_york(session.post_close()), if is_early { "17:00" } else { "20:00" }, "{date}");
    }
}

#[test]
fn hours_follow_new_york_through_changes_of_clocks() {
    let utc = |date| Nyse.session(date).unwrap().span(Hours::Extended).to_string();
    assert_eq!(utc(date(2024, 3, 8)), "[2024-03-08T09:00:00Z, 2024-03-09T01:00:00Z)");
    assert_eq!(utc(date(2024, 3, 11)), "[2024-03-11T08:00:00Z, 2024-03-12T00:00:00Z)");
    assert_eq!(utc(date(2024, 11, 1)), "[2024-11-01T08:00:00Z, 2024-11-02T00:00:00Z)");
    assert_eq!(utc(date(2024, 11, 4)), "[2024-11-04T09:00:00Z, 2024-11-05T01:00:00Z)");
    // Until 2006 summer began in April.
    assert_eq!(utc(date(2006, 3, 15)), "[2006-03-15T09:00:00Z, 2006-03-16T01:00:00Z)");
}

#[test]
fn before_the_first_year_there_are_no_sessions() {
    assert_eq!(Nyse.session(date(1989, 12, 29)), None);
    assert_eq!(Nyse.session(NaiveDate::MIN), None);
    assert_eq!(Nyse.next_session(date(1989, 6, 1)).unwrap().date(), date(1990, 1, 2));
    assert_eq!(Nyse.previous_session(date(1990, 1, 2)), None);
}
