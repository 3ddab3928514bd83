use barkeep_types::{Bar, Grid, Series, TimeRange};
use chrono::TimeDelta;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::resample::Resampler;
use crate::{Error, Result, Store};

/// How many bars are in memory at a time.
const AT_A_TIME: usize = 10_000;

/// What callers do with any [`Store`].
///
/// Streams read 10,000 bars at a time, from after the last one: memory is bounded, and no connection is held while the
/// consumer works. A bar that is revised meanwhile comes as it is when its turn comes.
pub trait StoreExt: Store {
    /// Every bar of the series that starts within `range`: series by series, each earliest first.
    ///
    /// An error ends the stream.
    fn stream<'a>(&'a self, series: &'a [Series], range: TimeRange) -> BoxStream<'a, Result<(&'a Series, Bar)>> {
        let read = move |(index, rest): (usize, TimeRange)| async move {
            let Some(series) = series.get(index) else { return Ok::<_, Error>(None) };
            let bars = self.bars(series, rest, AT_A_TIME).await?;
            let rest = bars.last().and_then(|last| rest.from(last.start + TimeDelta::seconds(1)));
            let next = match rest {
                Some(rest) if bars.len() == AT_A_TIME => (index, rest),
                _ => (index + 1, range),
            };
            Ok(Some(((series, bars), next)))
        };
        stream::try_unfold((0, range), read)
            .map_ok(|(series, bars)| stream::iter(bars).map(move |bar| Ok((series, bar))))
            .try_flatten()
            .boxed()
    }

    /// The bars of a series on a coarser grid, put together from those stored: see [`Resampler`] for the rules.
    ///
    /// ```
    /// # use barkeep_store::{Result, Store, StoreExt};
    /// # use barkeep_types::{Bar, Grid, Series, TimeRange, Timeframe};
    /// use futures::TryStreamExt;
    ///
    /// /// Five minutes at a time, from the opening on.
    /// async fn by_five(store: &dyn Store, minutes: &Series, session: TimeRange) -> Result<Vec<Bar>> {
    ///     store.resampled(minutes, Grid::new(Timeframe::M5, vec![session])).try_collect().await
    /// }
    /// ```
    fn resampled<'a>(&'a self, series: &'a Series, grid: Grid) -> BoxStream<'a, Result<Bar>> {
        let ends = grid.spans().first().zip(grid.spans().last());
        let Some(range) = ends.and_then(|(first, last)| TimeRange::new(first.start(), last.end()).ok()) else {
            return stream::empty().boxed();
        };
        let bars = self.stream(std::slice::from_ref(series), range).map_ok(|(_, bar)| bar).boxed();
        let read = |(mut bars, mut resampler): (BoxStream<'a, Result<Bar>>, Resampler)| async move {
            while let Some(bar) = bars.try_next().await? {
                if let Some(done) = resampler.push(&bar) {
                    return Ok(Some((done, (bars, resampler))));
                }
            }
            Ok::<_, Error>(resampler.finish().map(|last| (last, (bars, resampler))))
        };
        stream::try_unfold((bars, Resampler::new(grid)), read).boxed()
    }
}

impl<S: Store + ?Sized> StoreExt for S {}
