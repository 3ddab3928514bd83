//! How a page is stored, whatever the database: compare what is there, and write the difference alone.

use std::collections::BTreeSet;

use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Datelike, Utc};

use crate::ledger::{Ledger, NewSpan, Word, count_within};
use crate::page::{Page, Part, RefusedBar};
use crate::reach::whole_seconds;
use crate::{Committed, Error, Guard, ProviderName, Result, Span, Withdrawal};

/// The tables inside one transaction. Series are named by their ids.
#[async_trait]
pub(crate) trait Tables: Send {
    /// Whether the lease is held. From then on it stays so until the transaction ends.
    async fn holds(&mut self, guard: &Guard) -> Result<bool>;

    /// The ids and revisions of the series known; and whether a page of this digest was stored when their revisions came to
    /// the same sum.
    async fn identify(&mut self, series: &[&Series], digest: Option<&[u8; 16]>) -> Result<Vec<Option<Identity>>>;

    /// Gives ids to those of the series, which are sorted, that have none.
    async fn register(&mut self, series: &[&Series]) -> Result<()>;

    /// Keeps other writers away from these series until the transaction ends; then tells the sum of their revisions. In the
    /// order of the ids, so that two writers do not wait for each other crosswise.
    async fn lock(&mut self, series: &[Identity]) -> Result<i64>;

