use chrono::{DateTime, NaiveDate, Utc};

use crate::{Hours, TimeRange};

/// One trading day: its date where the exchange is, and its hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    // Invariant: pre_open <= open < close <= post_close.
    date: NaiveDate,
    pre_open: DateTime<Utc>,
    open: DateTime<Utc>,
    close: DateTime<Utc>,
    post_close: DateTime<Utc>,
}

/// Trading hours that are not in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid session {date}: expected pre-open <= open < close <= post-close")]
pub struct InvalidSession {
    /// The session's date.
    pub date: NaiveDate,
}

impl Session {
    /// Makes a session from its regular hours and the wider, extended hours around them.
    ///
    /// # Errors
    ///
    /// [`InvalidSession`] if the regular hours are not within the extended ones.
    pub fn new(date: NaiveDate, regular: TimeRange, extended: TimeRange) -> Result<Self, InvalidSession> {
        if !extended.covers(&regular) {
            return Err(InvalidSession { date });
        }
        let (open, close) = (regular.start(), regular.end());
        Ok(Self { date, pre_open: extended.start(), open, close, post_close: extended.end() })
    }

    /// The trading date, where the exchange is.
    pub fn date(&self) -> NaiveDate {
        self.date
    }

    /// Where extended trading starts.
    pub fn pre_open(&self) -> DateTime<Utc> {
        self.pre_open
    }

    /// Where regular trading starts.
    pub fn open(&self) -> DateTime<Utc> {
        self.open
    }

    /// Where regular trading ends.
    pub fn close(&self) -> DateTime<Utc> {
        self.close
    }

    /// Where extended trading ends.
    pub fn post_close(&self) -> DateTime<Utc> {
        self.post_close
    }

    /// The span of the given hours in this session; a market that never closes gives the same for all.
    #[expect(clippy::missing_panics_doc, reason = "the invariant keeps every span from being empty")]
    pub fn span(&self, hours: Hours) -> TimeRange {
        let (start, end) = match hours {
            Hours::Regular => (self.open, self.close),
            Hours::Extended | Hours::Always => (self.pre_open, self.post_close),
        };
        TimeRange::new(start, end).expect("a session's hours are in order")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_hours_lie_within_extended_ones() {
        let at = |hour: u32| NaiveDate::from_ymd_opt(2024, 3, 8).unwrap().and_hms_opt(hour, 0, 0).unwrap().and_utc();
        let (regular, extended) = (TimeRange::new(at(14), at(21)).unwrap(), TimeRange::new(at(9), at(23)).unwrap());
        let date = at(0).date_naive();
        let session = Session::new(date, regular, extended).unwrap();
        assert_eq!(session.span(Hours::Regular), regular);
        assert_eq!(session.span(Hours::Extended), extended);
        assert_eq!(Session::new(date, extended, regular), Err(InvalidSession { date }));
    }
}
