use async_trait::async_trait;
use barkeep_database::Sqlite;
use chrono::{DateTime, Utc};
use sqlx::{query, query_as};

use super::{instant, read, write, write_all};
use crate::rows::{self, BudgetRow, GrantRow};
use crate::statements::BudgetStatements;
use crate::{BudgetState, Result};

#[async_trait]
impl BudgetStatements for Sqlite {
    async fn set_budget(&self, moved_us: i64, budget: &BudgetRow<'_>) -> Result<()> {
        write(self, moved_us, |now| {
            query(include_str!("../../sql/sqlite/set_budget.sql"))
                .bind(now)
                .bind(budget.name)
                .bind(budget.interval_us)
                .bind(budget.burst)
                .bind(budget.hold_us)
                .bind(budget.day_limit)
        })
        .await?;
        Ok(())
    }

    async fn reserve(&self, moved_us: i64, name: &str, wanted: i64) -> Result<Option<GrantRow>> {
        let statement = |now| query_as(include_str!("../../sql/sqlite/reserve.sql")).bind(now).bind(name).bind(wanted);
        Ok(write_all(self, moved_us, statement).await?.pop())
    }

    async fn give_back(&self, moved_us: i64, name: &str, tokens: i64, ticket: i64) -> Result<bool> {
        let statement =
            |now| query(include_str!("../../sql/sqlite/give_back.sql")).bind(now).bind(name).bind(tokens).bind(ticket);
        Ok(write(self, moved_us, statement).await? > 0)
    }

    async fn block(&self, moved_us: i64, name: &str, time_us: i64) -> Result<bool> {
        let statement = |now| query(include_str!("../../sql/sqlite/block.sql")).bind(now).bind(name).bind(time_us);
        Ok(write(self, moved_us, statement).await? > 0)
    }

    async fn budget(&self, moved_us: i64, name: &str) -> Result<Option<BudgetState>> {
        let statement = |now| query_as(include_str!("../../sql/sqlite/budget.sql")).bind(now).bind(name);
        Ok(read(self, moved_us, statement).await?.pop().map(|row| rows::budget(row, instant)))
    }

    async fn set_budget_of(&self, kind: &str, name: &str) -> Result<bool> {
        let statement = |_| query(include_str!("../../sql/sqlite/set_budget_of.sql")).bind(kind).bind(name);
        Ok(write(self, 0, statement).await? > 0)
    }

    async fn clear_budget_of(&self, kind: &str) -> Result<()> {
        write(self, 0, |_| query(include_str!("../../sql/sqlite/clear_budget_of.sql")).bind(kind)).await?;
        Ok(())
    }

    async fn exhausted(&self, moved_us: i64, kind: &str) -> Result<Option<(String, DateTime<Utc>)>> {
        let statement = |now| query_as(include_str!("../../sql/sqlite/exhausted.sql")).bind(now).bind(kind);
        Ok(read(self, moved_us, statement).await?.pop().map(|(name, until)| (name, instant(until))))
    }
}
