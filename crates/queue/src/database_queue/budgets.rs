use std::time::Duration;

use async_trait::async_trait;

use super::DatabaseQueue;
use crate::budget::unknown;
use crate::rows::BudgetRow;
use crate::statements::Statements;
use crate::{Block, BudgetState, Budgets, Grant, Rate, Result, check};

#[async_trait]
impl<D: Statements> Budgets for DatabaseQueue<D> {
    async fn set_budget(&self, name: &str, rate: &Rate) -> Result<()> {
        check::text("name", name, 128)?;
        let row = BudgetRow {
            name,
            interval_us: check::lease("rate.interval", rate.interval())?,
            burst: i32::try_from(rate.burst()).unwrap_or(i32::MAX),
            hold_us: check::wait("rate.hold", rate.hold())?,
            day_limit: rate.day_limit().map(|limit| i64::try_from(limit).unwrap_or(i64::MAX)),
        };
        self.database.set_budget(self.clock.moved_us(), &row).await
    }

    async fn reserve(&self, name: &str, wanted: u32) -> Result<Grant> {
        check::rule("wanted", wanted > 0, "is none")?;
        let answer = self.database.reserve(self.clock.moved_us(), name, wanted.into()).await?;
        let (tokens, hold_us, wait_us, ticket) = answer.ok_or_else(unknown)?;
        let time = |us: i64| Duration::from_micros(us.max(0).cast_unsigned());
        match u32::try_from(tokens) {
            Ok(tokens) if tokens > 0 => Ok(Grant::Granted(Block { tokens, hold: time(hold_us), ticket })),
            _ => Ok(Grant::Wait { wait: time(wait_us) }),
        }
    }

    async fn give_back(&self, name: &str, block: &Block) -> Result<()> {
        let unspent = block.tokens.into();
        let known = self.database.give_back(self.clock.moved_us(), name, unspent, block.ticket).await?;
        if known { Ok(()) } else { Err(unknown()) }
    }

    async fn block(&self, name: &str, time: Duration) -> Result<()> {
        let time_us = check::wait("time", time)?;
        let known = self.database.block(self.clock.moved_us(), name, time_us).await?;
        if known { Ok(()) } else { Err(unknown()) }
    }

    async fn set_budget_of(&self, kind: &str, budget: Option<&str>) -> Result<()> {
        check::kind("kind", kind)?;
        match budget {
            None => self.database.clear_budget_of(kind).await,
            Some(name) if self.database.set_budget_of(kind, name).await? => Ok(()),
            Some(_) => Err(unknown()),
        }
    }

    async fn budget(&self, name: &str) -> Result<Option<BudgetState>> {
        self.database.budget(self.clock.moved_us(), name).await
    }
}
