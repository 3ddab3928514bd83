//! Alpaca's JSON, read straight into bars: no tree in between, and no copy of a name.
//!
//! Twice: [`plain`] reads the form in which Alpaca prints it, fast; what is printed in another way, or is no page, is left
//! to [`any`], which reads every form and names what is wrong.
//!
//! `{"bars": {"AAPL": [{"t": "2024-03-04T14:30:00Z", "o": 1.5, …}, …], …}, "next_page_token": null}`

mod any;
mod plain;

use barkeep_provider::{Answer, Page, PageToken, SymbolBars};
use barkeep_types::Bar;
use chrono::{DateTime, NaiveDate, Utc};

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
pub(crate) fn bars(json: &[u8]) -> serde_json::Result<Contents> {
    plain::bars(json).map_or_else(|| any::bars(json), Ok)
}

/// The bars of a page, and where the next page begins.
type Contents = (Vec<SymbolBars>, Option<PageToken>);

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

impl Field {
    fn of(name: &[u8]) -> Self {
        match name {
            b"t" => Self::Start,
            b"o" => Self::Open,
            b"h" => Self::High,
            b"l" => Self::Low,
            b"c" => Self::Close,
            b"v" => Self::Volume,
            b"vw" => Self::Vwap,
            b"n" => Self::TradeCount,
            b"bars" => Self::Bars,
            b"next_page_token" => Self::Token,
            _ => Self::Other,
        }
    }
}

/// A bar of which nothing was read yet. Its start has to be.
const BLANK: Bar = Bar {
    start: DateTime::UNIX_EPOCH,
    open: f64::NAN,
    high: f64::NAN,
    low: f64::NAN,
    close: f64::NAN,
    volume: f64::NAN,
    vwap: None,
    trade_count: None,
};

/// Crypto bars made of quotes alone have no volume to weigh, and say so by a zero.
fn with_true_vwap(bar: Bar) -> Bar {
    Bar { vwap: bar.vwap.filter(|vwap| *vwap != 0.0 || bar.volume != 0.0), ..bar }
}

/// A count that no bar can have.
const NO_COUNT: u64 = u64::MAX;

/// The count that a number is, if it is one.
fn whole(number: f64) -> u64 {
    // What is too large for the type becomes its largest, which is impossible too.
    if number >= 0.0 && number.fract() == 0.0 { number as u64 } else { NO_COUNT }
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
