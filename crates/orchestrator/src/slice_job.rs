use barkeep_catalog::Definition;
use barkeep_planner::Slice;
use barkeep_provider::{BarsRequest, NoSymbols};
use barkeep_queue::NewJob;
use barkeep_types::{Adjustment, Feed, Series, Symbol, TimeRange, Timeframe};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A slice as a job: what the payload in the queue says, and how it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceJob {
    /// How much time one bar spans.
    pub timeframe: Timeframe,
    /// What the bars are built from.
    pub feed: Feed,
    /// What prices are adjusted for.
    pub adjustment: Adjustment,
    /// The time to fetch.
    pub range: TimeRange,
    /// Whose bars, sorted.
    pub symbols: Vec<Symbol>,
    /// How many requests the planner expects it to take.
    pub expected_requests: u64,
}

impl SliceJob {
    /// The kind of these jobs in the queue.
    pub const KIND: &str = "slice";

    /// A slice of a definition's series of one timeframe.
    pub(crate) fn new(definition: &Definition, timeframe: Timeframe, slice: Slice) -> Self {
        Self {
            timeframe,
            feed: definition.feed.clone(),
            adjustment: definition.adjustment,
            range: slice.range,
            symbols: slice.symbols,
            expected_requests: slice.requests,
        }
    }

    /// Reads a job's payload back.
    ///
    /// # Errors
    ///
    /// The payload is not one of ours, or of a version that this program does not know.
    pub fn read(payload: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(payload)
    }

    /// The job to enqueue, unique while it is live.
    pub(crate) fn job(&self, definition: &Definition) -> NewJob {
        let payload = serde_json::to_value(self).expect("texts, numbers and times are JSON");
        let job = NewJob::new(Self::KIND, payload).with_key(self.key());
        job.with_priority(definition.priority).with_group(&definition.name)
    }

    /// Names the same slice alike in every process and at every tick.
    fn key(&self) -> String {
        let Self { timeframe, feed, adjustment, range, symbols, .. } = self;
        let (start, end) = (range.start().timestamp(), range.end().timestamp());
        let digest = symbols.iter().flat_map(|symbol| symbol.as_str().bytes().chain([b',']));
        format!("{timeframe}/{feed}/{adjustment}/{start}-{end}/{}x{:016x}", symbols.len(), fnv1a(digest))
    }

    /// Every series of the slice.
    pub fn series(&self) -> impl Iterator<Item = Series> {
        self.symbols.iter().map(|symbol| self.series_of(symbol.clone()))
    }

    /// The series of one of its symbols.
    pub(crate) fn series_of(&self, symbol: Symbol) -> Series {
        Series { symbol, timeframe: self.timeframe, feed: self.feed.clone(), adjustment: self.adjustment }
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

/// FNV-1a, 64 bits: a hash that stays the same from build to build, which the standard library's does not promise.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
