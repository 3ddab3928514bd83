//! JSON in the form in which Alpaca prints it: no space between its parts, no text but plain ASCII, no number but a plain
//! decimal.
//!
//! Several times as fast as a reader of all JSON, and no judge of it: `None` says no more than that it looks different.
//! What is read is what [`any`](super::any) would have read.

use std::str;

use barkeep_provider::{PageToken, SymbolBars};
use barkeep_types::Bar;

use super::{BLANK, Contents, Field, whole, whole_second, with_true_vwap};

/// Reads a page of bars and where the next begins.
pub(super) fn bars(json: &[u8]) -> Option<Contents> {
    let mut json = Json(json);
    let (mut bars, mut next) = (None, None);
    json.fields(|json, field| {
        match field {
            Field::Bars => bars = Some(json.bars_by_symbol()?),
            Field::Token => next = json.token()?,
            _ => json.skip()?,
        }
        Some(())
    })?;
    // Printers like to end with a new line.
    matches!(json.0, b"" | b"\n").then_some((bars?, next))
}

/// What is left to be read.
struct Json<'a>(&'a [u8]);

impl<'a> Json<'a> {
    fn bars_by_symbol(&mut self) -> Option<Vec<SymbolBars>> {
        self.list(b'{', b'}', |json| {
            let symbol = str::from_utf8(json.name()?).ok()?.parse().ok()?;
            let bars = json.list(b'[', b']', Self::bar)?;
            Some(SymbolBars { symbol, bars })
        })
    }

    fn bar(&mut self) -> Option<Bar> {
        let (mut bar, mut has_start) = (BLANK, false);
        self.fields(|json, field| {
            match field {
                Field::Start => (bar.start, has_start) = (whole_second(json.text()?)?, true),
                Field::Open => bar.open = json.number()?,
                Field::High => bar.high = json.number()?,
                Field::Low => bar.low = json.number()?,
                Field::Close => bar.close = json.number()?,
                Field::Volume => bar.volume = json.number()?,
                Field::Vwap => bar.vwap = Some(json.number()?),
                Field::TradeCount => bar.trade_count = Some(whole(json.number().filter(|count| *count < EXACT)?)),
                Field::Bars | Field::Token | Field::Other => json.skip()?,
            }
            Some(())
        })?;
        has_start.then(|| with_true_vwap(bar))
    }

    fn token(&mut self) -> Option<Option<PageToken>> {
        if let Some(rest) = self.0.strip_prefix(b"null") {
            self.0 = rest;
            return Some(None);
        }
        let text = str::from_utf8(self.text()?).ok()?;
        let token = PageToken::new(text);
        (token.is_some() || text.is_empty()).then_some(token)
    }

    /// An object, whose values `read` reads.
    fn fields(&mut self, mut read: impl FnMut(&mut Self, Field) -> Option<()>) -> Option<()> {
        let fields = self.list(b'{', b'}', |json| {
            let field = Field::of(json.name()?);
            read(json, field)
        });
        fields.map(drop)
    }

    /// What stands between two brackets, with commas in between.
    fn list<T>(&mut self, open: u8, close: u8, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        self.take(open)?;
        if self.take(close).is_some() {
            return Some(all);
        }
        loop {
            all.push(read(self)?);
            if self.take(b',').is_none() {
                return self.take(close).map(|()| all);
            }
        }
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        let name = self.text()?;
        self.take(b':')?;
        Some(name)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let (text, rest) = self.0.split_at(self.0.iter().take_while(|byte| is_plain(byte)).count());
        self.0 = rest;
        self.take(b'"')?;
        Some(text)
    }

    /// A decimal with neither sign nor exponent.
    fn number(&mut self) -> Option<f64> {
        let all = self.0;
        let (units, places) = self.digits(0)?;
        let (digits, decimals) = if self.take(b'.').is_some() { self.digits(units)? } else { (units, 0) };
        let is_plain = (places == 1 || all[0] != b'0') && places + decimals <= MOST_DIGITS;
        if !is_plain {
            return None;
        }
        let number = digits as f64;
        if number < EXACT {
            // Both are exact, so that their quotient is the number nearest to the decimal.
            return Some(number / POWERS_OF_TEN[decimals]);
        }
        str::from_utf8(&all[..all.len() - self.0.len()]).ok()?.parse().ok()
    }

    /// Appends digits to a number, and tells how many; at least one.
    fn digits(&mut self, mut number: u64) -> Option<(u64, usize)> {
        let before = self.0.len();
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.0 = rest;
        }
        let count = before - self.0.len();
        (count > 0).then_some((number, count))
    }

    /// Passes over a text or a number that nobody asks for.
    fn skip(&mut self) -> Option<()> {
        if self.0.first() == Some(&b'"') { self.text().map(drop) } else { self.number().map(drop) }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }
}

/// Below it, 2^53, an `f64` holds every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// So many fit into a `u64`, whatever they are.
const MOST_DIGITS: usize = 19;
/// Exact as well: up to 10^22 they are.
const POWERS_OF_TEN: [f64; MOST_DIGITS] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];
