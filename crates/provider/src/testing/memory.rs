use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use barkeep_types::{Bar, Series, Symbol};

use crate::{Answer, BarsRequest, Error, Limits, Page, PageToken, Provider, Result, SymbolBars};

/// A provider of bars that are in memory, paged as vendors page.
///
/// A series that it does not have is an unknown symbol: left out. Clones share the count of calls.
#[derive(Clone, Debug)]
pub struct MemoryProvider {
    limits: Limits,
    bars: BTreeMap<Series, Vec<Bar>>,
    refused: BTreeMap<Symbol, Refusal>,
    calls: Arc<AtomicU64>,
}

/// How a request is refused for the sake of one of its symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As malformed, by name.
    Named,
    /// As malformed, without a name.
    Unnamed,
    /// For no stated reason.
    Unexplained,
}

impl Default for MemoryProvider {
    /// No bars, pages of 10,000, no other limit.
    fn default() -> Self {
        Self { limits: Limits::new(10_000), bars: BTreeMap::new(), refused: BTreeMap::new(), calls: Arc::default() }
    }
}

impl MemoryProvider {
    /// States other limits, and pages by them.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Has these bars of a series, given in any order.
    #[must_use]
    pub fn with_bars(mut self, series: Series, bars: impl IntoIterator<Item = Bar>) -> Self {
        let mut bars: Vec<Bar> = bars.into_iter().collect();
        bars.sort_by_key(|bar| bar.start);
        self.bars.insert(series, bars);
        self
    }

    /// Refuses every request that names `symbol`.
    #[must_use]
    pub fn with_refused(mut self, symbol: Symbol, refusal: Refusal) -> Self {
        self.refused.insert(symbol, refusal);
        self
    }

    /// How many pages were asked for.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn refuse(&self, request: &BarsRequest) -> Result<()> {
        let refused = |symbol: &Symbol| Some((symbol.clone(), *self.refused.get(symbol)?));
        let answer = Answer::new(400, b"refused");
        match request.symbols().iter().find_map(refused) {
            None => Ok(()),
            Some((symbol, Refusal::Named)) => Err(Error::InvalidSymbol { symbol: Some(symbol), answer }),
            Some((_, Refusal::Unnamed)) => Err(Error::InvalidSymbol { symbol: None, answer }),
            Some((_, Refusal::Unexplained)) => Err(Error::Rejected { answer }),
        }
    }

    /// The bars that answer a request, in the order of pages.
    fn answer<'a>(&'a self, request: &'a BarsRequest) -> impl Iterator<Item = (&'a Symbol, &'a Bar)> {
        request.symbols().iter().flat_map(move |symbol| {
            let series = Series {
                symbol: symbol.clone(),
                timeframe: request.timeframe(),
                feed: request.feed().clone(),
                adjustment: request.adjustment(),
            };
            let bars = self.bars.get(&series).map(Vec::as_slice).unwrap_or_default();
            let asked_for = bars.iter().filter(move |bar| request.range().contains(bar.start));
            asked_for.map(move |bar| (symbol, bar))
        })
    }
}

#[async_trait]
impl Provider for MemoryProvider {
    fn limits(&self) -> Limits {
        self.limits.clone()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.refuse(request)?;
        let from: usize = match token.map(|token| token.as_str().parse()) {
            None => 0,
            Some(Ok(from)) => from,
            Some(Err(_)) => {
                return Err(Error::TokenRefused { answer: Answer::new(400, b"invalid page token") });
            }
        };
        let most = self.limits.bars_a_page as usize;
        let mut page = Page::default();
        let mut rest = self.answer(request).skip(from);
        for (symbol, bar) in rest.by_ref().take(most) {
            match page.bars.last_mut() {
                Some(of) if of.symbol == *symbol => of.bars.push(*bar),
                _ => page.bars.push(SymbolBars { symbol: symbol.clone(), bars: vec![*bar] }),
            }
        }
        if rest.next().is_some() {
            page.next = PageToken::new((from + most).to_string());
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use crate::example::subject;

    crate::provider_conformance!(subject(|memory| memory));
}
