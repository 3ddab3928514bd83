//! Budgets.

use chrono::{DateTime, Utc};

use crate::BudgetState;

/// A budget and its rate.
#[derive(Clone, Copy, Debug)]
pub struct BudgetRow<'a> {
    pub name: &'a str,
    pub interval_us: i64,
    pub burst: i32,
    pub hold_us: i64,
    pub day_limit: Option<i64>,
}

/// What reserve.sql answers: tokens, how long they are good, when to ask again, ticket.
pub(crate) type GrantRow = (i64, i64, i64, i64);

/// What budget.sql answers, with times as the database has them.
pub(crate) type BudgetColumns<T> = (i64, Option<T>, i64, Option<i64>);

pub(crate) fn budget<T>(columns: BudgetColumns<T>, instant: fn(T) -> DateTime<Utc>) -> BudgetState {
    let (available, blocked_until, spent_today, day_limit) = columns;
    BudgetState {
        available: u32::try_from(available).unwrap_or(0),
        blocked_until: blocked_until.map(instant),
        spent_today: spent_today.max(0).cast_unsigned(),
        day_limit: day_limit.map(|limit| limit.max(0).cast_unsigned()),
    }
}
