//! How a page is stored, whatever the database: compare what is there, and write the difference alone.

use std::collections::BTreeSet;

use barkeep_types::{Series, TimeRange};
use chrono::{DateTime, Datelike, Utc};

use crate::compare::{Found, changes, compare, count};
use crate::ledger::{Ledger, NewSpan, Word};
use crate::page::{Page, RefusedBar};
use crate::reach::whole_seconds;
use crate::statements::{Batch, Changes, Identity, Session};
use crate::{Committed, Error, ProviderName, Result, Withdrawal, answers};

/// Stores a page; the transaction is left to the caller.
pub(crate) async fn commit(
    session: &mut impl Session,
    page: &Page<'_>,
    digest: [u8; 16],
    provider: &ProviderName,
) -> Result<Committed> {
    if let Some(guard) = page.guard
        && !session.holds(guard).await?
    {
        return Err(Error::LeaseLost { job: guard.job() });
    }
    let series: Vec<&Series> = page.parts.iter().map(|part| part.series).collect();
    let known: Option<Vec<Identity>> =
        answers::identities(session, provider, &series, Some(&digest)).await?.into_iter().collect();
    let identities = match known {
        Some(known) if known.iter().any(|identity| identity.is_recognised) => {
            let unchanged = page.parts.iter().map(|part| part.bars.len() as u64).sum();
            return Ok(Committed { unchanged, ..page.counts.clone() });
        }
        Some(known) => known,
        None => {
            session.register(provider, &series).await?;
            answers::identities(session, provider, &series, None).await?.into_iter().flatten().collect()
        }
    };
    let ids: Vec<i32> = identities.iter().map(|identity| identity.id).collect();
    let revision = session.lock(&identities).await?;
    let refused: Vec<_> = page.refused.iter().map(|refused| (ids[refused.part], refused)).collect();
    if !refused.is_empty() {
        session.quarantine(&refused).await?;
    }
    let mut committed = page.counts.clone();
    let changes = compare(session, page, &ids, &mut committed).await?;
    if !changes.is_empty() {
        let bumped = bump(session, &changes).await?;
        let batch = Batch {
            request: page.request,
            // A page that lacks bars we have is compared every time, so that they are counted.
            digest: Some(digest).filter(|_| committed.absent == 0),
            inserted: committed.inserted,
            revised: committed.revised,
            revision: revision + bumped,
        };
        remove_spans(session, &changes).await?;
        let batch_id = session.insert_batch(&batch, &new_spans(&changes)).await?;
        if changes.iter().any(|changes| !changes.inserts.is_empty()) {
            session.insert_bars(batch_id, &changes).await?;
        }
        if changes.iter().any(|changes| !changes.revisions.is_empty()) {
            session.revise_bars(provider, batch_id, &changes).await?;
        }
        let rewritten =
            |changes: &Changes<'_>| changes.rewritten.iter().map(|year| (changes.id, *year)).collect::<Vec<_>>();
        let rewritten: Vec<(i32, i32)> = changes.iter().flat_map(rewritten).collect();
        if !rewritten.is_empty() {
            session.note_rewrites(&rewritten).await?;
        }
    }
    Ok(committed)
}

/// Raises the revisions of the series that say so; returns by how much in sum.
async fn bump(session: &mut impl Session, changes: &[Changes<'_>]) -> Result<i64> {
    let ids: Vec<i32> = changes.iter().filter(|changes| changes.bumps_revision).map(|changes| changes.id).collect();
    if !ids.is_empty() {
        session.bump_revisions(&ids).await?;
    }
    Ok(ids.len() as i64)
}

/// Removes the spans that are no more.
async fn remove_spans(session: &mut impl Session, changes: &[Changes<'_>]) -> Result<()> {
    let removed = |changes: &Changes<'_>| changes.removed.iter().map(|start| (changes.id, *start)).collect::<Vec<_>>();
    let removed: Vec<_> = changes.iter().flat_map(removed).collect();
    if removed.is_empty() { Ok(()) } else { session.remove_spans(&removed).await }
}

/// The spans that are new, or not as they were.
fn new_spans<'c>(changes: &'c [Changes<'_>]) -> Vec<(i32, &'c NewSpan)> {
    changes.iter().flat_map(|changes| changes.spans.iter().map(|span| (changes.id, span))).collect()
}

/// Brings the spans up to date where no rows come.
async fn write_spans(session: &mut impl Session, changes: &[Changes<'_>]) -> Result<()> {
    remove_spans(session, changes).await?;
    let spans = new_spans(changes);
    if spans.is_empty() { Ok(()) } else { session.put_spans(&spans).await }
}

/// Doubts what is covered; the transaction is left to the caller.
pub(crate) async fn suspect(
    session: &mut impl Session,
    provider: &ProviderName,
    series: &Series,
    range: TimeRange,
) -> Result<()> {
    let Some(range) = whole_seconds(range) else { return Ok(()) };
    let [Some(identity)] = answers::identities(session, provider, &[series], None).await?[..] else { return Ok(()) };
    let id = identity.id;
    session.lock(&[identity]).await?;
    let old = answers::spans(session, &[(id, range)]).await?.remove(0);
    let mut ledger = Ledger::new(&old);
    ledger.lay(range, Word::Doubted);
    count(session, id, &mut ledger, &Found::default()).await?;
    if let Some(changes) = changes(id, &old, &ledger, Found::default()) {
        let changes = [changes];
        bump(session, &changes).await?;
        write_spans(session, &changes).await?;
    }
    Ok(())
}

/// Moves bars into quarantine and returns how many there were; the transaction is left to the caller.
pub(crate) async fn withdraw(
    session: &mut impl Session,
    provider: &ProviderName,
    series: &Series,
    bars: &[Withdrawal],
) -> Result<u64> {
    let [Some(identity @ Identity { id, .. })] = answers::identities(session, provider, &[series], None).await?[..]
    else {
        return Ok(0);
    };
    session.lock(&[identity]).await?;
    let second = |start: DateTime<Utc>| TimeRange::new(start, start + chrono::TimeDelta::seconds(1)).ok();
    let asked: Vec<(i32, TimeRange)> =
        bars.iter().filter_map(|bar| Some((id, whole_seconds(second(bar.start)?)?))).collect();
    let there = session.stored(&asked).await?.into_iter().flatten();
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
    session.quarantine(&refused).await?;
    session.delete_bars(id, &starts).await?;
    let old = answers::spans(session, &[(id, hull)]).await?.remove(0);
    let mut ledger = Ledger::new(&old);
    ledger.recount(&starts);
    count(session, id, &mut ledger, &Found::default()).await?;
    if let Some(changes) = changes(id, &old, &ledger, Found::default()) {
        write_spans(session, &[changes]).await?;
    }
    // A page that brought one of them is not to be taken for stored.
    session.bump_revisions(&[id]).await?;
    let years: BTreeSet<i32> = starts.iter().map(Datelike::year).collect();
    session.note_rewrites(&years.into_iter().map(|year| (id, year)).collect::<Vec<_>>()).await?;
    Ok(starts.len() as u64)
}
