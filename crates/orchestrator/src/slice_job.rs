use barkeep_catalog::Definition;
use barkeep_planner::Slice;
use barkeep_provider::{BarsRequest, NoSymbols};
use barkeep_queue::NewJob;
use barkeep_types::{Adjustment, Feed, Hours, Series, Symbol, TimeRange, Timeframe};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The latest form of the payload, which this program writes.
const VERSION: u64 = 1;

/// A slice as a job: what the payload in the queue says, and how it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SliceJob {
    /// How much time one bar spans.
    pub timeframe: Timeframe,
    /// What the bars are built from.
    pub feed: Feed,
    /// What prices are adjusted for.
    pub adjustment: Adjustment,
    /// Which part of the day is wanted of the time; a request over several days brings the rest too.
    #[serde(default)]
    pub hours: Hours,
    /// The time to fetch.
    pub range: TimeRange,
    /// Whose bars, sorted.
    pub symbols: Vec<Symbol>,
    /// How many requests the planner expects it to take.
    pub expected_requests: u64,
    /// Builds the bars from stored ones of this timeframe, instead of fetching them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Timeframe>,
    /// The timeframes that are built from these bars: doubted where the bars change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Timeframe>,
    /// Whether it looks again at what looked suspicious: however it looks now, that is how it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_recheck: bool,
    /// Whether it asks for all of its time, though that is held: a sample, to find what the vendor revised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_sample: bool,
    /// Which part of its definition it belongs to, if that is cut into batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
}

/// A part of a definition's symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Which one, from 1.
    pub number: u32,
    /// Of how many.
    pub total: u32,
}

/// A job's payload that is no slice of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableSlice {
    /// A newer program wrote it, and knows what to do with it.
    #[error("the slice is of version {0}, written by a newer program; this one reads up to {VERSION}")]
    Newer(u64),
    /// It makes no sense.
    #[error("the payload is no slice")]
    Malformed(#[from] serde_json::Error),
}

impl SliceJob {
    /// The kind of these jobs in the queue.
    pub const KIND: &str = "slice";
    /// The kind of jobs that wait until what looked suspicious is to be looked at again, and then put it into the queue.
    pub const RECHECK: &str = "recheck";

    /// A slice of a definition's series of one timeframe, to be fetched.
    pub(crate) fn new(definition: &Definition, timeframe: Timeframe, slice: Slice) -> Self {
        Self {
            timeframe,
            feed: definition.feed.clone(),
            adjustment: definition.adjustment,
            hours: definition.hours,
            range: slice.range,
            symbols: slice.symbols,
            expected_requests: slice.requests,
            source: None,
            derived: derived(definition, timeframe),
            is_recheck: false,
            is_sample: false,
            batch: None,
        }
    }

    /// Series of a definition, to be built from stored bars: what and from what.
    pub(crate) fn built(
        definition: &Definition,
        (timeframe, source): (Timeframe, Timeframe),
        range: TimeRange,
        symbols: Vec<Symbol>,
    ) -> Self {
        let slice = Slice { symbols, range, bars: 0, requests: 0 };
        Self { source: Some(source), ..Self::new(definition, timeframe, slice) }
    }

    /// Reads a job's payload back.
    ///
    /// # Errors
    ///
    /// The payload is not one of ours, or of a version that this program does not know.
    pub fn read(payload: &Value) -> Result<Self, UnreadableSlice> {
        match payload.get("version").and_then(Value::as_u64) {
            Some(version) if version > VERSION => Err(UnreadableSlice::Newer(version)),
            _ => Ok(Self::deserialize(payload)?),
        }
    }

    /// The job to enqueue, unique while it is live.
    pub(crate) fn job(&self, definition: &Definition) -> NewJob {
        self.job_of(Self::KIND, definition.priority, Some(&definition.name))
    }

    /// A job about the slice, for the same definition as another job.
    pub(crate) fn job_of(&self, kind: &str, priority: i16, group: Option<&str>) -> NewJob {
        let job = NewJob::new(kind, self.payload()).with_key(self.key()).with_priority(priority);
        match group {
            Some(group) => job.with_group(group),
            None => job,
        }
    }

