//! Alpaca's JSON, read straight into bars: no tree in between, and no copy of a name.
//!
//! `{"bars": {"AAPL": [{"t": "2024-03-04T14:30:00Z", "o": 1.5, …}, …], …}, "next_page_token": null}`

use std::fmt;

use barkeep_provider::{Answer, Page, PageToken, SymbolBars};
use barkeep_types::{Bar, Symbol};
use chrono::{DateTime, NaiveDate, Utc};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::http::unreadable;

/// Reads a page of bars from Alpaca's JSON, for a client of one's own or for answers that were kept.
///
/// ```
/// let json = br#"{"bars":{"AAPL":[{"t":"2024-03-04T14:30:00Z","o":1,"h":2,"l":1,"c":2,"v":9}]},"next_page_token":null}"#;
/// let page = barkeep_alpaca::read_page(json)?;
/// assert_eq!(page.bars[0].bars[0].close, 2.0);
/// # Ok::<(), barkeep_provider::Error>(())
/// ```
///
/// # Errors
///
/// [`BadResponse`](barkeep_provider::Error::BadResponse) if it is no page. Bars in it are not checked.
pub fn read_page(json: &[u8]) -> barkeep_provider::Result<Page> {
    let (bars, next) = bars(json).map_err(|error| unreadable(&error, Answer::new(200, json)))?;
    Ok(Page { bars, next, ..Page::default() })
}

/// Reads a page of bars and where the next begins.
///
/// `bars` may be null, missing, `{}` or `[]`, all of which mean none. A number that is missing, null or a text becomes
/// NaN, and a trade count that is none one that is too large, so that one bad bar is told from a bad page.
pub(crate) fn bars(json: &[u8]) -> serde_json::Result<(Vec<SymbolBars>, Option<PageToken>)> {
    serde_json::from_slice::<Envelope>(json).map(|Envelope { bars, next }| (bars, next))
}

struct Envelope {
    bars: Vec<SymbolBars>,
    next: Option<PageToken>,
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a page of bars")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let (mut bars, mut next) = (None, None);
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Bars => bars = Some(map.next_value::<BySymbol>()?.0),
                Field::Token => next = Some(map.next_value::<Token>()?.0),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        // An object with neither is somebody else's answer, not an empty page.
        if bars.is_none() && next.is_none() {
            return Err(A::Error::missing_field("bars"));
        }
        Ok(Envelope { bars: bars.unwrap_or_default(), next: next.flatten() })
    }
}

/// The names that matter, of a page and of a bar.
#[derive(Clone, Copy)]
enum Field {
    Bars,
    Token,
    Start,
    Open,
    High,
    Low,
    Close,
    Volume,
    Vwap,
    TradeCount,
    Other,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl Visitor<'_> for FieldVisitor {
            type Value = Field;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
                Ok(match name {
                    "t" => Field::Start,
                    "o" => Field::Open,
                    "h" => Field::High,
                    "l" => Field::Low,
                    "c" => Field::Close,
                    "v" => Field::Volume,
                    "vw" => Field::Vwap,
                    "n" => Field::TradeCount,
                    "bars" => Field::Bars,
                    "next_page_token" => Field::Token,
                    _ => Field::Other,
                })
            }
        }

        deserializer.deserialize_str(FieldVisitor)
    }
}

/// A token, or none: null and the empty text.
struct Token(Option<PageToken>);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(Self(None));
        };
        let (is_empty, length) = (text.is_empty(), text.len());
        match PageToken::new(text) {
            None if !is_empty => Err(D::Error::custom(format!("a page token of {length} bytes"))),
            token => Ok(Self(token)),
        }
    }
}

#[derive(Default)]
struct BySymbol(Vec<SymbolBars>);

impl<'de> Deserialize<'de> for BySymbol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BySymbolVisitor)
    }
}

struct BySymbolVisitor;

