//! The parameters of a request for bars, read as strictly as the vendor reads them.

use std::collections::BTreeSet;

use barkeep_types::{Adjustment, Symbol};

use crate::answer::Answer;
use crate::market::{Asof, Order};
use crate::span::Span;
use crate::stamp::{self, Stamp};
use crate::zone::Zone;

/// What a request asks for, before defaults that depend on the plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BarsQuery {
    /// In the order in which they are served.
    pub(crate) symbols: BTreeSet<Symbol>,
    pub(crate) span: Span,
    /// The first second within.
    pub(crate) start: Option<i64>,
    /// The last second within: the vendor's `end` is inclusive.
    pub(crate) end: Option<i64>,
    pub(crate) limit: usize,
    pub(crate) order: Order,
    pub(crate) token: Option<String>,
    pub(crate) feed: Option<String>,
    pub(crate) adjustment: Adjustment,
    pub(crate) asof: Asof,
    pub(crate) currency: Option<String>,
}

/// The parameters that crypto takes; stocks take more.
const CRYPTO: [&str; 7] = ["symbols", "timeframe", "start", "end", "limit", "page_token", "sort"];
const STOCKS: [&str; 4] = ["adjustment", "asof", "feed", "currency"];

impl BarsQuery {
    /// Reads the parameters of an endpoint of `zone`; `single` is the symbol that stands in the path, if one does.
    /// Dates without a time are days of the zone `days`.
    pub(crate) fn read(parameters: &Parameters, zone: Zone, days: Zone, single: Option<&str>) -> Result<Self, Answer> {
        let stocks = if zone == Zone::NewYork { &STOCKS[..] } else { &[] };
        let allowed =
            |name: &str| (CRYPTO.contains(&name) || stocks.contains(&name)) && (name != "symbols" || single.is_none());
        parameters.only(allowed)?;
        let symbols = single.or_else(|| parameters.get("symbols")).ok_or_else(|| bad("symbols is required"))?;
        let timeframe = parameters.get("timeframe").ok_or_else(|| bad("timeframe is required"))?;
        Ok(Self {
            symbols: read_symbols(symbols, zone)?,
            span: Span::parse(timeframe).ok_or_else(|| bad(&format!("invalid timeframe: {timeframe}")))?,
            start: parameters.instant("start", days, Edge::First)?,
            end: parameters.instant("end", days, Edge::Last)?,
            limit: parameters.limit(1000, 10_000)?,
            order: match parameters.get("sort") {
                None | Some("asc") => Order::Ascending,
                Some("desc") => Order::Descending,
                Some(other) => return Err(bad(&format!("invalid sort: {other}"))),
            },
            token: parameters.get("page_token").filter(|token| !matches!(*token, "null")).map(str::to_owned),
            feed: parameters.get("feed").map(str::to_owned),
            adjustment: match parameters.get("adjustment") {
                None => Adjustment::RAW,
                Some(text) => text.parse().map_err(|_| bad(&format!("invalid adjustment: {text}")))?,
            },
            asof: match parameters.get("asof") {
                None => Asof::Today,
                Some("-") => Asof::Unmapped,
                Some(text) => Asof::Date(stamp::date(text).ok_or_else(|| bad(&format!("invalid asof: {text}")))?),
            },
            currency: parameters.get("currency").map(str::to_owned),
        })
    }
}

/// A refusal of a parameter.
pub(crate) fn bad(message: &str) -> Answer {
    Answer::refusal(400, message)
}

fn read_symbols(text: &str, zone: Zone) -> Result<BTreeSet<Symbol>, Answer> {
    text.split(',')
        .map(|name| {
            let name = name.trim().to_ascii_uppercase();
            let well_formed = match zone {
                Zone::NewYork => is_stock(&name),
                Zone::Utc => is_pair(&name),
            };
            // One malformed symbol refuses the whole request, and only the first is named.
            let symbol = name.parse().ok().filter(|_| well_formed);
            symbol.ok_or_else(|| bad(&format!("invalid symbol: {name}")))
        })
        .collect()
}

/// Letters, and a suffix after a dot: `BRK.B`, `BC.PRC`. Digits and hyphens are refused.
fn is_stock(name: &str) -> bool {
    name.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase()))
}

fn is_pair(name: &str) -> bool {
    name.split_once('/').is_some_and(|(base, quote)| {
        let is_coin = |coin: &str| !coin.is_empty() && coin.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_coin(base) && is_coin(quote)
    })
}

#[derive(Clone, Copy)]
enum Edge {
    First,
    Last,
}

