use std::fmt::Write as _;

use barkeep_types::Series;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A file of an export: the bars of a series that start in one year, by UTC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Columns", from = "Columns")]
pub struct Partition {
    /// The series.
    pub series: Series,
    /// The year.
    pub year: i32,
}

/// A partition as a manifest writes it.
#[derive(Serialize, Deserialize)]
struct Columns {
    feed: barkeep_types::Feed,
    adjustment: barkeep_types::Adjustment,
    timeframe: barkeep_types::Timeframe,
    symbol: barkeep_types::Symbol,
    year: i32,
}

impl Partition {
    /// Its path within the export, in the way of Hive. What is not a letter, a digit, `-` or `_` is percent-encoded, so
    /// that no symbol is a path: readers that know such paths decode it.
    ///
    /// ```
    /// # use barkeep_types::{Adjustment, Feed, Series, Timeframe};
    /// use barkeep_export::Partition;
    ///
    /// # let (feed, adjustment, timeframe) = (Feed::SIP, Adjustment::RAW, Timeframe::M1);
    /// let series = Series { symbol: "BRK.B".parse()?, timeframe, feed, adjustment };
    /// assert_eq!(
    ///     Partition { series, year: 2024 }.path(),
    ///     "feed=sip/adjustment=raw/timeframe=m1/symbol=BRK%2EB/year=2024/bars.parquet",
    /// );
    /// # Ok::<(), barkeep_types::InvalidSymbol>(())
    /// ```
    pub fn path(&self) -> String {
        let Series { symbol, timeframe, feed, adjustment } = &self.series;
        format!(
            "feed={}/adjustment={}/timeframe={}/symbol={}/year={}/bars.parquet",
            encoded(feed.as_str()),
            encoded(&adjustment.to_string()),
            encoded(timeframe.as_str()),
            encoded(symbol.as_str()),
            self.year,
        )
    }
}

/// Where a year starts; the end of time for years that have none.
pub(crate) fn start_of(year: i32) -> DateTime<Utc> {
    let day = NaiveDate::from_ymd_opt(year, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
    day.map_or(if year < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC }, |day| day.and_utc())
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            encoded.push(byte.into());
        } else {
            // Writing to a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

impl From<Partition> for Columns {
    fn from(Partition { series, year }: Partition) -> Self {
        let Series { symbol, timeframe, feed, adjustment } = series;
        Self { feed, adjustment, timeframe, symbol, year }
    }
}

impl From<Columns> for Partition {
    fn from(Columns { feed, adjustment, timeframe, symbol, year }: Columns) -> Self {
        Self { series: Series { symbol, timeframe, feed, adjustment }, year }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn symbols_with_dots_and_slashes_stay_one_folder() {
        for (text, folder) in [("BRK.B", "BRK%2EB"), ("BTC/USD", "BTC%2FUSD"), ("A..", "A%2E%2E"), ("3USL", "3USL")] {
            assert_eq!(encoded(text), folder);
        }
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_folder(text in any::<String>()) {
            let encoded = encoded(&text);
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte);
            prop_assert!(encoded.bytes().all(plain));
        }

        #[test]
        fn different_texts_are_different_folders(left in "[A-Z./%-]{1,4}", right in "[A-Z./%-]{1,4}") {
            prop_assert_eq!(encoded(&left) == encoded(&right), left == right);
        }
    }
}
