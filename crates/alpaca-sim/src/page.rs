//! One page of bars: where it starts, and where it ends.

use std::cmp::Ordering;

use barkeep_types::Symbol;

use crate::aggregate::Bars;
use crate::candle::Candle;
use crate::market::{Market, Order, View};
use crate::query::BarsQuery;
use crate::token::Token;

/// How pages are cut, where the vendor's documentation leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageRules {
    /// A page of a derived timeframe ends once it has consumed so many source bars.
    pub(crate) source_bars: Option<usize>,
    /// Whether it then ends in the middle of a bar, whose rest comes with the next page.
    pub(crate) cut_inside_bars: bool,
    /// Whether a page that holds exactly the last bars still carries a token.
    pub(crate) token_on_full_last_page: bool,
    /// Whether a start in the middle of a bar gives that bar, made of the part from there on.
    pub(crate) partial_first_bar: bool,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Page {
    pub(crate) bars: Vec<(Symbol, Vec<Candle>)>,
    pub(crate) next: Option<Token>,
}

/// A page of the bars that start within `[from, to]`, after what `resume` says was served.
pub(crate) struct PageRequest<'query> {
    pub(crate) query: &'query BarsQuery,
    pub(crate) view: View,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) resume: Option<Token>,
}

impl PageRequest<'_> {
    /// Symbol by symbol, and within a symbol by time, until the page is full.
    pub(crate) fn page(&self, market: &Market, rules: PageRules) -> Page {
        let (mut page, mut budget) = (Page::default(), Budget::new(self.query, rules));
        let mut last = None;
        for symbol in &self.query.symbols {
            let Some(tape) = market.tape(symbol, &self.view) else { continue };
            let span = self.query.span;
            // The last bar is whole, though the minutes within it may start after `to`.
            let to = span.last_second(self.to, tape.calendar());
            let Some((from, to)) = self.rest_of(symbol, to) else { continue };
            let bars = Bars::of(&tape, span, from, to, self.query.order).cut_after(budget.cut_after());
            let asked = |start: i64| (rules.partial_first_bar || start >= self.from) && start <= self.to;
            let mut served = Vec::new();
            for made in bars.filter(|made| asked(made.candle.start)) {
                if budget.is_spent() {
                    page.next = last.take();
                    break;
                }
                budget.take(made.sources);
                served.push(made.candle);
                last =
                    Some(Token { symbol: symbol.as_str().to_owned(), source: span.source(), start: made.last_source });
            }
            if !served.is_empty() {
                page.bars.push((symbol.clone(), served));
            }
            if page.next.is_some() {
                return page;
            }
        }
        if rules.token_on_full_last_page && budget.is_full() {
            page.next = last;
        }
        page
    }

    /// Where the source bars of a symbol are read from and to; `None` for a symbol that was served already.
    fn rest_of(&self, symbol: &Symbol, to: i64) -> Option<(i64, i64)> {
        let Some(resume) = &self.resume else { return Some((self.from, to)) };
        match (symbol.as_str().cmp(resume.symbol.as_str()), self.query.order) {
            (Ordering::Less, _) => None,
            (Ordering::Equal, Order::Ascending) => Some((self.from.max(resume.start + 1), to)),
            (Ordering::Equal, Order::Descending) => Some((self.from, to.min(resume.start - 1))),
            (Ordering::Greater, _) => Some((self.from, to)),
        }
    }
}

/// What a page may still hold.
struct Budget {
    bars: usize,
    sources: usize,
    cut_inside: bool,
}

impl Budget {
    fn new(query: &BarsQuery, rules: PageRules) -> Self {
        let sources = rules.source_bars.filter(|_| query.span.is_derived()).unwrap_or(usize::MAX);
        Self { bars: query.limit, sources, cut_inside: rules.cut_inside_bars }
    }

    fn cut_after(&self) -> usize {
        if self.cut_inside { self.sources } else { usize::MAX }
    }

    fn take(&mut self, sources: usize) {
        self.bars -= 1;
        self.sources = self.sources.saturating_sub(sources);
    }

    fn is_full(&self) -> bool {
        self.bars == 0
    }

    fn is_spent(&self) -> bool {
        self.bars == 0 || self.sources == 0
    }
}
