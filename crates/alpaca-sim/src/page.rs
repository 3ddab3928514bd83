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
            let Some(tape) = market.tape(symbol, self.view) else { continue };
            let span = self.query.span;
            // The last bar is whole, though the minutes within it may start after `to`.
            let to = span.last_second(self.to, tape.zone());
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

#[cfg(test)]
mod tests {
    use barkeep_types::Adjustment;
    use proptest::prelude::*;

    use super::*;
    use crate::market::{Asof, Listing, Venue};
    use crate::span::Span;

    const MONDAY: i64 = 1_709_510_400; // 2024-03-04T00:00:00Z.

    fn market() -> Market {
        let listing = |name: &str, liquidity| Listing::new(name.parse().unwrap()).with_liquidity(liquidity);
        Market::empty(9)
            .with_listing(listing("AA", 1.0))
            .with_listing(listing("B", 0.05))
            .with_listing(listing("C", 0.3))
    }

    fn query(span: Span, limit: usize, order: Order) -> BarsQuery {
        BarsQuery {
            symbols: ["C", "AA", "B", "NONE"].iter().map(|name| name.parse().unwrap()).collect(),
            span,
            start: None,
            end: None,
            limit,
            order,
            token: None,
            feed: None,
            adjustment: Adjustment::RAW,
            asof: Asof::Today,
            currency: None,
        }
    }

    /// All pages from the first to the one without a token.
    fn pages(market: &Market, query: &BarsQuery, rules: PageRules, from: i64, to: i64) -> Vec<Page> {
        let view =
            View { venue: Venue::SIP, adjustment: Adjustment::RAW, asof: Asof::Today, now: i64::MAX, settling: 0 };
        let (mut pages, mut resume) = (Vec::new(), None);
        loop {
            let page = PageRequest { query, view, from, to, resume }.page(market, rules);
            resume = page.next.clone();
            pages.push(page);
            if resume.is_none() {
                return pages;
            }
        }
    }

    fn rules(source_bars: Option<usize>) -> PageRules {
        PageRules { source_bars, cut_inside_bars: false, token_on_full_last_page: false, partial_first_bar: false }
    }

    fn all(pages: &[Page]) -> Vec<(Symbol, Candle)> {
        let bars = pages.iter().flat_map(|page| &page.bars);
        bars.flat_map(|(symbol, bars)| bars.iter().map(|bar| (symbol.clone(), *bar))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn whatever_the_page_size_the_pages_together_are_one_endless_page(
            limit in 1..400_usize,
            source_bars in proptest::option::of(1..2000_usize),
            span in proptest::sample::select(vec![
                Span::Minutes(1), Span::Minutes(15), Span::Minutes(60), Span::Minutes(300), Span::Day, Span::Week, Span::Months(1),
            ]),
            descending: bool,
            last_token: bool,
            from in 0..200_000_i64,
            length in 0..200_000_i64,
        ) {
            let order = if descending { Order::Descending } else { Order::Ascending };
            let market = market();
            let (from, to) = (MONDAY + from, MONDAY + from + length);
            let whole = pages(&market, &query(span, usize::MAX, order), rules(None), from, to);
            prop_assert_eq!(whole.len(), 1);
            let rules = PageRules { token_on_full_last_page: last_token, ..rules(source_bars) };
            let cut = pages(&market, &query(span, limit, order), rules, from, to);
            prop_assert_eq!(all(&cut), all(&whole));
            prop_assert!(cut.iter().all(|page| all(std::slice::from_ref(page)).len() <= limit));
            let starts_in_time = |(_, bar): &(Symbol, Candle)| (from..=to).contains(&bar.start);
            prop_assert!(all(&cut).iter().all(starts_in_time));
        }
    }

    #[test]
    fn a_partial_first_bar_is_made_of_the_part_from_the_start_on() {
        let (market, hours) = (market(), query(Span::Minutes(60), 1000, Order::Ascending));
        let (from, to) = (MONDAY + 15 * 3600 + 1800, MONDAY + 16 * 3600);
        let starts = |rules| all(&pages(&market, &hours, rules, from, to)).first().map(|(_, bar)| bar.start);
        assert_eq!(starts(rules(None)), Some(MONDAY + 16 * 3600));
        assert_eq!(starts(PageRules { partial_first_bar: true, ..rules(None) }), Some(MONDAY + 15 * 3600));
    }
}