    /// The bars within each range, in order.
    async fn stored(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Bar>>>;

    /// The spans that overlap or touch each range, in order.
    async fn spans(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Span>>>;

    /// How many bars are within each range.
    async fn count(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<u64>>;

    /// Names where rows come from.
    async fn insert_batch(&mut self, batch: &Batch<'_>) -> Result<i32>;

    /// Inserts and revises bars.
    async fn write_bars(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()>;

    /// Removes and puts spans.
    async fn write_spans(&mut self, changes: &[Changes<'_>]) -> Result<()>;

    /// Says that what earlier pages proved of these series may be true no more.
    async fn bump_revisions(&mut self, ids: &[i32]) -> Result<()>;

    /// Says that bars of these years changed in a way that coverage does not show. The years of a series are distinct.
    async fn note_rewrites(&mut self, years: &[(i32, i32)]) -> Result<()>;

    /// Deletes the bars of a series that start at these instants.
    async fn delete_bars(&mut self, id: i32, starts: &[DateTime<Utc>]) -> Result<()>;

    /// Keeps the refused bars that are not kept yet.
    async fn quarantine(&mut self, refused: &[(i32, &RefusedBar)]) -> Result<()>;
}

/// A series in the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) id: i32,
    /// Counts the changes that may have made an earlier page untrue.
    pub(crate) revision: i64,
    /// Whether the page that asked was stored before, and nothing it said was revised since.
    pub(crate) is_recognised: bool,
}

/// Where rows come from.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) request: Option<&'a str>,
    /// `None` for a page that need not be recognised.
    pub(crate) digest: Option<[u8; 16]>,
    pub(crate) inserted: u64,
    pub(crate) revised: u64,
    /// The sum of the series' revisions once this batch is written.
    pub(crate) revision: i64,
}

/// What is to be written of one series.
#[derive(Debug)]
pub(crate) struct Changes<'a> {
    pub(crate) id: i32,
    pub(crate) inserts: Vec<&'a Bar>,
    pub(crate) revisions: Vec<&'a Bar>,
    /// Where spans start that are there no more.
    pub(crate) removed: Vec<DateTime<Utc>>,
    pub(crate) spans: Vec<NewSpan>,
    pub(crate) bumps_revision: bool,
    /// Of the bars that change in a way that coverage does not show.
    pub(crate) rewritten: BTreeSet<i32>,
}

/// Stores a page; the transaction is left to the caller.
pub(crate) async fn commit(tables: &mut impl Tables, page: &Page<'_>, provider: &ProviderName) -> Result<Committed> {
    if let Some(guard) = page.guard
        && !tables.holds(guard).await?
    {
        return Err(Error::LeaseLost { job: guard.job() });
    }
    let series: Vec<&Series> = page.parts.iter().map(|part| part.series).collect();
    let digest = page.digest(provider);
    let known: Option<Vec<Identity>> = tables.identify(&series, Some(&digest)).await?.into_iter().collect();
    let identities = match known {
        Some(known) if known.iter().any(|identity| identity.is_recognised) => {
            let unchanged = page.parts.iter().map(|part| part.bars.len() as u64).sum();
            return Ok(Committed { unchanged, ..page.counts.clone() });
        }
        Some(known) => known,
        None => {
            tables.register(&series).await?;
            tables.identify(&series, None).await?.into_iter().flatten().collect()
        }
    };
    let ids: Vec<i32> = identities.iter().map(|identity| identity.id).collect();
    let revision = tables.lock(&identities).await?;
    let refused: Vec<_> = page.refused.iter().map(|refused| (ids[refused.part], refused)).collect();
    if !refused.is_empty() {
        tables.quarantine(&refused).await?;
    }
    let mut committed = page.counts.clone();
    let changes = compare(tables, page, &ids, &mut committed).await?;
    if !changes.is_empty() {
        let bumped = bump(tables, &changes).await?;
        let batch = Batch {
            request: page.request,
            // A page that lacks bars we have is compared every time, so that they are counted.
            digest: Some(digest).filter(|_| committed.absent == 0),
            inserted: committed.inserted,
            revised: committed.revised,
            revision: revision + bumped,
        };
        let batch_id = tables.insert_batch(&batch).await?;
        tables.write_bars(batch_id, &changes).await?;
        tables.write_spans(&changes).await?;
        let rewritten =
            |changes: &Changes<'_>| changes.rewritten.iter().map(|year| (changes.id, *year)).collect::<Vec<_>>();
        let rewritten: Vec<(i32, i32)> = changes.iter().flat_map(rewritten).collect();
        if !rewritten.is_empty() {
            tables.note_rewrites(&rewritten).await?;
        }
    }
    Ok(committed)
}

/// Raises the revisions of the series that say so; returns by how much in sum.
async fn bump(tables: &mut impl Tables, changes: &[Changes<'_>]) -> Result<i64> {
    let ids: Vec<i32> = changes.iter().filter(|changes| changes.bumps_revision).map(|changes| changes.id).collect();
    if !ids.is_empty() {
        tables.bump_revisions(&ids).await?;
    }
    Ok(ids.len() as i64)
}

/// Doubts what is covered; the transaction is left to the caller.
pub(crate) async fn suspect(tables: &mut impl Tables, series: &Series, range: TimeRange) -> Result<()> {
    let Some(range) = whole_seconds(range) else { return Ok(()) };
    let [Some(identity)] = tables.identify(&[series], None).await?[..] else { return Ok(()) };
    let id = identity.id;
    tables.lock(&[identity]).await?;
    let old = tables.spans(&[(id, range)]).await?.remove(0);
    let mut ledger = Ledger::new(&old);
    ledger.lay(range, Word::Doubted);
    count(tables, id, &mut ledger, &Found::default()).await?;
    if let Some(changes) = changes(id, &old, &ledger, Found::default()) {
        let changes = [changes];
        bump(tables, &changes).await?;
        tables.write_spans(&changes).await?;
    }
    Ok(())
}

/// Moves bars into quarantine and returns how many there were; the transaction is left to the caller.
pub(crate) async fn withdraw(tables: &mut impl Tables, series: &Series, bars: &[Withdrawal]) -> Result<u64> {
    let [Some(identity @ Identity { id, .. })] = tables.identify(&[series], None).await?[..] else { return Ok(0) };
    tables.lock(&[identity]).await?;
    let second = |start: DateTime<Utc>| TimeRange::new(start, start + chrono::TimeDelta::seconds(1)).ok();
    let asked: Vec<(i32, TimeRange)> =
        bars.iter().filter_map(|bar| Some((id, whole_seconds(second(bar.start)?)?))).collect();
    let there = tables.stored(&asked).await?.into_iter().flatten();
    let refused: Vec<RefusedBar> = there
        .map(|bar| {
            let reasons = bars.iter().find(|gone| gone.start == bar.start).map(|gone| gone.reason.clone());
            RefusedBar { part: 0, bar, reasons: reasons.unwrap_or_default() }
        })
        .collect();
    let starts: Vec<DateTime<Utc>> = refused.iter().map(|refused| refused.bar.start).collect();
    let Some(hull) = starts
        .iter()
        .min()
        .zip(starts.iter().max())
        .and_then(|(first, last)| TimeRange::new(*first, *last + chrono::TimeDelta::seconds(1)).ok())
    else {
        return Ok(0);
    };
    let refused: Vec<(i32, &RefusedBar)> = refused.iter().map(|refused| (id, refused)).collect();
    tables.quarantine(&refused).await?;
    tables.delete_bars(id, &starts).await?;
    let old = tables.spans(&[(id, hull)]).await?.remove(0);
    let mut ledger = Ledger::new(&old);
    ledger.recount(&starts);
    count(tables, id, &mut ledger, &Found::default()).await?;
    if let Some(changes) = changes(id, &old, &ledger, Found::default()) {
        tables.write_spans(&[changes]).await?;
    }
    // A page that brought one of them is not to be taken for stored.
    tables.bump_revisions(&[id]).await?;
    let years: BTreeSet<i32> = starts.iter().map(Datelike::year).collect();
    tables.note_rewrites(&years.into_iter().map(|year| (id, year)).collect::<Vec<_>>()).await?;
    Ok(starts.len() as u64)
}

/// What a comparison found.
#[derive(Debug, Default)]
struct Found<'a> {
    /// The time that was compared.
    range: Option<TimeRange>,
    /// Where the bars stored within it start, in order.
    stored: Vec<DateTime<Utc>>,
    inserts: Vec<&'a Bar>,
    revisions: Vec<&'a Bar>,
}

/// What must be written to make the page true; one entry for each series that changes.
async fn compare<'p>(
    tables: &mut impl Tables,
    page: &'p Page<'_>,
    ids: &[i32],
    committed: &mut Committed,
) -> Result<Vec<Changes<'p>>> {
    let parts: Vec<(&Part<'_>, i32, TimeRange)> =
        page.parts.iter().zip(ids).filter_map(|(part, &id)| part.hull().map(|hull| (part, id, hull))).collect();
    let ranges: Vec<(i32, TimeRange)> = parts.iter().map(|&(_, id, hull)| (id, hull)).collect();
    let stored = tables.stored(&ranges).await?;
    let spans = tables.spans(&ranges).await?;
    let mut all = Vec::new();
    for (((part, id, hull), stored), old) in parts.into_iter().zip(stored).zip(spans) {
        let tiles = Ledger::of_proofs(&part.proofs);
        let found = differences(part, hull, &stored, &tiles, committed);
        let mut ledger = Ledger::new(&old);
        for (range, word) in tiles {
            ledger.lay(range, word);
        }
        count(tables, id, &mut ledger, &found).await?;
        all.extend(changes(id, &old, &ledger, found));
    }
    Ok(all)
}

/// Compares the bars of a series with those stored, both in order.
fn differences<'p>(
    part: &'p Part<'_>,
    hull: TimeRange,
    stored: &[Bar],
    tiles: &[(TimeRange, Word)],
    committed: &mut Committed,
) -> Found<'p> {
    let starts: Vec<_> = stored.iter().map(|bar| bar.start).collect();
    let (mut inserts, mut revisions) = (Vec::new(), Vec::new());
    let mut rest = stored.iter().peekable();
    let mut absent = 0;
    let is_proved = |bar: &Bar| tiles.iter().any(|(range, _)| range.contains(bar.start));
    for bar in &part.bars {
        while let Some(before) = rest.next_if(|other| other.start < bar.start) {
            absent += u64::from(is_proved(before));
        }
        match rest.next_if(|other| other.start == bar.start) {
            None => inserts.push(bar),
            Some(same) if same == bar => committed.unchanged += 1,
            Some(_) => revisions.push(bar),
        }
    }
    absent += rest.filter(|bar| is_proved(bar)).count() as u64;
    committed.absent += absent;
    committed.inserted += inserts.len() as u64;
    committed.revised += revisions.len() as u64;
    Found { range: Some(hull), stored: starts, inserts, revisions }
}

/// Counts the pieces of a ledger: by what was compared where that suffices, else by asking.
async fn count(tables: &mut impl Tables, id: i32, ledger: &mut Ledger, found: &Found<'_>) -> Result<()> {
    let is_compared = |range: &TimeRange| found.range.is_some_and(|compared| compared.covers(range));
    let unknown: Vec<TimeRange> = ledger
        .pieces
        .iter()
        .filter(|piece| piece.rows.is_none() && !is_compared(&piece.range))
        .map(|piece| piece.range)
        .collect();
    let asked: Vec<(i32, TimeRange)> = unknown.iter().map(|range| (id, *range)).collect();
    let answers = if asked.is_empty() { Vec::new() } else { tables.count(&asked).await? };
    let inserted: Vec<_> = found.inserts.iter().map(|bar| bar.start).collect();
    ledger.count(&inserted, |range| match unknown.iter().position(|asked| asked == range) {
        Some(index) => answers.get(index).copied(),
        None => Some(count_within(&found.stored, range)),
    });
    Ok(())
}

/// The difference between the ledger as it was and as it shall be, together with the bars; `None` if there is none.
fn changes<'p>(id: i32, old: &[Span], ledger: &Ledger, found: Found<'p>) -> Option<Changes<'p>> {
    let new = ledger.spans();
    let removed: Vec<_> = old
        .iter()
        .map(|span| span.range.start())
        .filter(|start| !new.iter().any(|span| span.range.start() == *start))
        .collect();
    let Found { inserts, revisions, .. } = found;
    let rewritten = rewritten(old, &new, &inserts, &revisions);
    let spans: Vec<NewSpan> = new.into_iter().filter(|span| !old.iter().any(|old| span.is(old))).collect();
    if inserts.is_empty() && revisions.is_empty() && removed.is_empty() && spans.is_empty() {
        return None;
    }
    let bumps_revision = ledger.is_revised || !revisions.is_empty();
    Some(Changes { id, inserts, revisions, removed, spans, bumps_revision, rewritten })
}

