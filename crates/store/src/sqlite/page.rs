use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;

use super::insert::of_bars;
use super::{SqliteSession, Statement, names, statement, statement_of};
use crate::error::failed;
use crate::ledger::NewSpan;
use crate::page::RefusedBar;
use crate::statements::{Batch, Changes, HistoryStatements as _, Identity, PageStatements};
use crate::{Guard, ProviderName, Result, row};

#[async_trait]
impl PageStatements for SqliteSession {
    async fn holds(&mut self, guard: &Guard) -> Result<bool> {
        let statement = sqlx::query(guard.statement()).bind(guard.job()).bind(guard.token());
        Ok(!self.rows(statement).await?.is_empty())
    }

    async fn identify(
        &mut self,
        provider: &ProviderName,
        series: &[&Series],
        digest: Option<&[u8; 16]>,
    ) -> Result<Vec<SqliteRow>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/identify.sql"))
            .bind(names(series.iter().copied()))
            .bind(digest.map(|digest| digest.to_vec()));
        self.rows(statement).await
    }

    async fn register(&mut self, provider: &ProviderName, series: &[&Series]) -> Result<()> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/register.sql"));
        self.run(statement.bind(names(series.iter().copied()))).await?;
        Ok(())
    }

    /// The beginning of the transaction has locked out all other writers: nothing was revised since the series were
    /// identified.
    async fn lock(&mut self, series: &[Identity]) -> Result<i64> {
        Ok(series.iter().map(|series| series.revision).sum())
    }

    async fn stored(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<Vec<Bar>>> {
        let statement = of_ranges(include_str!("../../sql/sqlite/stored.sql"), ranges);
        row::by_question(ranges.len(), &self.rows(statement).await?, row::bar)
    }

    async fn spans(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<SqliteRow>> {
        self.rows(of_ranges(include_str!("../../sql/sqlite/spans.sql"), ranges)).await
    }

    async fn count(&mut self, ranges: &[(i32, TimeRange)]) -> Result<Vec<SqliteRow>> {
        self.rows(of_ranges(include_str!("../../sql/sqlite/count.sql"), ranges)).await
    }

    /// Bars of all series together: a page may bring many series of few bars each.
    async fn insert_bars(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        let inserts = changes.iter().flat_map(|changes| changes.inserts.iter().map(|bar| (changes.id, *bar)));
        let bars: Vec<(i32, &Bar)> = inserts.collect();
        self.insert(&bars, batch_id).await
    }

    async fn revise_bars(&mut self, provider: &ProviderName, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        let keeps_history = self.history(provider).await?.is_some();
        for changes in changes {
            for bar in &changes.revisions {
                if keeps_history {
                    let former = statement(include_str!("../../sql/sqlite/keep_former_bar.sql"));
                    self.run(former.bind(changes.id).bind(bar.start.timestamp()).bind(batch_id)).await?;
                }
                let revise = include_str!("../../sql/sqlite/revise_bars.sql");
                self.run(of_bars(revise, &[(changes.id, *bar)], batch_id)?).await?;
            }
        }
        Ok(())
    }

    async fn remove_spans(&mut self, spans: &[(i32, DateTime<Utc>)]) -> Result<()> {
        let spans = spans.iter().map(|(id, start)| json!([id, start.timestamp()]));
        self.run(statement(include_str!("../../sql/sqlite/remove_spans.sql")).bind(array(spans))).await?;
        Ok(())
    }

    async fn put_spans(&mut self, spans: &[(i32, &NewSpan)]) -> Result<()> {
        let spans = spans.iter().map(|(id, span)| span_as_json(*id, span));
        self.run(statement(include_str!("../../sql/sqlite/put_spans.sql")).bind(array(spans))).await?;
        Ok(())
    }

    async fn insert_batch(&mut self, batch: &Batch<'_>, spans: &[(i32, &NewSpan)]) -> Result<i32> {
        if !spans.is_empty() {
            self.put_spans(spans).await?;
        }
        let statement = sqlx::query_scalar(include_str!("../../sql/sqlite/insert_batch.sql"))
            .bind(batch.request)
            .bind(batch.inserted.cast_signed())
            .bind(batch.revised.cast_signed())
            .bind(batch.digest.map(|digest| digest.to_vec()))
            .bind(batch.revision);
        statement.fetch_one(&mut *self.held).await.map_err(failed)
    }

    async fn bump_revisions(&mut self, ids: &[i32]) -> Result<()> {
        let ids = ids.iter().copied().map(Value::from);
        self.run(statement(include_str!("../../sql/sqlite/bump_revisions.sql")).bind(array(ids))).await?;
        Ok(())
    }

    async fn note_rewrites(&mut self, years: &[(i32, i32)]) -> Result<()> {
        let years = years.iter().map(|(id, year)| json!([id, year]));
        self.run(statement(include_str!("../../sql/sqlite/note_rewrites.sql")).bind(array(years))).await?;
        Ok(())
    }

    async fn delete_bars(&mut self, id: i32, starts: &[DateTime<Utc>]) -> Result<()> {
        for start in starts {
            let statement = statement(include_str!("../../sql/sqlite/delete_bars.sql"));
            self.run(statement.bind(id).bind(start.timestamp())).await?;
        }
        Ok(())
    }

    async fn quarantine(&mut self, refused: &[(i32, &RefusedBar)]) -> Result<()> {
        for (id, refused) in refused {
            let statement = statement(include_str!("../../sql/sqlite/quarantine.sql"));
            self.run(statement.bind(*id).bind(refused.text()).bind(refused.reasons.as_str())).await?;
        }
        Ok(())
    }
}

/// A statement that asks the same of many series, each within a range.
fn of_ranges<'q>(sql: &'static str, ranges: &[(i32, TimeRange)]) -> Statement<'q> {
    let asked = ranges.iter().map(|(id, range)| json!([id, range.start().timestamp(), range.end().timestamp()]));
    statement(sql).bind(array(asked))
}

fn array(values: impl Iterator<Item = Value>) -> String {
    Value::Array(values.collect()).to_string()
}

/// A span as the JSON that its statement reads.
fn span_as_json(id: i32, span: &NewSpan) -> Value {
    let (starts_at, ends_at) = (span.range.start().timestamp(), span.range.end().timestamp());
    let fetched_at = span.fetched_at.map(|at| at.timestamp());
    json!([id, starts_at, ends_at, span.state.as_str(), span.rows, span.empty_checks, fetched_at])
}
