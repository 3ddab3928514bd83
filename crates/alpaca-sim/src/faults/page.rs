//! Pages whose bars or token are not what they should be.

use crate::candle::Candle;
use crate::market::Order;
use crate::page::{Page, PageRequest};
use crate::stamp::DAY;
use crate::token::Token;

/// A page that is well-formed, and wrong or at least strange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageFault {
    /// Every bar comes twice.
    DuplicateBars,
    /// Every bar comes twice, the second time with one share more.
    ConflictingBars,
    /// The bars of each symbol come in the wrong order.
    DisorderedBars,
    /// There are bars of a symbol that nobody asked for: `XXXX`.
    ForeignSymbol,
    /// There is a bar from a day before the time asked for.
    BarOutOfRange,
    /// There is a bar from a year after now.
    BarFromTheFuture,
    /// Bars start 17 seconds late, on no grid.
    MisalignedBars,
    /// The next page begins with the last bar of this one.
    OverlappingPages,
    /// `bars` is null.
    NullBars,
    /// `bars` is absent.
    MissingBars,
    /// `bars` is an empty array.
    ArrayBars,
    /// The page and its bars have fields that nobody has heard of. Its content is true.
    UnknownFields,
    /// The page is empty, though not the last: its token leads to the bars.
    EmptyPageWithToken,
    /// The page carries the token that led to it.
    SameToken,
    /// The page carries one of two tokens, in turn.
    TokenCycle,
    /// The page is empty, and carries a token that was never seen.
    EndlessTokens,
}

impl PageFault {
    /// Changes a page before it is written.
    pub(crate) fn bend(self, page: &mut Page, request: &PageRequest<'_>) {
        match self {
            Self::DuplicateBars => each(page, |bars| bars.iter().flat_map(|bar| [*bar, *bar]).collect()),
            Self::ConflictingBars => each(page, |bars| {
                bars.iter().flat_map(|bar| [*bar, Candle { volume: bar.volume + 1.0, ..*bar }]).collect()
            }),
            Self::DisorderedBars => each(page, |bars| bars.iter().rev().copied().collect()),
            Self::ForeignSymbol => {
                let foreign = page.bars.first().map(|(_, bars)| bars.clone()).unwrap_or_default();
                page.bars.push(("XXXX".parse().expect("a symbol"), foreign));
            }
            Self::BarOutOfRange => prepend(page, |first| Candle { start: request.from - DAY, ..first }),
            Self::BarFromTheFuture => append(page, |last| Candle { start: request.view.now + 365 * DAY, ..last }),
            Self::MisalignedBars => {
                each(page, |bars| bars.iter().map(|bar| Candle { start: bar.start + 17, ..*bar }).collect());
            }
            Self::OverlappingPages => {
                let last = page.bars.last().and_then(|(_, bars)| bars.last()).map(|bar| bar.start);
                if let (Some(token), Some(last)) = (&mut page.next, last) {
                    token.start = before(last, request.query.order);
                }
            }
            Self::EmptyPageWithToken => *page = empty_before(request),
            Self::SameToken => page.next = Some(request.resume.clone().unwrap_or_else(|| start_of(request, 0))),
            Self::TokenCycle => {
                let [one, other] = [0, 1].map(|step| start_of(request, step));
                page.next = Some(if request.resume.as_ref() == Some(&one) { other } else { one });
            }
            Self::EndlessTokens => {
                let next = match &request.resume {
                    Some(token) => Token { start: before(token.start, request.query.order), ..token.clone() },
                    None => start_of(request, 0),
                };
                *page = Page { bars: Vec::new(), next: Some(next) };
            }
            Self::NullBars | Self::MissingBars | Self::ArrayBars => page.bars.clear(),
            Self::UnknownFields => {}
        }
    }

    /// Changes the text of a page.
    pub(crate) fn rewrite(self, body: Vec<u8>) -> Vec<u8> {
        let replaced = |from: &str, to: &str| String::from_utf8_lossy(&body).replace(from, to).into_bytes();
        match self {
            Self::NullBars => replaced("\"bars\":{}", "\"bars\":null"),
            Self::MissingBars => replaced("\"bars\":{},", ""),
            Self::ArrayBars => replaced("\"bars\":{}", "\"bars\":[]"),
            Self::UnknownFields => {
                let page = String::from_utf8_lossy(&body).replacen('{', "{\"served_by\":{\"rack\":[1,2]},", 1);
                page.replace("{\"c\":", "{\"x\":\"V\",\"c\":").into_bytes()
            }
            _ => body,
        }
    }
}

fn each(page: &mut Page, change: impl Fn(&[Candle]) -> Vec<Candle>) {
    for (_, bars) in &mut page.bars {
        *bars = change(bars);
    }
}

fn prepend(page: &mut Page, change: impl Fn(Candle) -> Candle) {
    if let Some((_, bars)) = page.bars.first_mut() {
        bars.insert(0, change(bars[0]));
    }
}

fn append(page: &mut Page, change: impl Fn(Candle) -> Candle) {
    if let Some((_, bars)) = page.bars.last_mut() {
        bars.push(change(bars[bars.len() - 1]));
    }
}

/// The position one second earlier in the order of serving: what resumes there repeats what starts at `start`.
fn before(start: i64, order: Order) -> i64 {
    match order {
        Order::Ascending => start - 1,
        Order::Descending => start + 1,
    }
}

/// A token that leads to the first page, and that no page without fault carries.
fn start_of(request: &PageRequest<'_>, step: i64) -> Token {
    let start = match request.query.order {
        Order::Ascending => request.from - 1 - step,
        Order::Descending => request.to + DAY * 400 + step,
    };
    let symbol = request.query.symbols.first().map(|symbol| symbol.as_str().to_owned()).unwrap_or_default();
    Token { symbol, source: request.query.span.source(), start }
}

/// An empty page, whose token leads to where the true page begins and yet differs from the one asked for: bars start on
/// whole minutes, so that a second more makes no difference.
fn empty_before(request: &PageRequest<'_>) -> Page {
    let next = match &request.resume {
        Some(token) if request.query.order == Order::Ascending => Token { start: token.start + 1, ..token.clone() },
        Some(token) => Token { start: token.start - 1, ..token.clone() },
        None => start_of(request, 0),
    };
    Page { bars: Vec::new(), next: Some(next) }
}