/// The years of bars that are revised, and of those inserted where the ledger does not show it: into time that was covered
/// already, or that is not covered. A fresh page has none, and is told by counting.
fn rewritten(old: &[Span], new: &[NewSpan], inserts: &[&Bar], revisions: &[&Bar]) -> BTreeSet<i32> {
    let starts: Vec<DateTime<Utc>> = inserts.iter().map(|bar| bar.start).collect();
    let within =
        |ranges: &mut dyn Iterator<Item = TimeRange>| ranges.map(|range| count_within(&starts, &range)).sum::<u64>();
    let was_covered = || old.iter().map(|span| span.range);
    let is_covered = || new.iter().map(|span| span.range);
    let mut years: BTreeSet<i32> = revisions.iter().map(|bar| bar.start.year()).collect();
    if within(&mut was_covered()) > 0 || within(&mut is_covered()) < starts.len() as u64 {
        let is_fresh = |start: &&DateTime<Utc>| {
            is_covered().any(|range| range.contains(**start)) && !was_covered().any(|range| range.contains(**start))
        };
        years.extend(starts.iter().filter(|start| !is_fresh(start)).map(Datelike::year));
    }
    years
}

impl Part<'_> {
    /// From the first to the last instant that the page says anything about.
    fn hull(&self) -> Option<TimeRange> {
        let proofs = self.proofs.iter().map(|(range, _)| *range);
        let ends = [self.bars.first(), self.bars.last()].into_iter().flatten();
        let bars = ends.filter_map(|bar| TimeRange::new(bar.start, bar.start + chrono::TimeDelta::seconds(1)).ok());
        proofs.chain(bars).reduce(|left, right| {
            let (start, end) = (left.start().min(right.start()), left.end().max(right.end()));
            TimeRange::new(start, end).unwrap_or(left)
        })
    }
}
