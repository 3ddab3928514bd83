use async_trait::async_trait;
use barkeep_database::{Postgres, Transaction};
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;

use super::Statement;
use super::copy::Rows;
use crate::error::failed;
use crate::ledger::NewSpan;
use crate::page::RefusedBar;
use crate::row::{self, Columns};
use crate::write::{Batch, Changes, Identity, Tables};
use crate::{Error, Guard, ProviderName, Result, Span};

/// The tables inside one transaction.
pub(super) struct PostgresTables<'a> {
    database: &'a Postgres,
    transaction: Transaction<sqlx::Postgres>,
    provider: &'a ProviderName,
}

impl<'a> PostgresTables<'a> {
    pub(super) async fn begin(database: &'a Postgres, provider: &'a ProviderName) -> Result<Self> {
        let reuse_plans = include_str!("../../sql/postgres/reuse_plans.sql");
        Ok(Self { database, transaction: database.begin_with(reuse_plans).await?, provider })
    }

    pub(super) async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }

    fn statement(&self, sql: &'static str) -> Statement<'static> {
        sqlx::query(self.database.sql(sql))
    }

    async fn insert(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        let sql = self.database.sql(include_str!("../../sql/postgres/insert_bars.sql"));
        let mut copy = self.transaction.copy_in_raw(sql.as_str()).await.map_err(failed)?;
        let mut rows = Rows::new();
        for changes in changes {
            for bar in &changes.inserts {
                rows.push(bar, changes.id, batch_id);
                if let Some(bytes) = rows.full() {
                    copy.send(bytes).await.map_err(failed)?;
                }
            }
        }
        copy.send(rows.finish()).await.map_err(failed)?;
        copy.finish().await.map_err(failed)?;
        Ok(())
    }

    async fn revise(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        let bars = || changes.iter().flat_map(|changes| changes.revisions.iter().map(|bar| (changes.id, *bar)));
        let numbers = |number: fn(&Bar) -> f64| bars().map(|(_, bar)| number(bar)).collect::<Vec<_>>();
        let statement = self
            .statement(include_str!("../../sql/postgres/revise_bars.sql"))
            .bind(bars().map(|(id, _)| id).collect::<Vec<_>>())
            .bind(bars().map(|(_, bar)| bar.start).collect::<Vec<_>>())
            .bind(numbers(|bar| bar.open))
            .bind(numbers(|bar| bar.high))
            .bind(numbers(|bar| bar.low))
            .bind(numbers(|bar| bar.close))
            .bind(numbers(|bar| bar.volume))
            .bind(bars().map(|(_, bar)| bar.vwap).collect::<Vec<_>>())
            .bind(bars().map(|(_, bar)| bar.trade_count.map(u64::cast_signed)).collect::<Vec<_>>())
            .bind(batch_id)
            .bind(self.provider.as_str());
        statement.execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn fetch_ranges(&mut self, sql: &'static str, ranges: &[(i32, TimeRange)]) -> Result<Vec<PgRow>> {
        let statement = self
            .statement(sql)
            .bind(ranges.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(ranges.iter().map(|(_, range)| range.start()).collect::<Vec<_>>())
            .bind(ranges.iter().map(|(_, range)| range.end()).collect::<Vec<_>>());
        statement.fetch_all(&mut *self.transaction).await.map_err(failed)
    }

    async fn remove_spans(&mut self, spans: &[(i32, DateTime<Utc>)]) -> Result<()> {
        let statement = self
            .statement(include_str!("../../sql/postgres/remove_spans.sql"))
            .bind(spans.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(spans.iter().map(|(_, start)| *start).collect::<Vec<_>>());
        statement.execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn put_spans(&mut self, spans: &[(i32, &NewSpan)]) -> Result<()> {
        let statement = self
            .statement(include_str!("../../sql/postgres/put_spans.sql"))
            .bind(spans.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(spans.iter().map(|(_, span)| span.range.start()).collect::<Vec<_>>())
            .bind(spans.iter().map(|(_, span)| span.range.end()).collect::<Vec<_>>())
            .bind(spans.iter().map(|(_, span)| span.state.as_str()).collect::<Vec<_>>())
            .bind(spans.iter().map(|(_, span)| span.rows.cast_signed()).collect::<Vec<_>>())
            .bind(spans.iter().map(|(_, span)| span.empty_checks.cast_signed()).collect::<Vec<_>>())
            .bind(spans.iter().map(|(_, span)| span.fetched_at).collect::<Vec<_>>());
        statement.execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }
}

#[async_trait]
impl Tables for PostgresTables<'_> {
    async fn holds(&mut self, guard: &Guard) -> Result<bool> {
        let statement = sqlx::query(guard.statement()).bind(guard.job()).bind(guard.token());
        Ok(statement.fetch_optional(&mut *self.transaction).await.map_err(failed)?.is_some())
    }

    async fn identify(&mut self, series: &[&Series], digest: Option<&[u8; 16]>) -> Result<Vec<Option<Identity>>> {
        let statement = self.statement(include_str!("../../sql/postgres/identify.sql")).bind(self.provider.as_str());
        let statement = Names::of(series.iter().copied()).bind(statement).bind(digest.map(|digest| digest.to_vec()));
        let rows = statement.fetch_all(&mut *self.transaction).await.map_err(failed)?;
        row::one_by_question(series.len(), &rows, row::identity)
    }

    async fn register(&mut self, series: &[&Series]) -> Result<()> {
        let statement = self.statement(include_str!("../../sql/postgres/register.sql")).bind(self.provider.as_str());
        Names::of(series.iter().copied()).bind(statement).execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn lock(&mut self, series: &[Identity]) -> Result<i64> {
        let mut ids: Vec<i32> = series.iter().map(|series| series.id).collect();
        ids.sort_unstable();
        let row = self
            .statement(include_str!("../../sql/postgres/lock.sql"))
            .bind(ids)
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(failed)?;
        row.integer(0)
    }

    async fn stored(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Bar>>> {
        let rows = self.fetch_ranges(include_str!("../../sql/postgres/stored.sql"), ranges).await?;
        row::by_question(ranges.len(), &rows, row::bar)
    }

    async fn spans(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Span>>> {
        let rows = self.fetch_ranges(include_str!("../../sql/postgres/spans.sql"), ranges).await?;
        row::by_question(ranges.len(), &rows, row::span)
    }

    async fn count(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<u64>> {
        let rows = self.fetch_ranges(include_str!("../../sql/postgres/count.sql"), ranges).await?;
        let counts = row::one_by_question(ranges.len(), &rows, |row, at| row.integer(at))?;
        counts.into_iter().map(|count| u64::try_from(count.unwrap_or_default()).map_err(Error::corrupt)).collect()
    }

    async fn insert_batch(&mut self, batch: &Batch<'_>) -> Result<i32> {
        let statement = sqlx::query_scalar(self.database.sql(include_str!("../../sql/postgres/insert_batch.sql")))
            .bind(batch.request)
            .bind(batch.inserted.cast_signed())
            .bind(batch.revised.cast_signed())
            .bind(batch.digest)
            .bind(batch.revision);
        statement.fetch_one(&mut *self.transaction).await.map_err(failed)
    }

    async fn write_bars(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        if changes.iter().any(|changes| !changes.inserts.is_empty()) {
            self.insert(batch_id, changes).await?;
        }
        if changes.iter().any(|changes| !changes.revisions.is_empty()) {
            self.revise(batch_id, changes).await?;
        }
        Ok(())
    }

    async fn write_spans(&mut self, changes: &[Changes<'_>]) -> Result<()> {
        let of = |changes: &'_ Changes<'_>| changes.id;
        let removed: Vec<_> =
            changes.iter().flat_map(|changes| changes.removed.iter().map(move |start| (of(changes), *start))).collect();
        let put: Vec<_> =
            changes.iter().flat_map(|changes| changes.spans.iter().map(move |span| (of(changes), span))).collect();
        if !removed.is_empty() {
            self.remove_spans(&removed).await?;
        }
        if !put.is_empty() {
            self.put_spans(&put).await?;
        }
        Ok(())
    }

    async fn bump_revisions(&mut self, ids: &[i32]) -> Result<()> {
        let statement = self.statement(include_str!("../../sql/postgres/bump_revisions.sql")).bind(ids);
        statement.execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn note_rewrites(&mut self, years: &[(i32, i32)]) -> Result<()> {
        let statement = self
            .statement(include_str!("../../sql/postgres/note_rewrites.sql"))
            .bind(years.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(years.iter().map(|(_, year)| *year).collect::<Vec<_>>());
        statement.execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn delete_bars(&mut self, id: i32, starts: &[DateTime<Utc>]) -> Result<()> {
        let statement = self.statement(include_str!("../../sql/postgres/delete_bars.sql")).bind(id).bind(starts);
        statement.execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn quarantine(&mut self, refused: &[(i32, &RefusedBar)]) -> Result<()> {
        let statement = self
            .statement(include_str!("../../sql/postgres/quarantine.sql"))
            .bind(refused.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(refused.iter().map(|(_, refused)| refused.text()).collect::<Vec<_>>())
            .bind(refused.iter().map(|(_, refused)| refused.reasons.as_str()).collect::<Vec<_>>());
        statement.execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }
}

/// Series as the four arrays that the statements read.
pub(super) struct Names<'s> {
    symbols: Vec<&'s str>,
    timeframes: Vec<&'s str>,
    feeds: Vec<&'s str>,
    adjustments: Vec<String>,
}

impl<'s> Names<'s> {
    pub(super) fn of(series: impl IntoIterator<Item = &'s Series>) -> Self {
        let mut names = Self { symbols: vec![], timeframes: vec![], feeds: vec![], adjustments: vec![] };
        for series in series {
            names.symbols.push(series.symbol.as_str());
            names.timeframes.push(series.timeframe.as_str());
            names.feeds.push(series.feed.as_str());
            names.adjustments.push(series.adjustment.to_string());
        }
        names
    }

    pub(super) fn bind(self, statement: Statement<'_>) -> Statement<'_> {
        statement.bind(self.symbols).bind(self.timeframes).bind(self.feeds).bind(self.adjustments)
    }
}
