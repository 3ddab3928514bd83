//! A request as Alpaca's URL. The vendor's inclusive `end` lives here and nowhere else.

use std::ops::RangeInclusive;

use barkeep_provider::{Answer, BarsRequest, Error, PageToken, Result};
use barkeep_types::{Adjustment, TimeRange, Timeframe};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use url::Url;

use crate::endpoint::Endpoint;

/// What every request of a client has in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Common {
    pub(crate) page_bars: u32,
    pub(crate) as_of: Option<NaiveDate>,
    pub(crate) currency: Option<String>,
}

/// The longest URL that is sent: servers refuse them from about 8 KiB on.
const LONGEST_URL: usize = 6 * 1024;
/// The feeds of stocks. The others are the places where crypto trades.
const STOCK_FEEDS: [&str; 4] = ["sip", "iex", "otc", "boats"];
const CRYPTO_PLACES: [&str; 5] = ["us", "us-1", "us-2", "eu-1", "bs-1"];

/// The seconds that RFC 3339 can tell: those of the years 0 to 9999. No bar starts in another.
const TELLABLE: RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

/// The first and the last second of a range, both of which Alpaca includes; `None` if it holds no whole second, where
/// alone bars start.
fn inclusive(range: TimeRange) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    // The first whole second that is not before an instant.
    let ceiling = |at: DateTime<Utc>| at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0);
    let first = ceiling(range.start()).max(*TELLABLE.start());
    let last = (ceiling(range.end()) - 1).min(*TELLABLE.end());
    let at = |seconds| DateTime::from_timestamp(seconds, 0);
    if first <= last { at(first).zip(at(last)) } else { None }
}

/// The URL of a page; `None` if no bar can start in the range.
pub(crate) fn bars_url(
    endpoint: &Endpoint,
    common: &Common,
    request: &BarsRequest,
    token: Option<&PageToken>,
) -> Result<Option<Url>> {
    let rejected = |reason: &str| Err(Error::Rejected { answer: Answer::not_sent(reason) });
    let Some((start, end)) = inclusive(request.range()) else { return Ok(None) };
    let feed = request.feed().as_str();
    let is_stocks = STOCK_FEEDS.contains(&feed);
    let mut url = if is_stocks {
        endpoint.join(&["v2", "stocks", "bars"])
    } else if CRYPTO_PLACES.contains(&feed) {
        endpoint.join(&["v1beta3", "crypto", feed, "bars"])
    } else {
        return rejected("Alpaca has no such feed; it has sip, iex, otc and boats, and us for crypto");
    };
    if !is_stocks && request.adjustment() != Adjustment::RAW {
        return rejected("crypto bars have no adjustment");
    }
    let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("symbols", &symbols(request))
            .append_pair("timeframe", timeframe(request.timeframe()))
            .append_pair("start", &instant(start))
            .append_pair("end", &instant(end))
            .append_pair("limit", &common.page_bars.to_string());
        // Crypto refuses parameters that it does not know.
        if is_stocks {
            query.append_pair("adjustment", &request.adjustment().to_string()).append_pair("feed", feed);
            if let Some(as_of) = common.as_of {
                query.append_pair("asof", &as_of.to_string());
            }
            if let Some(currency) = &common.currency {
                query.append_pair("currency", currency);
            }
        }
        if let Some(token) = token {
            query.append_pair("page_token", token.as_str());
        }
    }
    let length = url.as_str().len();
    let token_length = token.map_or(0, |token| 3 * token.as_str().len());
    if length > LONGEST_URL + token_length {
        return Err(Error::RequestTooLarge { answer: Answer::not_sent("the URL is too long") });
    }
    Ok(Some(url))
}

fn symbols(request: &BarsRequest) -> String {
    let names: Vec<&str> = request.symbols().iter().map(|symbol| symbol.as_str()).collect();
    names.join(",")
}

fn timeframe(timeframe: Timeframe) -> &'static str {
    match timeframe {
        Timeframe::M1 => "1Min",
        Timeframe::M5 => "5Min",
        Timeframe::M15 => "15Min",
        Timeframe::M30 => "30Min",
        Timeframe::H1 => "1Hour",
        Timeframe::H4 => "4Hour",
        Timeframe::D1 => "1Day",
        Timeframe::W1 => "1Week",
        Timeframe::Mn1 => "1Month",
    }
}

#[cfg(test)]
mod tests {
    use barkeep_types::Feed;

    use super::*;

