//! JSON in any form, as serde reads it.

use std::fmt;

use barkeep_provider::{PageToken, SymbolBars};
use barkeep_types::{Bar, Symbol};
use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{BLANK, Contents, Field, NO_COUNT, whole, whole_second, with_true_vwap};

/// Reads a page of bars and where the next begins.
pub(super) fn bars(json: &[u8]) -> serde_json::Result<Contents> {
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

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl Visitor<'_> for FieldVisitor {
            type Value = Field;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
                Ok(Field::of(name.as_bytes()))
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
        let (mut bar, mut has_start) = (BLANK, false);
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Start => (bar.start, has_start) = (map.next_value::<Instant>()?.0, true),
                Field::Open => bar.open = map.next_value::<Number>()?.0,
                Field::High => bar.high = map.next_value::<Number>()?.0,
                Field::Low => bar.low = map.next_value::<Number>()?.0,
                Field::Close => bar.close = map.next_value::<Number>()?.0,
                Field::Volume => bar.volume = map.next_value::<Number>()?.0,
                Field::Vwap => bar.vwap = map.next_value::<Option<Number>>()?.map(|number| number.0),
                Field::TradeCount => bar.trade_count = map.next_value::<Option<Count>>()?.map(|count| count.0),
                Field::Bars | Field::Token | Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if !has_start {
            return Err(A::Error::missing_field("t"));
        }
        Ok(Row(with_true_vwap(bar)))
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
                Ok(Count(NO_COUNT))
            }

            fn visit_f64<E: Error>(self, count: f64) -> Result<Count, E> {
                Ok(Count(whole(count)))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Count, E> {
                Ok(Count(NO_COUNT))
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
