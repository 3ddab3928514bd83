//! The statements of the store, one method a file of SQL: all that a database has to bring.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Utc};

use crate::columns::Columns;
use crate::ledger::NewSpan;
use crate::page::RefusedBar;
use crate::{Error, Guard, ProviderName, Result};

/// A database that bars are kept in.
#[async_trait]
pub trait Statements: Clone + Debug + Send + Sync + 'static {
    /// What statements are run in.
    type Session: Session;

    /// A session that only reads.
    async fn look(&self) -> Result<Self::Session>;

    /// A session whose statements are one transaction, for what a page changes.
    async fn begin(&self) -> Result<Self::Session>;

    /// A session whose statements are one transaction, and which keeps all other writers away.
    async fn begin_alone(&self) -> Result<Self::Session>;

    /// Runs a whole verb within the timeout of this database; anew where others were in its way.
    async fn bounded<T, F>(&self, verb: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send;

    /// Puts right what kept a page with bars of these years out, so that it is worth another try; or fails as the page did.
    async fn make_way(&self, failed: Error, years: &[i32]) -> Result<()>;
}

/// Statements that run one after the other.
#[async_trait]
pub trait Session: PageStatements + ReadStatements + HistoryStatements + TraceStatements + UpkeepStatements {
    /// Keeps what was done, and gives the connection back.
    async fn finish(self) -> Result<()>
    where
        Self: Sized;
}

/// What answers statements.
pub trait Answers: Send {
    type Row: Columns + Send + Sync;
}

/// What stores a page. Series are named by their ids.
#[async_trait]
pub trait PageStatements: Answers {
    /// Whether the lease is held. From then on it stays so until the transaction ends.
    async fn holds(&mut self, guard: &Guard) -> Result<bool>;

    /// The ids and revisions of the series known; and whether a page of this digest was stored when their revisions came to
    /// the same sum.
    async fn identify(
        &mut self,
        provider: &ProviderName,
        series: &[&Series],
        digest: Option<&[u8; 16]>,
    ) -> Result<Vec<Self::Row>>;

    /// Gives ids to those of the series, which are sorted, that have none.
    async fn register(&mut self, provider: &ProviderName, series: &[&Series]) -> Result<()>;

    /// Keeps other writers away from these series until the transaction ends; then tells the sum of their revisions. In the
    /// order of the ids, so that two writers do not wait for each other crosswise.
    async fn lock(&mut self, series: &[Identity]) -> Result<i64>;