    fn request(symbols: &[&str], feed: &str, (from, to): (&str, &str)) -> BarsRequest {
        let range = TimeRange::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
        let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap());
        BarsRequest::new(symbols, Timeframe::M15, feed.parse::<Feed>().unwrap(), range).unwrap()
    }

    const DAY: (&str, &str) = ("2024-03-04T14:30:00Z", "2024-03-04T21:00:00Z");

    fn url(request: &BarsRequest, token: Option<&str>) -> Result<Option<Url>> {
        let common = Common { page_bars: 10_000, ..Common::default() };
        bars_url(&Endpoint::data(), &common, request, token.and_then(PageToken::new).as_ref())
    }

    #[test]
    fn stocks_are_asked_for_with_an_inclusive_end_and_their_feed() {
        let request = request(&["MSFT", "BRK.B"], "iex", DAY);
        assert_eq!(
            url(&request, None).unwrap().unwrap().as_str(),
            "https://data.alpaca.markets/v2/stocks/bars?symbols=BRK.B%2CMSFT&timeframe=15Min\
             &start=2024-03-04T14%3A30%3A00Z&end=2024-03-04T20%3A59%3A59Z&limit=10000\
             &adjustment=raw&feed=iex"
        );
    }

    #[test]
    fn crypto_is_asked_for_without_what_it_does_not_know() {
        let request = request(&["BTC/USD"], "us", DAY);
        assert_eq!(
            url(&request, None).unwrap().unwrap().as_str(),
            "https://data.alpaca.markets/v1beta3/crypto/us/bars?symbols=BTC%2FUSD&timeframe=15Min\
             &start=2024-03-04T14%3A30%3A00Z&end=2024-03-04T20%3A59%3A59Z&limit=10000"
        );
        assert!(url(&request.with_adjustment(Adjustment::SPLIT), None).is_err());
    }

    #[test]
    fn the_day_of_names_and_the_currency_are_sent_if_they_were_set() {
        let common =
            Common { page_bars: 5, as_of: NaiveDate::from_ymd_opt(2022, 6, 1), currency: Some("EUR".to_owned()) };
        let request = request(&["META"], "sip", DAY).with_adjustment(Adjustment::ALL);
        let url = bars_url(&Endpoint::data(), &common, &request, None).unwrap().unwrap();
        let query = url.query().unwrap();
        assert!(query.ends_with("limit=5&adjustment=all&feed=sip&asof=2022-06-01&currency=EUR"), "{query}");
    }

    #[test]
    fn ranges_are_cut_to_the_whole_seconds_in_them() {
        let first_and_last = |from: &str, to: &str| {
            let range = TimeRange::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
            inclusive(range).map(|(first, last)| (first.timestamp(), last.timestamp()))
        };
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp();
        let noon = at("2024-03-04T12:00:00Z");
        for (from, to, expected) in [
            ("2024-03-04T12:00:00Z", "2024-03-04T12:00:01Z", Some((noon, noon))),
            ("2024-03-04T12:00:00Z", "2024-03-04T12:00:00.5Z", Some((noon, noon))),
            ("2024-03-04T11:59:59.5Z", "2024-03-04T12:00:00.5Z", Some((noon, noon))),
            ("2024-03-04T12:00:00.1Z", "2024-03-04T12:00:01Z", None),
            ("2024-03-04T11:00:00Z", "2024-03-04T12:00:00Z", Some((noon - 3600, noon - 1))),
            ("1969-12-31T23:59:58.5Z", "1969-12-31T23:59:59.5Z", Some((-1, -1))),
            // Beyond what fits into 64 bits of nanoseconds.
            ("1601-01-01T00:00:00Z", "2024-03-04T12:00:00Z", Some((at("1601-01-01T00:00:00Z"), noon - 1))),
            ("2024-03-04T12:00:00Z", "9999-12-31T00:00:00Z", Some((noon, at("9999-12-31T00:00:00Z") - 1))),
        ] {
            assert_eq!(first_and_last(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn all_the_time_there_is_is_asked_for_in_years_of_four_digits() {
        let request = request(&["AAPL"], "sip", DAY);
        let url = url(&request.over(TimeRange::ALWAYS), None).unwrap().unwrap();
        let times = "start=0000-01-01T00%3A00%3A00Z&end=9999-12-31T23%3A59%3A59Z";
        assert!(url.as_str().contains(times), "{url}");
    }

    #[test]
    fn a_token_is_a_value_whatever_it_holds() {
        for hostile in ["&symbols=X", "#", "../", "a\r\nHost: x", "http://169.254.169.254/", "a+b/c="] {
            let request = request(&["AAPL"], "sip", DAY);
            let (plain, url) = (url(&request, None).unwrap().unwrap(), url(&request, Some(hostile)).unwrap().unwrap());
            assert_eq!((url.host(), url.path()), (plain.host(), plain.path()));
            let pairs: Vec<_> = url.query_pairs().collect();
            let (token, others) = pairs.split_last().unwrap();
            assert_eq!((token.0.as_ref(), token.1.as_ref()), ("page_token", hostile));
            assert_eq!(others, plain.query_pairs().collect::<Vec<_>>());
            assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn an_unknown_feed_and_a_url_that_is_too_long_are_refused_unsent() {
        let error = url(&request(&["AAPL"], "tape", DAY), None).unwrap_err();
        assert_eq!(error.code(), "VALIDATION_ERROR");
        assert!(error.to_string().contains("no such feed"), "{error}");
        let names: Vec<String> = (0..2000).map(|n| format!("SYM{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let error = url(&request(&names, "sip", DAY), None).unwrap_err();
        assert!(matches!(error, Error::RequestTooLarge { .. }), "{error}");
    }
}