/// The decoded parameters of a request. Of one given twice, the first counts, and an empty one is absent.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// Refuses every parameter but the allowed ones.
    pub(crate) fn only(&self, allowed: impl Fn(&str) -> bool) -> Result<(), Answer> {
        let unexpected: Vec<&str> =
            self.0.iter().map(|(name, _)| name.as_str()).filter(|name| !allowed(name)).collect();
        if unexpected.is_empty() {
            return Ok(());
        }
        Err(bad(&format!("unexpected query parameter(s): {}", unexpected.join(", "))))
    }

    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Answer> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| bad(&format!("invalid limit: {text}: expected 1 to {most}")))
    }

    /// The first or last whole second of what a parameter names, by which bars are compared.
    fn instant(&self, name: &str, zone: Zone, edge: Edge) -> Result<Option<i64>, Answer> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let stamp = stamp::parse(text).ok_or_else(|| bad(&format!("invalid {name}: {text}")))?;
        Ok(Some(match (stamp, edge) {
            (Stamp::Instant { seconds, nanos }, Edge::First) => seconds + i64::from(nanos > 0),
            (Stamp::Instant { seconds, .. }, Edge::Last) => seconds,
            (Stamp::Date(date), Edge::First) => zone.midnight(date),
            (Stamp::Date(date), Edge::Last) => zone.midnight(date + chrono::Days::new(1)) - 1,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<BarsQuery, String> {
        BarsQuery::read(&Parameters::parse(query), Zone::NewYork, Zone::NewYork, None)
            .map_err(|answer| String::from_utf8(answer.body).unwrap())
    }

    #[test]
    fn the_official_clients_request_is_read() {
        let query = read(
            "start=2024-03-04T00%3A00%3A00%2B00%3A00&end=2024-03-05T00%3A00%3A00%2B00%3A00&timeframe=1Day\
             &adjustment=split&feed=sip&symbols=ZTST%2CAAPL&limit=10000",
        )
        .unwrap();
        assert_eq!(query.symbols.iter().map(Symbol::as_str).collect::<Vec<_>>(), ["AAPL", "ZTST"]);
        assert_eq!((query.start, query.end), (Some(1_709_510_400), Some(1_709_596_800)));
        assert_eq!((query.span, query.limit), (Span::Day, 10_000));
        assert_eq!(query.adjustment, Adjustment::SPLIT);
    }

    #[test]
    fn what_was_left_out_has_the_documented_default() {
        let query = read("symbols=AAPL&timeframe=1Min&page_token=").unwrap();
        assert_eq!((query.limit, query.order, query.asof), (1000, Order::Ascending, Asof::Today));
        assert_eq!((query.token, query.feed, query.start), (None, None, None));
    }

    #[test]
    fn bad_parameters_are_named() {
        for (query, message) in [
            ("timeframe=1Min", "symbols is required"),
            ("symbols=A", "timeframe is required"),
            ("symbols=A&timeframe=2Day", "invalid timeframe: 2Day"),
            ("symbols=A,3USL,BRK-B&timeframe=1Day", "invalid symbol: 3USL"),
            ("symbols=A,&timeframe=1Day", "invalid symbol: "),
            ("symbols=A&timeframe=1Day&limit=10001", "invalid limit: 10001: expected 1 to 10000"),
            ("symbols=A&timeframe=1Day&limit=0", "invalid limit: 0: expected 1 to 10000"),
            ("symbols=A&timeframe=1Day&end=2024-03-04T00:00:00", "invalid end: 2024-03-04T00:00:00"),
            ("symbols=A&timeframe=1Day&foo=1&bar=2", "unexpected query parameter(s): foo, bar"),
            ("symbols=A&timeframe=1Day&adjustment=splits", "invalid adjustment: splits"),
        ] {
            assert_eq!(read(query).unwrap_err(), format!("{{\"message\":\"{message}\"}}"), "{query}");
        }
    }

    #[test]
    fn crypto_refuses_what_only_stocks_have() {
        let query = Parameters::parse("symbols=BTC/USD&timeframe=1Day&feed=sip");
        assert!(BarsQuery::read(&query, Zone::Utc, Zone::Utc, None).is_err());
        let query = Parameters::parse("symbols=btc%2Fusd&timeframe=1Day");
        assert!(BarsQuery::read(&query, Zone::Utc, Zone::Utc, None).is_ok());
    }

    #[test]
    fn a_date_is_a_whole_day_in_new_york() {
        let query = read("symbols=A&timeframe=1Min&start=2021-06-08&end=2021-06-08").unwrap();
        assert_eq!((query.start, query.end), (Some(1_623_124_800), Some(1_623_211_199)));
    }
}
