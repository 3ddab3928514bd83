use barkeep_types::{Bar, BarFaults, Series, TimeRange};
use chrono::{DateTime, Utc};

use crate::{Guard, State};

/// One page to store: its bars, and the coverage that it proves.
///
/// Both may be empty. A page without bars proves that nothing traded; bars beyond every proof (those of the last
/// symbol of an unfinished page) are stored, and their time stays uncovered.
///
/// ```
/// use barkeep_store::{Commit, Proof, State};
/// # use barkeep_types::{Adjustment, Feed, Series, TimeRange, Timeframe};
/// # let series = Series { symbol: "AAPL".parse()?, timeframe: Timeframe::H1, feed: Feed::SIP, adjustment: Adjustment::RAW };
/// # let slice = TimeRange::new("2024-03-08T14:30:00Z".parse()?, "2024-03-08T21:00:00Z".parse()?)?;
///
/// let nothing_traded = Commit::new(slice).with_proof(series, slice, State::Covered);
/// assert_eq!(nothing_traded.proofs[0].range, slice);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Commit {
    /// What the provider was asked for. Bars outside of it are dropped, and no proof may go beyond it.
    pub asked: TimeRange,
    /// The provider's name for the request, kept with the bars' origin.
    pub request: Option<String>,
    /// The bars of the page. A series may appear more than once.
    pub bars: Vec<(Series, Vec<Bar>)>,
    /// The coverage that the page proves.
    pub proofs: Vec<Proof>,
    /// The lease that must be held; `None` stores the page whoever brings it.
    pub guard: Option<Guard>,
}

/// A range of a series about which a page tells everything there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The series.
    pub series: Series,
    /// The time proved.
    pub range: TimeRange,
    /// How final the answer is. Provisional does not replace covered; otherwise the latest proof counts.
    pub state: State,
}

/// What a commit did, counted in bars.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Committed {
    /// Stored for the first time.
    pub inserted: u64,
    /// Found stored with the same values, and left alone.
    pub unchanged: u64,
    /// Found stored with other values, and replaced.
    pub revised: u64,
    /// Came twice within the page: the last one counted.
    pub doubled: u64,
    /// Outside of what was asked, and not stored.
    pub dropped: u64,
    /// Impossible, and put into quarantine.
    pub refused: u64,
    /// Stored earlier within a proved range, but not in this page: kept.
    pub absent: u64,
    /// The first few of the refused bars with their reasons.
    pub refusals: Vec<Refused>,
}

/// A bar that cannot be true, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The bar's series.
    pub series: Series,
    /// Where the bar starts.
    pub start: DateTime<Utc>,
    /// Every reason.
    pub faults: BarFaults,
}

impl Commit {
    /// Starts with a page that says nothing.
    pub fn new(asked: TimeRange) -> Self {
        Self { asked, request: None, bars: Vec::new(), proofs: Vec::new(), guard: None }
    }

    /// Names the provider's request.
    #[must_use]
    pub fn with_request(self, request: impl Into<String>) -> Self {
        Self { request: Some(request.into()), ..self }
    }

    /// Adds bars of a series.
    #[must_use]
    pub fn with_bars(mut self, series: Series, bars: Vec<Bar>) -> Self {
        self.bars.push((series, bars));
        self
    }

    /// Adds a proof.
    #[must_use]
    pub fn with_proof(mut self, series: Series, range: TimeRange, state: State) -> Self {
        self.proofs.push(Proof { series, range, state });
        self
    }

    /// Stores the page only while a lease is held.
    #[must_use]
    pub fn with_guard(self, guard: Guard) -> Self {
        Self { guard: Some(guard), ..self }
    }
}

impl Committed {
    /// How many bars were written: those inserted and those revised.
    pub fn written(&self) -> u64 {
        self.inserted + self.revised
    }
}
