use barkeep_store::{Store, StoreExt};
use barkeep_types::{Bar, Series, TimeRange};
use chrono::Datelike;
use futures::stream::TryStreamExt;
use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::partition::start_of;
use crate::traces::{Moments, Told};
use crate::{Destination, Entry, Error, Format, Manifest, Partition, Result, Trace, file};

/// Bars as Parquet files: one a series and year, compressed with zstd, sorted by time, named by a manifest.
///
/// Every file of an export has the same types. They start narrow and are widened when a bar needs it: then all files are
/// written again, which happens early or not at all. Nothing is ever rounded.
///
/// One run at a time: two at once would forget each other's files in the manifest, until the next run.
#[derive(Clone, Debug)]
pub struct Export {
    destination: Destination,
    least: Format,
    reads_all: bool,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Exported {
    /// Files that are new, or hold something else than before.
    pub written: u64,
    /// Files that were left alone, since they hold the same already.
    pub unchanged: u64,
    /// Bars in both.
    pub rows: u64,
    /// The length of both, in bytes.
    pub bytes: u64,
    /// How many bars were read to find out: those of years about which the store tells something else than at the last run.
    pub read: u64,
}

/// After so many files the manifest is written, so that a run cut short does not start from the beginning.
const FILES_BETWEEN_MANIFESTS: u64 = 1_000;

impl Export {
    /// An export to `destination`, in types as narrow as its bars allow.
    pub fn new(destination: Destination) -> Self {
        Self { destination, least: Format::NARROWEST, reads_all: false }
    }

    /// Stores floats, for readers that cannot make use of decimals. Files are about twice as large.
    #[must_use]
    pub fn with_floats(self) -> Self {
        Self { least: Format::FLOATS, ..self }
    }

    /// Reads every bar it is asked for, whatever the store tells: for bars that other hands have changed in the tables.
    #[must_use]
    pub fn reading_all(self) -> Self {
        Self { reads_all: true, ..self }
    }

    /// What the destination holds; `None` if nothing was exported to it yet.
    ///
    /// # Errors
    ///
    /// [`Error::Manifest`], or whatever reading it fails with.
    pub async fn manifest(&self) -> Result<Option<Manifest>> {
        let json = self.destination.place.read(Manifest::PATH).await?;
        json.map(|json| Manifest::read(&json)).transpose()
    }

    /// Exports the series, each year that `range` touches as a whole: reads the bars of the years that may have changed
    /// since the last run, and writes the files that are missing or hold something else. [`TimeRange::ALWAYS`] asks for
    /// every year.
    ///
    /// Files of other series and years stay as they are. Memory holds the bars of one series and year.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Manifest`], or whatever writing fails with. Every file is whole, the old one or the
    /// new one; the next run finishes the work.
    pub async fn run(&self, store: &dyn Store, series: &[Series], range: TimeRange) -> Result<Exported> {
        let manifest = self.manifest().await?;
        let format = manifest.as_ref().map_or(self.least, |manifest| manifest.format.and(self.least));
        let manifest = Manifest { format, ..manifest.unwrap_or_else(|| Manifest::new(format)) };
        let mut series: Vec<Series> = series.to_vec();
        series.sort_unstable();
        series.dedup();
        let mut run = Run {
            store,
            destination: &self.destination,
            manifest,
            done: Exported::default(),
            is_saved: 0,
            reads_all: self.reads_all,
            moments: Moments::default(),
        };
        let done = run.everything(&series, whole_years(range)).await;
        // Of a run that failed too, so that its files need not be written again.
        let saved = run.save().await;
        done?;
        saved?;
        Ok(run.done)
    }
}

struct Run<'a> {
    store: &'a dyn Store,
    destination: &'a Destination,
    manifest: Manifest,
    done: Exported,
    /// How many files were written when the manifest was.
    is_saved: u64,
    reads_all: bool,
    moments: Moments,
}

/// Whether a pass came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Done,
    /// A bar did not fit: the format is wider now, and every file must be looked at again.
    Widened,
}

