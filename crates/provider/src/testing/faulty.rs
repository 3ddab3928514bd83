use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use barkeep_types::{Bar, Symbol};
use chrono::TimeDelta;

use crate::{Answer, BarsRequest, Calls, Error, Limits, Page, PageToken, Provider, Result, SymbolBars};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Too many requests, with or without a word on when to come back.
    RateLimited(Option<Duration>),
    /// The vendor is out of order.
    Unavailable,
    /// The credentials are refused.
    Unauthenticated,
    /// The answer breaks off.
    BadResponse,
    /// The page token is no longer taken; a first page needs none, and comes.
    TokenRefused,
    /// No answer, ever.
    Silence,
    /// A page without bars, whose token leads to the page that should have come.
    EmptyPage,
    /// A token that leads to the same page again.
    SameToken,
    /// Every bar twice.
    DoubledBars,
    /// The latest bars first.
    DisorderedBars,
    /// Bars of a symbol that was not asked for, as many as of those that were.
    ForeignBars,
    /// Every bar a century too early.
    OutOfRange,
    /// The first bar with a negative price.
    ImpossibleBar,
}

/// A provider that breaks on command: the call with a given number, counted from 0, meets its fault; the others pass.
///
/// Clones share the count of calls.
#[derive(Clone, Debug)]
pub struct FaultyProvider<P> {
    inner: P,
    faults: BTreeMap<u64, Fault>,
    calls: Arc<AtomicU64>,
}

/// Begins tokens of ours, which hide the vendor's.
const DETOUR: &str = "detour|";

impl<P: Provider> FaultyProvider<P> {
    /// Breaks nothing yet.
    pub fn new(inner: P) -> Self {
        Self { inner, faults: BTreeMap::new(), calls: Arc::default() }
    }

    /// Breaks a call.
    #[must_use]
    pub fn with_fault(self, call: u64, fault: Fault) -> Self {
        self.with_faults(call..=call, fault)
    }

    /// Breaks some calls alike.
    #[must_use]
    pub fn with_faults(mut self, calls: impl IntoIterator<Item = u64>, fault: Fault) -> Self {
        self.faults.extend(calls.into_iter().map(|call| (call, fault)));
        self
    }

    /// How many pages were asked for.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Provider> Provider for FaultyProvider<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        self.page_counted(request, token, &Calls::default()).await
    }

    async fn page_counted(&self, request: &BarsRequest, token: Option<&PageToken>, calls: &Calls) -> Result<Page> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let hidden = token.and_then(|token| token.as_str().strip_prefix(DETOUR)?.split_once('|'));
        let hidden = hidden.map(|(_, token)| PageToken::new(token));
        let token = match &hidden {
            Some(token) => token.as_ref(),
            None => token,
        };
        let Some(fault) = self.faults.get(&call).copied() else {
            return self.inner.page_counted(request, token, calls).await;
        };
        let error = error(fault, token);
        if error.is_some() || matches!(fault, Fault::Silence | Fault::EmptyPage) {
            // What is inside does not see it, but the vendor would have.
            calls.add_one();
        }
        match (fault, error) {
            (_, Some(error)) => Err(error),
            (Fault::Silence, _) => std::future::pending().await,
            (Fault::EmptyPage, _) => Ok(Page { next: detour(call, token), ..Page::default() }),
            _ => {
                let mut page = self.inner.page_counted(request, token, calls).await?;
                spoil(&mut page, fault, token);
                Ok(page)
            }
        }
    }
}

fn detour(number: u64, token: Option<&PageToken>) -> Option<PageToken> {
    let token = token.map(PageToken::as_str).unwrap_or_default();
    PageToken::new(format!("{DETOUR}{number}|{token}"))
}

fn error(fault: Fault, token: Option<&PageToken>) -> Option<Error> {
    let answer = |status, body: &str| Answer::new(status, body.as_bytes());
    match fault {
        Fault::RateLimited(retry_after) => {
            Some(Error::RateLimited { retry_after, quota: None, answer: answer(429, "too many requests.") })
        }
        Fault::Unavailable => {
            Some(Error::Unavailable { retry_after: None, answer: Some(answer(503, "out of order")), source: None })
        }
        Fault::Unauthenticated => Some(Error::Unauthenticated { answer: answer(401, "who is there?") }),
        Fault::BadResponse => {
            Some(Error::BadResponse { detail: "the body broke off".to_owned(), answer: answer(200, "{"), source: None })
        }
        Fault::TokenRefused if token.is_some() => {
            Some(Error::TokenRefused { answer: answer(400, "invalid page token") })
        }
        _ => None,
    }
}

fn spoil(page: &mut Page, fault: Fault, token: Option<&PageToken>) {
    let each = |page: &mut Page, change: fn(&mut Vec<Bar>)| page.bars.iter_mut().for_each(|of| change(&mut of.bars));
    match fault {
        Fault::SameToken => page.next = detour(0, token),
        Fault::DoubledBars => each(page, |bars| bars.extend_from_within(..)),
        Fault::DisorderedBars => each(page, |bars| bars.reverse()),
        Fault::ForeignBars => {
            let bars = page.bars.iter().flat_map(|of| of.bars.iter().copied()).collect();
            let symbol: Symbol = "ZZZZ.FOREIGN".parse().expect("a symbol");
            page.bars.push(SymbolBars { symbol, bars });
        }
        Fault::OutOfRange => {
            each(page, |bars| bars.iter_mut().for_each(|bar| bar.start -= TimeDelta::days(36_525)));
        }
        Fault::ImpossibleBar => {
            if let Some(bar) = page.bars.first_mut().and_then(|of| of.bars.first_mut()) {
                bar.open = -bar.open;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::example::subject;
    use crate::testing::FaultyProvider;

    crate::provider_conformance!(subject(FaultyProvider::new));
}
