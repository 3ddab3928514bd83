use async_trait::async_trait;
use barkeep_database::Postgres;
use chrono::{DateTime, Utc};
use sqlx::{query, query_as};

use super::{all, changes, instant};
use crate::rows::{self, BudgetRow, GrantRow};
use crate::statements::BudgetStatements;
use crate::{BudgetState, Result};

#[async_trait]
impl BudgetStatements for Postgres {
    async fn set_budget(&self, moved_us: i64, budget: &BudgetRow<'_>) -> Result<()> {
        let statement = || {
            query(self.sql(include_str!("../../sql/postgres/set_budget.sql")))
                .bind(moved_us)
                .bind(budget.name)
                .bind(budget.interval_us)
                .bind(budget.burst)
                .bind(budget.hold_us)
                .bind(budget.day_limit)
        };
        changes(self, statement).await?;
        Ok(())
    }

    async fn reserve(&self, moved_us: i64, name: &str, wanted: i64) -> Result<Option<GrantRow>> {
        let statement = || {
            query_as(self.sql(include_str!("../../sql/postgres/reserve.sql"))).bind(moved_us).bind(name).bind(wanted)
        };
        Ok(all(self, statement).await?.pop())
    }

    async fn give_back(&self, moved_us: i64, name: &str, tokens: i64, ticket: i64) -> Result<bool> {
        let statement = || {
            query(self.sql(include_str!("../../sql/postgres/give_back.sql")))
                .bind(moved_us)
                .bind(name)
                .bind(tokens)
                .bind(ticket)
        };
        Ok(changes(self, statement).await? > 0)
    }

    async fn block(&self, moved_us: i64, name: &str, time_us: i64) -> Result<bool> {
        let statement =
            || query(self.sql(include_str!("../../sql/postgres/block.sql"))).bind(moved_us).bind(name).bind(time_us);
        Ok(changes(self, statement).await? > 0)
    }

    async fn budget(&self, moved_us: i64, name: &str) -> Result<Option<BudgetState>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/budget.sql"))).bind(moved_us).bind(name);
        Ok(all(self, statement).await?.pop().map(|row| rows::budget(row, instant)))
    }

    async fn set_budget_of(&self, kind: &str, name: &str) -> Result<bool> {
        let statement = || query(self.sql(include_str!("../../sql/postgres/set_budget_of.sql"))).bind(kind).bind(name);
        Ok(changes(self, statement).await? > 0)
    }

    async fn clear_budget_of(&self, kind: &str) -> Result<()> {
        let statement = || query(self.sql(include_str!("../../sql/postgres/clear_budget_of.sql"))).bind(kind);
        changes(self, statement).await?;
        Ok(())
    }

    async fn exhausted(&self, moved_us: i64, kind: &str) -> Result<Option<(String, DateTime<Utc>)>> {
        let statement =
            || query_as(self.sql(include_str!("../../sql/postgres/exhausted.sql"))).bind(moved_us).bind(kind);
        Ok(all(self, statement).await?.pop())
    }
}
