//! The vendor's timeframes: how much time a bar spans and where it starts.

use barkeep_types::Timeframe;
use chrono::Datelike;

use crate::stamp::DAY;
use crate::zone::Zone;

/// What a bar spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Span {
    /// On a grid from UTC midnight. Where the length does not divide the day, the day's last bar is shorter.
    Minutes(u32),
    Day,
    /// From Monday on, whether or not Monday trades.
    Week,
    /// From the first of a month; several months count from January.
    Months(u32),
}

/// What the vendor builds from trades; every other bar is aggregated from these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Minutes,
    Days,
}

impl Span {
    /// Reads `15Min`, `15T`, `1Hour`, `1H`, `1Day`, `1D`, `1Week`, `1W`, `3Month`, `3M`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if number.starts_with('0') || number.len() > 2 {
            return None;
        }
        match (number.parse::<u32>().ok()?, unit) {
            (minutes @ 1..=59, "Min" | "T") => Some(Self::Minutes(minutes)),
            (hours @ 1..=23, "Hour" | "H") => Some(Self::Minutes(hours * 60)),
            (1, "Day" | "D") => Some(Self::Day),
            (1, "Week" | "W") => Some(Self::Week),
            (months @ (1 | 2 | 3 | 4 | 6 | 12), "Month" | "M") => Some(Self::Months(months)),
            _ => None,
        }
    }

    pub(crate) fn source(self) -> Source {
        match self {
            Self::Minutes(_) => Source::Minutes,
            Self::Day | Self::Week | Self::Months(_) => Source::Days,
        }
    }

    /// Whether bars are aggregated from others.
    pub(crate) fn is_derived(self) -> bool {
        !matches!(self, Self::Minutes(1) | Self::Day)
    }

    /// The start of the bar that an instant falls into.
    pub(crate) fn start_of(self, seconds: i64, zone: Zone) -> i64 {
        match self {
            Self::Minutes(minutes) => {
                let length = i64::from(minutes) * 60;
                let midnight = seconds - seconds.rem_euclid(DAY);
                midnight + seconds.rem_euclid(DAY) / length * length
            }
            Self::Day | Self::Week | Self::Months(_) => zone.midnight(self.first_date(zone.date(seconds))),
        }
    }

    /// The start of the next bar.
    pub(crate) fn end_of(self, start: i64, zone: Zone) -> i64 {
        match self {
            Self::Minutes(minutes) => {
                let midnight = start - start.rem_euclid(DAY);
                (start + i64::from(minutes) * 60).min(midnight + DAY)
            }
            Self::Day => zone.midnight(zone.date(start) + chrono::Days::new(1)),
            Self::Week => zone.midnight(zone.date(start) + chrono::Days::new(7)),
            Self::Months(months) => zone.midnight(zone.date(start) + chrono::Months::new(months)),
        }
    }

    /// The last second of the bar that an instant falls into.
    pub(crate) fn last_second(self, seconds: i64, zone: Zone) -> i64 {
        self.end_of(self.start_of(seconds, zone), zone) - 1
    }

    fn first_date(self, date: chrono::NaiveDate) -> chrono::NaiveDate {
        match self {
            Self::Minutes(_) | Self::Day => date,
            Self::Week => date - chrono::Days::new(date.weekday().num_days_from_monday().into()),
            Self::Months(months) => {
                let month = date.month0() / months * months;
                date.with_day(1).and_then(|first| first.with_month0(month)).expect("every month has a first")
            }
        }
    }
}

impl From<Timeframe> for Span {
    fn from(timeframe: Timeframe) -> Self {
        match timeframe {
            Timeframe::M1 => Self::Minutes(1),
            Timeframe::M5 => Self::Minutes(5),
            Timeframe::M15 => Self::Minutes(15),
            Timeframe::M30 => Self::Minutes(30),
            Timeframe::H1 => Self::Minutes(60),
            Timeframe::H4 => Self::Minutes(240),
            Timeframe::D1 => Self::Day,
            Timeframe::W1 => Self::Week,
            Timeframe::Mn1 => Self::Months(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::text;

    fn at(text: &str) -> i64 {
        text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp()
    }

    fn start(span: &str, instant: &str) -> String {
        text(Span::parse(span).unwrap().start_of(at(instant), Zone::NewYork))
    }

    #[test]
    fn every_documented_timeframe_is_read_and_no_other() {
        for (text, span) in [
            ("1Min", Span::Minutes(1)),
            ("59T", Span::Minutes(59)),
            ("1Hour", Span::Minutes(60)),
            ("23H", Span::Minutes(23 * 60)),
            ("1D", Span::Day),
            ("1Week", Span::Week),
            ("4Month", Span::Months(4)),
            ("12M", Span::Months(12)),
        ] {
            assert_eq!(Span::parse(text), Some(span), "{text}");
        }
        for text in ["", "Min", "0Min", "01Min", "60Min", "24Hour", "2Day", "5Month", "1min", "1m", "1Min ", "+1Min"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn minutes_and_hours_lie_on_the_utc_grid() {
        assert_eq!(start("45Min", "2024-03-08T08:00:00Z"), "2024-03-08T07:30:00Z");
        assert_eq!(start("4Hour", "2024-03-08T14:30:00Z"), "2024-03-08T12:00:00Z");
        assert_eq!(start("5Hour", "2024-03-08T23:59:00Z"), "2024-03-08T20:00:00Z");
        let five_hours = Span::Minutes(300);
        assert_eq!(text(five_hours.end_of(at("2024-03-08T20:00:00Z"), Zone::NewYork)), "2024-03-09T00:00:00Z");
    }

    #[test]
    fn days_weeks_and_months_start_at_new_york_midnight() {
        assert_eq!(start("1Day", "2024-03-08T14:30:00Z"), "2024-03-08T05:00:00Z");
        assert_eq!(start("1Day", "2024-07-02T01:00:00Z"), "2024-07-01T04:00:00Z");
        // 2021-01-18, a Monday, was a holiday.
        assert_eq!(start("1Week", "2021-01-22T15:00:00Z"), "2021-01-18T05:00:00Z");
        assert_eq!(start("1Month", "2021-04-15T15:00:00Z"), "2021-04-01T04:00:00Z");
        assert_eq!(start("3Month", "2021-06-15T15:00:00Z"), "2021-04-01T04:00:00Z");
    }

    #[test]
    fn a_bar_ends_where_the_next_one_starts() {
        for span in Timeframe::ALL.map(Span::from) {
            let first = span.start_of(at("2024-03-08T14:30:00Z"), Zone::NewYork);
            let end = span.end_of(first, Zone::NewYork);
            assert_eq!(span.start_of(end - 1, Zone::NewYork), first, "{span:?}");
            assert_eq!(span.start_of(end, Zone::NewYork), end, "{span:?}");
        }
    }
}