    fn payload(&self) -> Value {
        let mut payload = serde_json::to_value(self).expect("texts, numbers and times are JSON");
        payload["version"] = VERSION.into();
        payload
    }

    /// Names the same slice alike in every process and at every tick.
    fn key(&self) -> String {
        let Self { timeframe, feed, adjustment, range, symbols, source, .. } = self;
        let (start, end) = (range.start().timestamp(), range.end().timestamp());
        let digest = symbols.iter().flat_map(|symbol| symbol.as_str().bytes().chain([b',']));
        let how = source.map(|source| format!("from {source}/")).unwrap_or_default();
        format!("{how}{timeframe}/{feed}/{adjustment}/{start}-{end}/{}x{:016x}", symbols.len(), fnv1a(digest))
    }

    /// Every series of the slice.
    pub fn series(&self) -> impl Iterator<Item = Series> {
        self.symbols.iter().map(|symbol| self.series_of(symbol.clone()))
    }

    /// The series of one of its symbols.
    pub(crate) fn series_of(&self, symbol: Symbol) -> Series {
        self.series_in(symbol, self.timeframe)
    }

    /// The series of one of its symbols, in another timeframe.
    pub(crate) fn series_in(&self, symbol: Symbol, timeframe: Timeframe) -> Series {
        Series { symbol, timeframe, feed: self.feed.clone(), adjustment: self.adjustment }
    }

    /// The request for some of its symbols over some of its time.
    pub(crate) fn request(
        &self,
        symbols: impl IntoIterator<Item = Symbol>,
        range: TimeRange,
    ) -> Result<BarsRequest, NoSymbols> {
        let request = BarsRequest::new(symbols, self.timeframe, self.feed.clone(), range)?;
        Ok(request.with_adjustment(self.adjustment))
    }
}

/// What a definition builds from bars of `timeframe`.
fn derived(definition: &Definition, timeframe: Timeframe) -> Vec<Timeframe> {
    let timeframes = definition.timeframes.iter().copied();
    let is_source = definition.derive_from == Some(timeframe);
    timeframes.filter(|timeframe| is_source && definition.is_derived(*timeframe)).collect()
}

/// FNV-1a, 64 bits: a hash that stays the same from build to build, which the standard library's does not promise.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use barkeep_catalog::presets;

    use super::*;

    fn slice() -> SliceJob {
        let range = TimeRange::new("2024-03-08T14:30:00Z".parse().unwrap(), "2024-03-08T21:00:00Z".parse().unwrap());
        let slice = Slice { symbols: vec!["AAPL".parse().unwrap()], range: range.unwrap(), bars: 7, requests: 1 };
        SliceJob::new(&presets::tech20(), Timeframe::H1, slice)
    }

    #[test]
    fn a_payload_is_read_back_as_it_was_written() {
        let batch = Some(Batch { number: 2, total: 3 });
        for slice in [slice(), SliceJob { source: Some(Timeframe::M1), batch, ..slice() }] {
            let definition = Definition { priority: 7, ..presets::tech20() };
            let job = slice.job(&definition);
            assert_eq!((SliceJob::read(&job.payload).unwrap(), job.priority), (slice, 7));
        }
    }

    #[test]
    fn a_slice_of_a_newer_program_is_told_from_one_that_makes_no_sense() {
        let mut payload = slice().job(&presets::tech20()).payload;
        payload["version"] = 2.into();
        assert!(matches!(SliceJob::read(&payload), Err(UnreadableSlice::Newer(2))));
        payload["version"] = 1.into();
        payload["timeframe"] = "h9".into();
        assert!(matches!(SliceJob::read(&payload), Err(UnreadableSlice::Malformed(_))));
    }

    #[test]
    fn to_fetch_and_to_build_the_same_bars_are_two_jobs() {
        let keys = [None, Some(Timeframe::M1), Some(Timeframe::M15)].map(|source| SliceJob { source, ..slice() }.key());
        assert!(keys[0] != keys[1] && keys[1] != keys[2], "{keys:?}");
    }
}