impl<'de> Visitor<'de> for BySymbolVisitor {
    type Value = BySymbol;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bars by symbol")
    }

    fn visit_unit<E: Error>(self) -> Result<BySymbol, E> {
        Ok(BySymbol::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BySymbol, A::Error> {
        match seq.next_element::<IgnoredAny>()? {
            None => Ok(BySymbol::default()),
            Some(_) => Err(A::Error::custom("bars without their symbol")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BySymbol, A::Error> {
        let mut all = Vec::new();
        while let Some(symbol) = map.next_key::<Symbol>()? {
            let bars = map.next_value::<Option<Vec<Row>>>()?.unwrap_or_default();
            // The same allocation: a row is a bar under another name.
            let bars = bars.into_iter().map(|Row(bar)| bar).collect();
            all.push(SymbolBars { symbol, bars });
        }
        Ok(BySymbol(all))
    }
}

struct Row(Bar);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a bar")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut start = None;
        let [mut open, mut high, mut low, mut close, mut volume] = [f64::NAN; 5];
        let (mut vwap, mut trade_count) = (None, None);
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Start => start = Some(map.next_value::<Instant>()?.0),
                Field::Open => open = map.next_value::<Number>()?.0,
                Field::High => high = map.next_value::<Number>()?.0,
                Field::Low => low = map.next_value::<Number>()?.0,
                Field::Close => close = map.next_value::<Number>()?.0,
                Field::Volume => volume = map.next_value::<Number>()?.0,
                Field::Vwap => vwap = map.next_value::<Option<Number>>()?.map(|number| number.0),
                Field::TradeCount => trade_count = map.next_value::<Option<Count>>()?.map(|count| count.0),
                Field::Bars | Field::Token | Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let start = start.ok_or_else(|| A::Error::missing_field("t"))?;
        // Crypto bars made of quotes alone have no volume to weigh, and say so by a zero.
        let vwap = vwap.filter(|vwap| *vwap != 0.0 || volume != 0.0);
        Ok(Row(Bar { start, open, high, low, close, volume, vwap, trade_count }))
    }
}

/// A number, printed with or without a fraction; NaN if it is none.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_unit<E: Error>(self) -> Result<Number, E> {
                Ok(Number(f64::NAN))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Number, E> {
                Ok(Number(f64::NAN))
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

/// A whole number, printed with or without a fraction; one that no bar can have if it is none.
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const IMPOSSIBLE: Count = Count(u64::MAX);

        struct CountVisitor;

        impl Visitor<'_> for CountVisitor {
            type Value = Count;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a count")
            }

            fn visit_u64<E: Error>(self, count: u64) -> Result<Count, E> {
                Ok(Count(count))
            }

            fn visit_i64<E: Error>(self, _negative: i64) -> Result<Count, E> {
                Ok(IMPOSSIBLE)
            }

            fn visit_f64<E: Error>(self, count: f64) -> Result<Count, E> {
                // What is too large for the type becomes its largest, which is impossible too.
                Ok(if count >= 0.0 && count.fract() == 0.0 { Count(count as u64) } else { IMPOSSIBLE })
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Count, E> {
                Ok(IMPOSSIBLE)
            }
        }

        deserializer.deserialize_any(CountVisitor)
    }
}

struct Instant(DateTime<Utc>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InstantVisitor;

        impl Visitor<'_> for InstantVisitor {
            type Value = Instant;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an RFC 3339 instant")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Instant, E> {
                let slow = || Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
                let instant = whole_second(text.as_bytes()).or_else(slow);
                instant.map(Instant).ok_or_else(|| E::custom("a bar's start is no instant"))
            }
        }

        deserializer.deserialize_str(InstantVisitor)
    }
}

/// Reads `2024-03-04T14:30:00Z`, the form that Alpaca prints, several times as fast as a parser of every form.
fn whole_second(text: &[u8]) -> Option<DateTime<Utc>> {
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2, b'Z'] = *text else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_u32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[mo1, mo2])?, number(&[d1, d2])?)?;
    let time = date.and_hms_opt(number(&[h1, h2])?, number(&[mi1, mi2])?, number(&[s1, s2])?)?;
    Some(time.and_utc())
}

#[cfg(test)]
mod tests;
