use barkeep_types::{Bar, Symbol};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::{BarsRequest, Fetch, Fetched, ProvenPage, Provider, Result};

/// What callers use: streams that follow page tokens, check every page, and tell what it proves.
///
/// Every provider has it. Memory is bounded by one page. The next is asked for when the stream is, and no earlier: who
/// stops has used no request in vain. Dropping a stream ends its request.
pub trait ProviderExt: Provider {
    /// The pages that answer `request`, checked, each with what it proves.
    ///
    /// The first error ends the stream, and so does the first symbol that is refused or has impossible bars. Use
    /// [`ProviderExt::fetch`] where one bad symbol must not stop the others.
    fn pages(&self, request: BarsRequest) -> BoxStream<'_, Result<ProvenPage>> {
        let pages = self.fetch(request).map(|fetched| match fetched? {
            Fetched::Page(page) => Ok(page),
            Fetched::Rejected { error, .. } => Err(error),
        });
        let until_error = pages.scan(true, |is_good, page| {
            let go_on = std::mem::replace(is_good, page.is_ok());
            std::future::ready(go_on.then_some(page))
        });
        until_error.boxed()
    }

    /// The bars that answer `request`, sorted by symbol, then by time.
    fn bars(&self, request: BarsRequest) -> BoxStream<'_, Result<(Symbol, Bar)>> {
        let bars = self.pages(request).map_ok(|page| {
            let bars = page.bars.into_iter().flat_map(|of| {
                let symbol = of.symbol;
                of.bars.into_iter().map(move |bar| (symbol.clone(), bar))
            });
            stream::iter(bars.map(Ok))
        });
        bars.try_flatten().boxed()
    }

    /// Fetches `request` whatever its symbols are: cut into as many requests as the vendor's limits ask for, bad symbols
    /// set aside with the vendor's reason, the rest fetched.
    fn fetch(&self, request: BarsRequest) -> Fetch<'_> {
        Fetch::new(self, request)
    }
}

impl<P: Provider + ?Sized> ProviderExt for P {}
