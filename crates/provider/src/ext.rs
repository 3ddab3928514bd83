use barkeep_types::{Bar, Symbol};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::fetch::Fetch;
use crate::paging::Paging;
use crate::{BarsRequest, ProvenPage, Provider, Result};

/// What callers use: streams that follow page tokens, check every page, and tell what it proves.
///
/// Every provider has it. Memory is bounded by one page; dropping a stream ends its request.
pub trait ProviderExt: Provider {
    /// The pages that answer `request`, checked, each with what it proves.
    ///
    /// The first error ends the stream, and so does the first impossible bar. Use [`ProviderExt::fetch`] where one bad
    /// symbol must not stop the others.
    fn pages(&self, request: BarsRequest) -> BoxStream<'_, Result<ProvenPage>> {
        let paging = Paging::new(request, &self.limits());
        let pages = stream::try_unfold((self, paging), async |(provider, mut paging)| {
            if paging.is_finished() {
                return Ok(None);
            }
            let page = provider.page(paging.request(), paging.token()).await?;
            let checked = paging.accept(page)?;
            match checked.impossible.into_iter().next() {
                Some(error) => Err(error),
                None => Ok(Some((checked.page, (provider, paging)))),
            }
        });
        pages.boxed()
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
