//! What of a page is not stored yet, or not so: arithmetic on what the database answers.

use std::collections::BTreeSet;

use barkeep_types::{Bar, TimeRange};
use chrono::{DateTime, Datelike, Utc};

use crate::ledger::{Ledger, NewSpan, Word, count_within};
use crate::page::{Page, Part};
use crate::statements::{Changes, Session};
use crate::{Committed, Result, Span, answers};

/// What a comparison found.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    /// The time that was compared.
    range: Option<TimeRange>,
    /// Where the bars stored within it start, in order.
    stored: Vec<DateTime<Utc>>,
    inserts: Vec<&'a Bar>,
    revisions: Vec<&'a Bar>,
}

/// What must be written to make the page true; one entry for each series that changes.
pub(crate) async fn compare<'p>(
    session: &mut impl Session,
    page: &'p Page<'_>,
    ids: &[i32],
    committed: &mut Committed,
) -> Result<Vec<Changes<'p>>> {
    let parts: Vec<(&Part<'_>, i32, TimeRange)> =
        page.parts.iter().zip(ids).filter_map(|(part, &id)| part.hull().map(|hull| (part, id, hull))).collect();
    let ranges: Vec<(i32, TimeRange)> = parts.iter().map(|&(_, id, hull)| (id, hull)).collect();
    let stored = session.stored(&ranges).await?;
    let spans = answers::spans(session, &ranges).await?;
    let mut all = Vec::new();
    for (((part, id, hull), stored), old) in parts.into_iter().zip(stored).zip(spans) {
        let tiles = Ledger::of_proofs(&part.proofs);
        let found = differences(part, hull, &stored, &tiles, committed);
        let mut ledger = Ledger::new(&old);
        for (range, word) in tiles {
            ledger.lay(range, word);
        }
        count(session, id, &mut ledger, &found).await?;
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
    for bar in part.bars.iter() {
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
pub(crate) async fn count(session: &mut impl Session, id: i32, ledger: &mut Ledger, found: &Found<'_>) -> Result<()> {
    let is_compared = |range: &TimeRange| found.range.is_some_and(|compared| compared.covers(range));
    let unknown: Vec<TimeRange> = ledger
        .pieces
        .iter()
        .filter(|piece| piece.rows.is_none() && !is_compared(&piece.range))
        .map(|piece| piece.range)
        .collect();
    let asked: Vec<(i32, TimeRange)> = unknown.iter().map(|range| (id, *range)).collect();
    let answers = if asked.is_empty() { Vec::new() } else { answers::counts(session, &asked).await? };
    let inserted: Vec<_> = found.inserts.iter().map(|bar| bar.start).collect();
    ledger.count(&inserted, |range| match unknown.iter().position(|asked| asked == range) {
        Some(index) => answers.get(index).copied(),
        None => Some(count_within(&found.stored, range)),
    });
    Ok(())
}

/// The difference between the ledger as it was and as it shall be, together with the bars; `None` if there is none.
pub(crate) fn changes<'p>(id: i32, old: &[Span], ledger: &Ledger, found: Found<'p>) -> Option<Changes<'p>> {
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
