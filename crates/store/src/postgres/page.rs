use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgRow;

use super::{Names, PostgresSession, Statement, column};
use crate::columns::Columns as _;
use crate::error::{failed, refusal};
use crate::ledger::NewSpan;
use crate::page::RefusedBar;
use crate::statements::{Batch, Changes, Identity, PageStatements};
use crate::{Error, Guard, ProviderName, Result, row};

/// Whether a bar was there already although none was found under the locks: somebody who takes none inserted it.
pub(super) fn was_taken(error: &Error) -> bool {
    refusal(error).is_some_and(DatabaseError::is_unique_violation)
}

#[async_trait]
impl PageStatements for PostgresSession {
    async fn holds(&mut self, guard: &Guard) -> Result<bool> {
        let statement = sqlx::query(guard.statement()).bind(guard.job()).bind(guard.token());
        Ok(!self.rows(statement).await?.is_empty())
    }

    async fn identify(
        &mut self,
        provider: &ProviderName,
        series: &[&Series],
        digest: Option<&[u8; 16]>,
    ) -> Result<Vec<PgRow>> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/identify.sql"));
        let statement = Names::of(series.iter().copied()).bind(statement).bind(digest.map(|digest| digest.to_vec()));
        self.rows(statement).await
    }

    async fn register(&mut self, provider: &ProviderName, series: &[&Series]) -> Result<()> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/register.sql"));
        self.run(Names::of(series.iter().copied()).bind(statement)).await?;
        Ok(())
    }

    async fn lock(&mut self, series: &[Identity]) -> Result<i64> {
        let mut ids = column(series, |series| series.id);
        ids.sort_unstable();
        self.row(self.statement(include_str!("../../sql/postgres/lock.sql")).bind(ids)).await?.integer(0)
    }

    async fn stored(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Bar>>> {
        let statement = self.of_ranges(include_str!("../../sql/postgres/stored.sql"), ranges);
        let mut bars = row::no_answers(ranges.len());
        // Each is read while the server sends the next.
        let mut rows = statement.fetch(&mut *self.held);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            row::answers_to(&mut bars, &row)?.push(row::bar(&row, 1)?);
        }
        Ok(bars)
    }

    async fn spans(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<PgRow>> {
        self.rows(self.of_ranges(include_str!("../../sql/postgres/spans.sql"), ranges)).await
    }

    async fn count(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<PgRow>> {
        self.rows(self.of_ranges(include_str!("../../sql/postgres/count.sql"), ranges)).await
    }

    async fn insert_bars(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        self.copy_bars(batch_id, changes).await
    }

    /// The history is kept by the statement itself.
    async fn revise_bars(&mut self, provider: &ProviderName, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        let bars: Vec<(i32, &Bar)> =
            changes.iter().flat_map(|changes| changes.revisions.iter().map(|bar| (changes.id, *bar))).collect();
        let statement = self
            .statement(include_str!("../../sql/postgres/revise_bars.sql"))
            .bind(column(&bars, |(id, _)| *id))
            .bind(column(&bars, |(_, bar)| bar.start))
            .bind(column(&bars, |(_, bar)| bar.open))
            .bind(column(&bars, |(_, bar)| bar.high))
            .bind(column(&bars, |(_, bar)| bar.low))
            .bind(column(&bars, |(_, bar)| bar.close))
            .bind(column(&bars, |(_, bar)| bar.volume))
            .bind(column(&bars, |(_, bar)| bar.vwap))
            .bind(column(&bars, |(_, bar)| bar.trade_count.map(u64::cast_signed)))
            .bind(batch_id)
            .bind(provider.as_str());
        self.run(statement).await?;
        Ok(())
    }

    async fn remove_spans(&mut self, spans: &[(i32, DateTime<Utc>)]) -> Result<()> {
        let statement = self
            .statement(include_str!("../../sql/postgres/remove_spans.sql"))
            .bind(column(spans, |(id, _)| *id))
            .bind(column(spans, |(_, start)| *start));
        self.run(statement).await?;
        Ok(())
    }

    async fn put_spans(&mut self, spans: &[(i32, &NewSpan)]) -> Result<()> {
        self.put(spans, None).await?;
        Ok(())
    }

    async fn insert_batch(&mut self, batch: &Batch<'_>, spans: &[(i32, &NewSpan)]) -> Result<i32> {
        let named = self.put(spans, Some(batch)).await?;
        let named = named.first().ok_or_else(|| Error::corrupt("a batch without a number"))?;
        named.integer(0)?.try_into().map_err(Error::corrupt)
    }

    async fn bump_revisions(&mut self, ids: &[i32]) -> Result<()> {
        self.run(self.statement(include_str!("../../sql/postgres/bump_revisions.sql")).bind(ids)).await?;
        Ok(())
    }

    async fn note_rewrites(&mut self, years: &[(i32, i32)]) -> Result<()> {
        let statement = self
            .statement(include_str!("../../sql/postgres/note_rewrites.sql"))
            .bind(column(years, |(id, _)| *id))
            .bind(column(years, |(_, year)| *year));
        self.run(statement).await?;
        Ok(())
    }

    async fn delete_bars(&mut self, id: i32, starts: &[DateTime<Utc>]) -> Result<()> {
        let statement = self.statement(include_str!("../../sql/postgres/delete_bars.sql"));
        self.run(statement.bind(id).bind(starts)).await?;
        Ok(())
    }

    async fn quarantine(&mut self, refused: &[(i32, &RefusedBar)]) -> Result<()> {
        let statement = self
            .statement(include_str!("../../sql/postgres/quarantine.sql"))
            .bind(column(refused, |(id, _)| *id))
            .bind(column(refused, |(_, refused)| refused.text()))
            .bind(column(refused, |(_, refused)| refused.reasons.as_str()));
        self.run(statement).await?;
        Ok(())
    }
}

impl PostgresSession {
    /// Puts spans, and names where rows come from if rows come.
    async fn put(&mut self, spans: &[(i32, &NewSpan)], batch: Option<&Batch<'_>>) -> Result<Vec<PgRow>> {
        let statement = self
            .statement(include_str!("../../sql/postgres/put_spans.sql"))
            .bind(column(spans, |(id, _)| *id))
            .bind(column(spans, |(_, span)| span.range.start()))
            .bind(column(spans, |(_, span)| span.range.end()))
            .bind(column(spans, |(_, span)| span.state.as_str()))
            .bind(column(spans, |(_, span)| span.rows.cast_signed()))
            .bind(column(spans, |(_, span)| span.empty_checks.cast_signed()))
            .bind(column(spans, |(_, span)| span.fetched_at))
            .bind(batch.and_then(|batch| batch.request))
            .bind(batch.map(|batch| batch.inserted.cast_signed()))
            .bind(batch.map(|batch| batch.revised.cast_signed()))
            .bind(batch.and_then(|batch| batch.digest))
            .bind(batch.map(|batch| batch.revision));
        self.rows(statement).await
    }

    /// A statement that asks the same of many series, each within a range.
    fn of_ranges<'q>(&self, sql: &'static str, ranges: &[(i32, TimeRange)]) -> Statement<'q> {
        self.statement(sql)
            .bind(column(ranges, |(id, _)| *id))
            .bind(column(ranges, |(_, range)| range.start()))
            .bind(column(ranges, |(_, range)| range.end()))
    }
}
