//! From an exchange's wall clock to instants.

use barkeep_types::{Session, TimeRange};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The hours of a trading day by the exchange's own clock.
///
/// ```
/// use barkeep_calendar::TradingDay;
/// use chrono::{NaiveDate, NaiveTime};
///
/// let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
/// let day = TradingDay::new(at(4, 0), at(9, 30), at(16, 0), at(20, 0))?;
/// let session = day.on(NaiveDate::from_ymd_opt(2024, 7, 1).unwrap(), chrono_tz::America::New_York).unwrap();
/// assert_eq!(session.open().to_rfc3339(), "2024-07-01T13:30:00+00:00");
/// # Ok::<(), barkeep_calendar::InvalidTradingDay>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TradingDay {
    // Invariant: pre_open <= open < close <= post_close.
    pre_open: NaiveTime,
    open: NaiveTime,
    close: NaiveTime,
    post_close: NaiveTime,
}

/// Hours of a trading day that are not in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid trading day {pre_open}, {open}, {close}, {post_close}: expected pre-open <= open < close <= post-close"
)]
pub struct InvalidTradingDay {
    /// Where extended trading was to start.
    pub pre_open: NaiveTime,
    /// Where regular trading was to start.
    pub open: NaiveTime,
    /// Where regular trading was to end.
    pub close: NaiveTime,
    /// Where extended trading was to end.
    pub post_close: NaiveTime,
}

impl TradingDay {
    /// Makes a day of its four times; pass the open twice, or the close, where there is no extended trading.
    ///
    /// # Errors
    ///
    /// [`InvalidTradingDay`] if they are not in order.
    pub fn new(
        pre_open: NaiveTime,
        open: NaiveTime,
        close: NaiveTime,
        post_close: NaiveTime,
    ) -> Result<Self, InvalidTradingDay> {
        if pre_open <= open && open < close && close <= post_close {
            Ok(Self { pre_open, open, close, post_close })
        } else {
            Err(InvalidTradingDay { pre_open, open, close, post_close })
        }
    }

    /// The session of these hours on `date` in `zone`.
    ///
    /// A time that a change of clocks skips counts as the first one after the skip, a repeated time as its first
    /// occurrence. `None` if that leaves no regular hours, or for dates beyond the years 1 to 9999.
    pub fn on(&self, date: NaiveDate, zone: Tz) -> Option<Session> {
        let at = |time| instant(date.and_time(time), zone);
        let regular = TimeRange::new(at(self.open)?, at(self.close)?).ok()?;
        let extended = TimeRange::new(at(self.pre_open)?, at(self.post_close)?).ok()?;
        Session::new(date, regular, extended).ok()
    }
}

/// The instant at which a wall clock in `zone` first shows `time` or, if it never does, the first time after it.
pub(crate) fn instant(time: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    // Far from the ends of chrono's range, where adding an offset would overflow.
    if !(1..=9999).contains(&time.year()) {
        return None;
    }
    if let Some(found) = zone.from_local_datetime(&time).earliest() {
        return Some(found.to_utc());
    }
    // Clocks skip whole quarter hours, and never more than a day.
    (1..=96).find_map(|quarters| {
        zone.from_local_datetime(&(time + TimeDelta::minutes(15 * quarters))).earliest().map(|found| found.to_utc())
    })
}

/// Where `date` begins in `zone`; `None` beyond the years 1 to 9999.
pub(crate) fn midnight(date: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    instant(date.and_time(NaiveTime::MIN), zone)
}

/// The date that a calendar on the wall in `zone` shows at `instant`, brought into the years 1 to 9999.
pub(crate) fn date_at(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    let (first, last) =
        (NaiveDate::from_ymd_opt(1, 1, 3).expect("a date"), NaiveDate::from_ymd_opt(9999, 12, 29).expect("a date"));
    let within = instant.clamp(first.and_time(NaiveTime::MIN).and_utc(), last.and_time(NaiveTime::MIN).and_utc());
    within.with_timezone(&zone).date_naive()
}
