//! An exchange of your own: what it owes is its time zone and the session of a date; the rest follows.
//!
//!     cargo run --example custom_calendar
use barkeep_calendar::{Calendar, CalendarExt, Overrides, TradingDay};
use barkeep_types::{Hours, Session, TimeRange, Timeframe};
use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;

/// The London Stock Exchange, without bank holidays other than Christmas and Boxing Day: enough to show the shape.
#[derive(Debug)]
struct London;

impl Calendar for London {
    fn time_zone(&self) -> Tz {
        Tz::Europe__London
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        let is_weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        let is_holiday = date.month() == 12 && matches!(date.day(), 25 | 26);
        if is_weekend || is_holiday {
            return None;
        }
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0);
        // 12:30 on Christmas Eve; no extended hours, so the open and the close are given twice.
        let close = if (date.month(), date.day()) == (12, 24) { at(12, 30)? } else { at(16, 30)? };
        TradingDay::new(at(8, 0)?, at(8, 0)?, close, close).ok()?.on(date, self.time_zone())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let strike = NaiveDate::from_ymd_opt(2026, 12, 23).ok_or("a date")?;
    let calendar = Overrides::new(London).with_closure(strike);
    let week = TimeRange::new("2026-12-21T00:00:00Z".parse()?, "2026-12-28T00:00:00Z".parse()?)?;
    for session in calendar.sessions(week) {
        println!("{} {} to {}", session.date(), session.open(), session.close());
    }
    let grid = calendar.grid(Timeframe::H1, Hours::Regular, week);
    println!("{} hours have bars; the last is {}", grid.bars(), grid.bar(grid.bars() - 1).ok_or("no bar")?);
    Ok(())
}
