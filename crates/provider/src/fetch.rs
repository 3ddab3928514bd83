use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use barkeep_types::Symbol;
use futures::stream::{self, BoxStream, Stream, StreamExt};

use crate::paging::Paging;
use crate::{BarsRequest, Calls, Error, Limits, Page, ProvenPage, Provider, Result};

/// How often one fetch starts anew because the vendor no longer takes its token.
const MOST_RESTARTS: u32 = 3;
/// After how many symbols refused alone, for no stated reason and with nothing ever accepted, the fault is taken to be
/// the request's and not the symbols'.
const MOST_UNEXPLAINED: u32 = 4;

/// What a fetch brings.
#[derive(Debug)]
pub enum Fetched {
    /// Bars, with what they prove.
    Page(ProvenPage),
    /// A symbol that was set aside: the vendor refuses it, or sends impossible bars of it. The others go on. Proofs of
    /// earlier pages about it hold.
    Rejected {
        /// The symbol.
        symbol: Symbol,
        /// Why.
        error: Error,
    },
}

/// A fetch under way, from [`ProviderExt::fetch`](crate::ProviderExt::fetch): a stream of what it brings.
///
/// An error ends it. What was given before stays true, and nothing else was proven.
pub struct Fetch<'a> {
    stream: BoxStream<'a, Result<Fetched>>,
    calls: Calls,
}

impl<'a> Fetch<'a> {
    pub(crate) fn new<P: Provider + ?Sized>(provider: &'a P, request: BarsRequest) -> Self {
        let limits = provider.limits();
        let calls = Calls::default();
        let work = Work {
            provider,
            todo: split(request, &limits).into(),
            limits,
            paging: None,
            ready: VecDeque::new(),
            calls: calls.clone(),
            restarts: 0,
            unexplained: 0,
            has_succeeded: false,
        };
        let stream = stream::try_unfold(work, async |mut work| {
            let fetched = work.next().await?;
            Ok(fetched.map(|fetched| (fetched, work)))
        });
        Self { stream: stream.boxed(), calls }
    }

    /// How many requests the vendor got to see so far: refused ones, and those that a wrapper sent again, included.
    pub fn calls(&self) -> u64 {
        self.calls.count()
    }
}

impl Stream for Fetch<'_> {
    type Item = Result<Fetched>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(context)
    }
}

impl fmt::Debug for Fetch<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Fetch").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

struct Work<'a, P: ?Sized> {
    provider: &'a P,
    limits: Limits,
    todo: VecDeque<BarsRequest>,
    paging: Option<Paging>,
    ready: VecDeque<Fetched>,
    calls: Calls,
    restarts: u32,
    unexplained: u32,
    has_succeeded: bool,
}

impl<P: Provider + ?Sized> Work<'_, P> {
    async fn next(&mut self) -> Result<Option<Fetched>> {
        loop {
            if let Some(fetched) = self.ready.pop_front() {
                return Ok(Some(fetched));
            }
            let paging = match self.paging.take() {
                Some(paging) => paging,
                None => match self.todo.pop_front() {
                    Some(request) => Paging::new(request, &self.limits),
                    None => return Ok(None),
                },
            };
            match self.provider.page_counted(paging.request(), paging.token(), &self.calls).await {
                Ok(page) => self.accept(paging, page)?,
                Err(error) => self.recover(&paging, error)?,
            }
        }
    }

    fn accept(&mut self, mut paging: Paging, page: Page) -> Result<()> {
        let checked = paging.accept(page)?;
        self.has_succeeded = true;
        self.ready.push_back(Fetched::Page(checked.page));
        for error in checked.impossible {
            if let Error::InvalidData { symbol, .. } = &error {
                self.ready.push_back(Fetched::Rejected { symbol: symbol.clone(), error });
            }
        }
        self.todo.extend(checked.torn);
        self.paging = (!paging.is_finished()).then_some(paging);
        Ok(())
    }

    /// Does what the error asks for, or gives up with it.
    fn recover(&mut self, paging: &Paging, error: Error) -> Result<()> {
        let remaining = paging.remaining();
        match error {
            Error::InvalidSymbol { symbol: Some(ref symbol), .. }
            | Error::SymbolNotFound { symbol: Some(ref symbol), .. }
                if paging.request().symbols().contains(symbol) =>
            {
                let symbol = symbol.clone();
                let others = |request: &BarsRequest| request.keep(|other| **other != symbol);
                self.put_back(remaining.iter().filter_map(others).collect());
                self.ready.push_back(Fetched::Rejected { symbol, error });
            }
            Error::InvalidSymbol { .. } | Error::SymbolNotFound { .. } | Error::Rejected { .. } => {
                if let Some(request) = self.narrow(remaining) {
                    self.reject_alone(request, error)?;
                }
            }
            Error::RequestTooLarge { .. } => {
                if self.narrow(remaining).is_some() {
                    return Err(error);
                }
            }
            Error::TokenRefused { .. } if paging.token().is_some() => {
                self.restarts += 1;
                if self.restarts > MOST_RESTARTS {
                    return Err(error);
                }
                self.put_back(remaining);
            }
            _ => return Err(error),
        }
        Ok(())
    }

    /// Puts smaller requests in the place of a refused one; gives it back if it cannot be smaller.
    fn narrow(&mut self, mut remaining: Vec<BarsRequest>) -> Option<BarsRequest> {
        if remaining.len() == 1 {
            let request = remaining.pop()?;
            match halves(&request) {
                Some(halves) => remaining.extend(halves),
                None => return Some(request),
            }
        }
        self.put_back(remaining);
        None
    }

    /// A symbol was refused on its own. If the vendor does not speak of symbols, that may be the request's fault.
    fn reject_alone(&mut self, request: BarsRequest, error: Error) -> Result<()> {
        if !matches!(error, Error::InvalidSymbol { .. }) {
            self.unexplained += 1;
        }
        if self.unexplained >= MOST_UNEXPLAINED && !self.has_succeeded {
            return Err(error);
        }
        if let [symbol] = request.symbols() {
            self.ready.push_back(Fetched::Rejected { symbol: symbol.clone(), error });
        }
        Ok(())
    }

    fn put_back(&mut self, requests: Vec<BarsRequest>) {
        for request in requests.into_iter().rev() {
            self.todo.push_front(request);
        }
    }
}

fn halves(request: &BarsRequest) -> Option<[BarsRequest; 2]> {
    let middle = &request.symbols()[request.symbols().len() / 2];
    let lower = request.keep(|symbol| *symbol < middle)?;
    let upper = request.keep(|symbol| *symbol >= middle)?;
    Some([lower, upper])
}

/// Cuts a request into as few as the limits allow.
fn split(request: BarsRequest, limits: &Limits) -> Vec<BarsRequest> {
    let mut parts = Vec::new();
    let (mut part, mut count, mut bytes) = (0_usize, 0_usize, 0_usize);
    let part_of: Vec<usize> = request
        .symbols()
        .iter()
        .map(|symbol| {
            let length = symbol.as_str().len();
            let is_full =
                count >= limits.symbols_a_request || bytes.saturating_add(1 + length) > limits.symbol_bytes_a_request;
            if count > 0 && is_full {
                (part, count, bytes) = (part + 1, 0, 0);
            }
            bytes += length + usize::from(count > 0);
            count += 1;
            part
        })
        .collect();
    for wanted in 0..=part {
        let mut parts_of = part_of.iter();
        parts.extend(request.keep(|_| parts_of.next() == Some(&wanted)));
    }
    parts
}

#[cfg(test)]
mod tests;
