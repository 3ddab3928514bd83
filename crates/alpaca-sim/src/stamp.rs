//! Instants as texts, the way the vendor reads and writes them.

use std::io::Write;

use chrono::{DateTime, NaiveDate, SecondsFormat};

pub(crate) const DAY: i64 = 86_400;

/// Appends `2022-01-03T08:00:00Z`.
pub(crate) fn write(text: &mut Vec<u8>, seconds: i64) {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        .expect("a vector takes every byte");
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// By arithmetic: this runs once for every bar served.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468; // Days since 0000-03-01, so that leap days come last.
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day_of_month)
}

/// What a caller may write for an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// With an offset or `Z`, to the nanosecond.
    Instant { seconds: i64, nanos: u32 },
    /// A whole day, in whichever zone the reader takes days.
    Date(NaiveDate),
}

/// Reads RFC 3339 or `YYYY-MM-DD`. A time without a zone is neither.
pub(crate) fn parse(text: &str) -> Option<Stamp> {
    if let Some(date) = date(text) {
        return Some(Stamp::Date(date));
    }
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Stamp::Instant { seconds: instant.timestamp(), nanos: instant.timestamp_subsec_nanos() })
}

/// Reads `YYYY-MM-DD`, of years with four digits.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)
}

/// `2022-01-03T08:00:00Z`, for messages.
pub(crate) fn text(seconds: i64) -> String {
    let instant = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// An instant as headers write it.
pub(crate) fn http_date(seconds: i64) -> String {
    let instant = DateTime::from_timestamp_secs(seconds).unwrap_or_default();
    instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn writing_agrees_with_chrono(seconds in -2_208_988_800_i64..7_258_118_400) {
            let mut written = Vec::new();
            write(&mut written, seconds);
            prop_assert_eq!(String::from_utf8(written).unwrap(), text(seconds));
        }
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        let instant = |seconds, nanos| Some(Stamp::Instant { seconds, nanos });
        assert_eq!(parse("1970-01-02T00:00:00Z"), instant(DAY, 0));
        assert_eq!(parse("1970-01-02T02:00:00+02:00"), instant(DAY, 0));
        assert_eq!(parse("1970-01-02T00:00:00.000000001Z"), instant(DAY, 1));
        assert_eq!(parse("1970-01-02"), Some(Stamp::Date(NaiveDate::from_ymd_opt(1970, 1, 2).unwrap())));
    }

    #[test]
    fn a_time_without_zone_is_no_instant() {
        for text in
            ["", "now", "1970-01-02T00:00:00", "1970-01-02T00:00:00 00:00", "86400", "1970-02-30", "+262142-12-31"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