    /// The bars within each range, in order.
    async fn stored(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Bar>>>;

    /// The spans that overlap or touch each range, in order.
    async fn spans(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Self::Row>>;

    /// How many bars are within each range.
    async fn count(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Self::Row>>;

    /// Inserts bars, which are not there yet.
    async fn insert_bars(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()>;

    /// Replaces bars, and keeps what they were if the provider's history is kept.
    async fn revise_bars(&mut self, provider: &ProviderName, batch_id: i32, changes: &[Changes<'_>]) -> Result<()>;

    /// Puts spans in the place of those that start where they do.
    async fn put_spans(&mut self, spans: &[(i32, &NewSpan)]) -> Result<()>;

    /// Names where rows come from, and puts the spans that they fill.
    async fn insert_batch(&mut self, batch: &Batch<'_>, spans: &[(i32, &NewSpan)]) -> Result<i32>;

    /// Removes spans, named by where they start.
    async fn remove_spans(&mut self, spans: &[(i32, DateTime<Utc>)]) -> Result<()>;

    /// Says that what earlier pages proved of these series may be true no more.
    async fn bump_revisions(&mut self, ids: &[i32]) -> Result<()>;

    /// Says that bars of these years changed in a way that coverage does not show. The years of a series are distinct.
    async fn note_rewrites(&mut self, years: &[(i32, i32)]) -> Result<()>;

    /// Deletes the bars of a series that start at these instants.
    async fn delete_bars(&mut self, id: i32, starts: &[DateTime<Utc>]) -> Result<()>;

    /// Keeps the refused bars that are not kept yet.
    async fn quarantine(&mut self, refused: &[(i32, &RefusedBar)]) -> Result<()>;
}

#[async_trait]
pub trait ReadStatements: Answers {
    /// The spans of each series that overlap a range, earliest first.
    async fn coverage(
        &mut self,
        provider: &ProviderName,
        series: &[Series],
        within: TimeRange,
    ) -> Result<Vec<Self::Row>>;
    async fn bars(
        &mut self,
        provider: &ProviderName,
        series: &Series,
        range: TimeRange,
        limit: i64,
    ) -> Result<Vec<Bar>>;
    async fn latest(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<Self::Row>>;
    async fn summaries(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<Self::Row>>;
    async fn series(&mut self, provider: &ProviderName) -> Result<Vec<Self::Row>>;
    async fn check(&mut self, provider: &ProviderName) -> Result<Vec<Self::Row>>;
}

#[async_trait]
pub trait HistoryStatements: Answers {
    /// Since when former values are kept, if they are.
    async fn history(&mut self, provider: &ProviderName) -> Result<Option<DateTime<Utc>>>;
    /// Since when former values are kept: from now on, or already.
    async fn keep_history(&mut self, provider: &ProviderName) -> Result<DateTime<Utc>>;
    async fn forget_history(&mut self, provider: &ProviderName) -> Result<()>;
    async fn forget_former_bars(&mut self, provider: &ProviderName) -> Result<()>;
    async fn bars_as_of(&mut self, provider: &ProviderName, asked: &AsOf<'_>) -> Result<Vec<Self::Row>>;
}

#[async_trait]
pub trait TraceStatements: Answers {
    /// What names the batch of that number, or the latest one.
    async fn moment(&mut self, batch: Option<i64>) -> Result<Vec<Self::Row>>;
    async fn rewrites(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<Self::Row>>;
}

#[async_trait]
pub trait UpkeepStatements: Answers {
    /// Says that what earlier pages proved of series with bars before `since` is true no more.
    async fn bump_before(&mut self, provider: &ProviderName, since: DateTime<Utc>) -> Result<()>;
    /// Takes back what coverage says of the time before `since`; of `most` spans, if the database counts them one by one.
    /// Whether some may be left.
    async fn withdraw_spans(&mut self, provider: &ProviderName, since: DateTime<Utc>, most: i64) -> Result<bool>;
    async fn forget_former_before(&mut self, provider: &ProviderName, since: DateTime<Utc>) -> Result<()>;
    /// Drops the years that have passed whole at once, if the database can; how many.
    async fn drop_years(&mut self, provider: &ProviderName, since: DateTime<Utc>) -> Result<u64>;
    /// Deletes up to `most` bars; how many.
    async fn delete_bars_before(&mut self, provider: &ProviderName, since: DateTime<Utc>, most: i64) -> Result<u64>;
}

/// A series in the database.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub id: i32,
    /// Counts the changes that may have made an earlier page untrue.
    pub revision: i64,
    /// Whether the page that asked was stored before, and nothing it said was revised since.
    pub is_recognised: bool,
}

/// Where rows come from.
#[derive(Debug)]
pub struct Batch<'a> {
    pub request: Option<&'a str>,
    /// `None` for a page that need not be recognised.
    pub digest: Option<[u8; 16]>,
    pub inserted: u64,
    pub revised: u64,
    /// The sum of the series' revisions once this batch is written.
    pub revision: i64,
}

/// What is to be written of one series.
#[derive(Debug)]
pub struct Changes<'a> {
    pub id: i32,
    pub inserts: Vec<&'a Bar>,
    pub revisions: Vec<&'a Bar>,
    /// Where spans start that are there no more.
    pub removed: Vec<DateTime<Utc>>,
    pub spans: Vec<NewSpan>,
    pub bumps_revision: bool,
    /// The years of the bars that change in a way that coverage does not show.
    pub rewritten: BTreeSet<i32>,
}

/// What is asked of the past.
#[derive(Debug)]
pub struct AsOf<'a> {
    pub series: &'a Series,
    pub range: TimeRange,
    pub known_at: DateTime<Utc>,
    pub limit: i64,
}
