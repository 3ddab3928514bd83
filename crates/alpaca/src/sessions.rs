use std::ops::RangeInclusive;

use barkeep_provider::{Answer, Error, Result};
use barkeep_types::{Session, TimeRange};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::America::New_York;
use serde::Deserialize;

use crate::Alpaca;

/// A trading day, by the clock of New York.
#[derive(Deserialize)]
struct Day {
    date: NaiveDate,
    open: String,
    close: String,
    // Older answers know of regular hours alone.
    session_open: Option<String>,
    session_close: Option<String>,
}

impl Alpaca {
    /// The trading sessions of US stocks on `dates`, as Alpaca's calendar has them: from 1970 to 2029.
    ///
    /// A date that is not among them is a holiday. `barkeep_calendar::Overrides::with_list` takes dates and sessions, so
    /// that a closure which no rule foresees is known as soon as Alpaca knows it.
    ///
    /// # Errors
    ///
    /// [`Error`] as from a request for bars; [`Error::BadResponse`] for hours that are not in order.
    pub async fn sessions(&self, dates: RangeInclusive<NaiveDate>) -> Result<Vec<Session>> {
        let (start, end) = (dates.start().to_string(), dates.end().to_string());
        let days: Vec<Day> = self.get_trading(&["v2", "calendar"], &[("start", &start), ("end", &end)]).await?;
        let within = days.iter().filter(|day| dates.contains(&day.date));
        within.map(|day| session(day).ok_or_else(|| impossible(day))).collect()
    }
}

fn session(day: &Day) -> Option<Session> {
    let at = |text: &str| instant(day.date, text);
    let (open, close) = (at(&day.open)?, at(&day.close)?);
    let pre_open = day.session_open.as_deref().map_or(Some(open), at)?;
    let post_close = day.session_close.as_deref().map_or(Some(close), at)?;
    let (regular, extended) = (TimeRange::new(open, close).ok()?, TimeRange::new(pre_open, post_close).ok()?);
    Session::new(day.date, regular, extended).ok()
}

/// Reads `09:30` and `0930`.
fn instant(date: NaiveDate, text: &str) -> Option<DateTime<Utc>> {
    let time = NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H%M")).ok()?;
    Some(New_York.from_local_datetime(&date.and_time(time)).single()?.to_utc())
}

fn impossible(day: &Day) -> Error {
    let shown = format!("{} {:?}-{:?}", day.date, day.open, day.close);
    Error::BadResponse {
        detail: "a session's hours are not in order".to_owned(),
        answer: Answer::new(200, shown.as_bytes()),
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let session = session(&serde_json::from_str(json).unwrap())?;
        let time = |at: DateTime<Utc>| at.format("%H:%M").to_string();
        let [pre, open, close, post] =
            [session.pre_open(), session.open(), session.close(), session.post_close()].map(time);
        Some(format!("{pre} {open} {close} {post}"))
    }

    #[test]
    fn hours_are_those_of_new_york_in_summer_and_in_winter() {
        let day = |date: &str| {
            read(&format!(
                r#"{{"date":"{date}","open":"09:30","close":"16:00","session_open":"0400","session_close":"2000","settlement_date":"2024-01-04"}}"#
            ))
        };
        assert_eq!(day("2024-01-02").unwrap(), "09:00 14:30 21:00 01:00");
        assert_eq!(day("2024-07-02").unwrap(), "08:00 13:30 20:00 00:00");
    }

    #[test]
    fn a_calendar_of_regular_hours_alone_is_read_too() {
        assert_eq!(read(r#"{"date":"2024-07-03","open":"09:30","close":"13:00"}"#).unwrap(), "13:30 13:30 17:00 17:00");
    }

    #[test]
    fn hours_out_of_order_are_no_session() {
        assert_eq!(read(r#"{"date":"2024-07-03","open":"13:00","close":"09:30"}"#), None);
        assert_eq!(read(r#"{"date":"2024-07-03","open":"9.30 am","close":"13:00"}"#), None);
    }
}
