use std::sync::LazyLock;

use async_trait::async_trait;
use barkeep_database::{Sqlite, Transaction};
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;

use crate::error::failed;
use crate::ledger::NewSpan;
use crate::page::RefusedBar;
use crate::row::{self, Columns};
use crate::write::{Batch, Changes, Identity, Tables};
use crate::{Error, Guard, ProviderName, Result, Span};

use super::Statement;

/// How many bars go into one statement, largest first: the more, the faster. SQLite binds 32,766 values at most.
const ROWS: [usize; 5] = [2_500, 500, 100, 10, 1];

static INSERT_BARS: LazyLock<[String; 5]> = LazyLock::new(|| ROWS.map(insert_bars));

/// The tables inside one transaction, which keeps every other writer out from its beginning.
pub(super) struct SqliteTables<'a> {
    transaction: Transaction<sqlx::Sqlite>,
    provider: &'a ProviderName,
}

impl<'a> SqliteTables<'a> {
    pub(super) async fn begin(database: &Sqlite, provider: &'a ProviderName) -> Result<Self> {
        Ok(Self { transaction: database.begin().await?, provider })
    }

    pub(super) async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }

    /// Bars of all series together: a page may bring many series of few bars each.
    async fn insert(&mut self, mut bars: &[(i32, &Bar)], batch_id: i32) -> Result<()> {
        for (rows, sql) in ROWS.iter().zip(INSERT_BARS.iter()) {
            let chunks = bars.chunks_exact(*rows);
            bars = chunks.remainder();
            for chunk in chunks {
                let bind = |statement, (id, bar): &(i32, &Bar)| bind_bar(statement, bar).bind(*id).bind(batch_id);
                let statement = chunk.iter().fold(sqlx::query(sql.as_str()), bind);
                statement.execute(&mut *self.transaction).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    async fn keeps_history(&mut self) -> Result<bool> {
        let statement = sqlx::query(include_str!("../../sql/sqlite/history.sql")).bind(self.provider.as_str());
        Ok(statement.fetch_optional(&mut *self.transaction).await.map_err(failed)?.is_some())
    }

    async fn revise(&mut self, id: i32, bars: &[&Bar], batch_id: i32) -> Result<()> {
        let keeps_history = !bars.is_empty() && self.keeps_history().await?;
        for bar in bars {
            if keeps_history {
                sqlx::query(include_str!("../../sql/sqlite/keep_former_bar.sql"))
                    .bind(id)
                    .bind(bar.start.timestamp())
                    .bind(batch_id)
                    .execute(&mut *self.transaction)
                    .await
                    .map_err(failed)?;
            }
            let statement = sqlx::query(include_str!("../../sql/sqlite/revise_bars.sql"));
            bind_bar(statement, bar).bind(id).bind(batch_id).execute(&mut *self.transaction).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Runs a statement whose only argument is a JSON array.
    async fn execute_all(&mut self, sql: &'static str, all: Vec<Value>) -> Result<()> {
        if !all.is_empty() {
            let statement = sqlx::query(sql).bind(Value::Array(all).to_string());
            statement.execute(&mut *self.transaction).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Asks the same of many series, each within a range.
    async fn fetch_ranges(&mut self, sql: &'static str, ranges: &[(i32, TimeRange)]) -> Result<Vec<SqliteRow>> {
        let asked = ranges.iter().map(|(id, range)| json!([id, range.start().timestamp(), range.end().timestamp()]));
        let statement = sqlx::query(sql).bind(Value::Array(asked.collect()).to_string());
        statement.fetch_all(&mut *self.transaction).await.map_err(failed)
    }
}

#[async_trait]
impl Tables for SqliteTables<'_> {
    async fn holds(&mut self, guard: &Guard) -> Result<bool> {
        let statement = sqlx::query(guard.statement()).bind(guard.job()).bind(guard.token());
        Ok(statement.fetch_optional(&mut *self.transaction).await.map_err(failed)?.is_some())
    }

    async fn identify(&mut self, series: &[&Series], digest: Option<&[u8; 16]>) -> Result<Vec<Option<Identity>>> {
        let rows = sqlx::query(include_str!("../../sql/sqlite/identify.sql"))
            .bind(self.provider.as_str())
            .bind(names(series.iter().copied()))
            .bind(digest.map(|digest| digest.to_vec()))
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        row::one_by_question(series.len(), &rows, row::identity)
    }

    async fn register(&mut self, series: &[&Series]) -> Result<()> {
        sqlx::query(include_str!("../../sql/sqlite/register.sql"))
            .bind(self.provider.as_str())
            .bind(names(series.iter().copied()))
            .execute(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn lock(&mut self, series: &[Identity]) -> Result<i64> {
        // BEGIN IMMEDIATE has locked out all other writers already: nothing was revised since the series were identified.
        Ok(series.iter().map(|series| series.revision).sum())
    }

    async fn stored(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Bar>>> {
        let rows = self.fetch_ranges(include_str!("../../sql/sqlite/stored.sql"), ranges).await?;
        row::by_question(ranges.len(), &rows, row::bar)
    }

    async fn spans(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Span>>> {
        let rows = self.fetch_ranges(include_str!("../../sql/sqlite/spans.sql"), ranges).await?;
        row::by_question(ranges.len(), &rows, row::span)
    }

    async fn count(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<u64>> {
        let rows = self.fetch_ranges(include_str!("../../sql/sqlite/count.sql"), ranges).await?;
        rows.iter().map(|row| u64::try_from(row.integer(1)?).map_err(Error::corrupt)).collect()
    }

    async fn insert_batch(&mut self, batch: &Batch<'_>) -> Result<i32> {
        let statement = sqlx::query_scalar(include_str!("../../sql/sqlite/insert_batch.sql"))
            .bind(batch.request)
            .bind(batch.inserted.cast_signed())
            .bind(batch.revised.cast_signed())
            .bind(batch.digest.map(|digest| digest.to_vec()))
            .bind(batch.revision);
        statement.fetch_one(&mut *self.transaction).await.map_err(failed)
    }

    async fn write_bars(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        let inserts = changes.iter().flat_map(|changes| changes.inserts.iter().map(|bar| (changes.id, *bar)));
        self.insert(&inserts.collect::<Vec<_>>(), batch_id).await?;
        for changes in changes {
            self.revise(changes.id, &changes.revisions, batch_id).await?;
        }
        Ok(())
    }

    async fn write_spans(&mut self, changes: &[Changes<'_>]) -> Result<()> {
        let removed = |changes: &Changes<'_>| {
            let id = changes.id;
            changes.removed.iter().map(move |start| json!([id, start.timestamp()])).collect::<Vec<_>>()
        };
        let put = |changes: &Changes<'_>| {
            let id = changes.id;
            changes.spans.iter().map(move |span| span_as_json(id, span)).collect::<Vec<_>>()
        };
        let removed = changes.iter().flat_map(removed).collect();
        self.execute_all(include_str!("../../sql/sqlite/remove_spans.sql"), removed).await?;
        let put = changes.iter().flat_map(put).collect();
        self.execute_all(include_str!("../../sql/sqlite/put_spans.sql"), put).await
    }

    async fn bump_revisions(&mut self, ids: &[i32]) -> Result<()> {
        sqlx::query(include_str!("../../sql/sqlite/bump_revisions.sql"))
            .bind(ids_as_json(ids))
            .execute(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn note_rewrites(&mut self, years: &[(i32, i32)]) -> Result<()> {
        let pairs = serde_json::to_string(years).expect("numbers can be written as JSON");
        let statement = sqlx::query(include_str!("../../sql/sqlite/note_rewrites.sql")).bind(pairs);
        statement.execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn delete_bars(&mut self, id: i32, starts: &[DateTime<Utc>]) -> Result<()> {
        for start in starts {
            sqlx::query(include_str!("../../sql/sqlite/delete_bars.sql"))
                .bind(id)
                .bind(start.timestamp())
                .execute(&mut *self.transaction)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    async fn quarantine(&mut self, refused: &[(i32, &RefusedBar)]) -> Result<()> {
        for (id, refused) in refused {
            sqlx::query(include_str!("../../sql/sqlite/quarantine.sql"))
                .bind(*id)
                .bind(refused.text())
                .bind(refused.reasons.as_str())
                .execute(&mut *self.transaction)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }
}

/// The statement for `rows` bars, grown from the one in the file, which is for one.
fn insert_bars(rows: usize) -> String {
    const ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    include_str!("../../sql/sqlite/insert_bars.sql").replace(ROW, &vec![ROW; rows].join(", "))
}

/// Binds what a bar says, in the order of the tables' columns.
fn bind_bar<'q>(statement: Statement<'q>, bar: &Bar) -> Statement<'q> {
    statement
        .bind(bar.start.timestamp())
        .bind(bar.open)
        .bind(bar.high)
        .bind(bar.low)
        .bind(bar.close)
        .bind(bar.volume)
        .bind(bar.vwap)
        // A count that does not fit is impossible, and never gets here.
        .bind(bar.trade_count.map(u64::cast_signed))
}

/// A span as the JSON that its statement reads.
fn span_as_json(id: i32, span: &NewSpan) -> Value {
    let (starts_at, ends_at) = (span.range.start().timestamp(), span.range.end().timestamp());
    let fetched_at = span.fetched_at.map(|at| at.timestamp());
    json!([id, starts_at, ends_at, span.state.as_str(), span.rows, span.empty_checks, fetched_at])
}

/// Series as the JSON that the statements read.
pub(super) fn names<'s>(series: impl IntoIterator<Item = &'s Series>) -> String {
    let name = |series: &'s Series| json!([series.symbol.as_str(), series.timeframe, series.feed, series.adjustment]);
    Value::Array(series.into_iter().map(name).collect()).to_string()
}

fn ids_as_json(ids: &[i32]) -> String {
    Value::from(ids).to_string()
}