impl Run<'_> {
    async fn everything(&mut self, series: &[Series], range: TimeRange) -> Result<()> {
        loop {
            self.done = Exported { read: self.done.read, ..Exported::default() };
            if self.pass(series, range).await? == Pass::Done && self.mend().await? == Pass::Done {
                return Ok(());
            }
        }
    }

    async fn pass(&mut self, series: &[Series], range: TimeRange) -> Result<Pass> {
        // Before any bar is read: what changes meanwhile is then seen by the next run.
        let mut told = Told::of(self.store, series).await?.map(Vec::into_iter);
        for series in series {
            let told = told.as_mut().and_then(Iterator::next);
            for range in self.changed(series, told.as_ref(), range).await? {
                if self.series(series, told.as_ref(), range).await? == Pass::Widened {
                    return Ok(Pass::Widened);
                }
            }
        }
        Ok(Pass::Done)
    }

    /// What is to be read of a range: not the years that are as they were when their files were written.
    async fn changed(&mut self, series: &Series, told: Option<&Told>, range: TimeRange) -> Result<Vec<TimeRange>> {
        let Some(told) = told else { return Ok(vec![range]) };
        let mut changed: Vec<TimeRange> = Vec::new();
        for year in told.years() {
            let Some(whole) = TimeRange::new(start_of(year), start_of(year + 1)).ok().filter(|it| it.overlaps(&range))
            else {
                continue;
            };
            if self.is_unchanged(&Partition { series: series.clone(), year }, told.trace(year)).await? {
                continue;
            }
            match changed.last_mut().and_then(|last| Some((TimeRange::new(last.start(), whole.end()).ok()?, last))) {
                Some((both, last)) if last.end() == whole.start() => *last = both,
                _ => changed.push(whole),
            }
        }
        Ok(changed)
    }

    /// Whether a year is told to be as it was; then its file is counted, if it is still there.
    async fn is_unchanged(&mut self, partition: &Partition, now: Option<Trace>) -> Result<bool> {
        let (Some(entry), Some(now), Some(traces)) = (self.manifest.entry(partition), now, self.store.traces()) else {
            return Ok(false);
        };
        let Some(then) = entry.trace.as_ref().filter(|then| then.sha256 == now.sha256 && !self.reads_all) else {
            return Ok(false);
        };
        if !self.moments.has_passed(traces, &then.moment).await? {
            return Ok(false);
        }
        let (path, rows, bytes) = (entry.path.clone(), entry.rows, entry.bytes);
        if self.destination.place.size(&path).await? != Some(bytes) {
            return Ok(false);
        }
        self.done.unchanged += 1;
        self.done.rows += rows;
        self.done.bytes += bytes;
        Ok(true)
    }

    /// Brings files of an earlier format up to the present one. They are read back, since the store may have let go of
    /// their bars.
    async fn mend(&mut self) -> Result<Pass> {
        let format = self.manifest.format;
        let stale = self.manifest.partitions.iter().filter(|entry| entry.format != format);
        let stale: Vec<Entry> = stale.cloned().collect();
        for entry in stale {
            let lost = || Error::Manifest { what: format!("{} is not there as it was written", entry.path) };
            let bytes = self.destination.place.read(&entry.path).await?.ok_or_else(lost)?;
            if hex(&Sha256::digest(&bytes)) != entry.sha256 {
                return Err(lost());
            }
            let bars = blocking(move || file::bars(bytes)).await??;
            if self.file(entry.partition, bars, entry.trace).await?.is_none() {
                return Ok(Pass::Widened);
            }
        }
        Ok(Pass::Done)
    }

    async fn series(&mut self, series: &Series, told: Option<&Told>, range: TimeRange) -> Result<Pass> {
        let store = self.store;
        let mut stream = store.stream(std::slice::from_ref(series), range);
        let mut bars: Vec<Bar> = Vec::new();
        loop {
            let next = stream.try_next().await?.map(|(_, bar)| bar);
            let year = bars.last().map(|bar| bar.start.year());
            if let Some(year) = year
                && next.is_none_or(|bar| bar.start.year() != year)
            {
                let partition = Partition { series: series.clone(), year };
                self.done.read += bars.len() as u64;
                bars = match self.file(partition, bars, told.and_then(|told| told.trace(year))).await? {
                    Some(bars) => bars,
                    None => return Ok(Pass::Widened),
                };
            }
            match next {
                Some(bar) => bars.push(bar),
                None => return Ok(Pass::Done),
            }
        }
    }

    /// Writes a file if it is not there as it shall be; returns the emptied list of bars, or `None` if one did not fit.
    async fn file(
        &mut self,
        partition: Partition,
        mut bars: Vec<Bar>,
        trace: Option<Trace>,
    ) -> Result<Option<Vec<Bar>>> {
        let format = self.manifest.format;
        let [Some(first), Some(last)] = [bars.first(), bars.last()].map(|bar| bar.map(|bar| bar.start)) else {
            return Ok(Some(bars));
        };
        let (rows, path) = (bars.len() as u64, partition.path());
        let encoded;
        (bars, encoded) = blocking(move || {
            let encoded = file::parquet_file(&bars, format);
            (bars, encoded)
        })
        .await?;
        let Some(bytes) = encoded? else {
            self.manifest.format = format.with(&bars);
            return Ok(None);
        };
        let sha256 = hex(&Sha256::digest(&bytes));
        let length = bytes.len() as u64;
        let entry = Entry { path, partition, rows, first, last, bytes: length, sha256, format, trace };
        if self.is_there(&entry).await? {
            self.done.unchanged += 1;
        } else {
            self.destination.place.write(&entry.path, bytes).await?;
            self.done.written += 1;
        }
        self.manifest.put(entry);
        self.done.rows += rows;
        self.done.bytes += length;
        if self.done.written >= self.is_saved + FILES_BETWEEN_MANIFESTS {
            self.save().await?;
        }
        bars.clear();
        Ok(Some(bars))
    }

    async fn is_there(&self, entry: &Entry) -> Result<bool> {
        let known = self.manifest.entry(&entry.partition);
        let is_named = known.is_some_and(|known| Entry { trace: entry.trace.clone(), ..known.clone() } == *entry);
        Ok(is_named && self.destination.place.size(&entry.path).await? == Some(entry.bytes))
    }

    /// Writes the manifest, unless it is there as it shall be.
    async fn save(&mut self) -> Result<()> {
        let json = self.manifest.written()?;
        if self.destination.place.read(Manifest::PATH).await?.as_deref() != Some(&json) {
            self.destination.place.write(Manifest::PATH, json).await?;
        }
        self.is_saved = self.done.written;
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::encoding)
}

/// The years that the range touches, from the start of the first to the end of the last.
fn whole_years(range: TimeRange) -> TimeRange {
    let last = range.end() - chrono::TimeDelta::nanoseconds(1);
    let end = start_of(last.year().saturating_add(1));
    TimeRange::new(start_of(range.start().year()), end).unwrap_or(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_widened_to_whole_years() {
        let range = |start: &str, end: &str| TimeRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap();
        let whole = range("2023-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
        assert_eq!(whole_years(range("2023-12-31T23:59:59Z", "2024-01-01T00:00:01Z")), whole);
        assert_eq!(whole_years(whole), whole);
        let always = whole_years(TimeRange::ALWAYS);
        assert!(always.covers(&range("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z")), "{always}");
    }
}
