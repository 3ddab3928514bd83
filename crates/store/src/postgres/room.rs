//! Partitions: one for each year of bars.

use barkeep_database::Postgres;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::error::{failed, refusal};
use crate::statements::{Session as _, Statements};
use crate::{Error, Result};

/// Whether this year or the next has no partition yet. Whoever may not make one need not know.
pub(super) async fn is_lacking(database: &Postgres) -> Result<bool> {
    let statement = include_str!("../../sql/postgres/missing_years.sql");
    let missing = ask(database, statement, &[]).await?;
    let missing = missing.first().map(|row| row.try_get::<Vec<i32>, _>(0)).transpose().map_err(failed)?;
    Ok(missing.is_some_and(|years| !years.is_empty()))
}

/// Makes the partitions of some years, and those ahead. In a transaction of its own: what a page waits for while it
/// holds the lock on the table would have to wait for others' pages.
pub(super) async fn make(database: &Postgres, years: &[i32]) -> Result<()> {
    ask(database, include_str!("../../sql/postgres/make_room.sql"), years).await?;
    Ok(())
}

async fn ask(database: &Postgres, sql: &'static str, years: &[i32]) -> Result<Vec<PgRow>> {
    database
        .bounded(|| async {
            let mut session = database.look().await?;
            let rows = session.rows(session.statement(sql).bind(years)).await?;
            session.finish().await?;
            Ok(rows)
        })
        .await
}

/// Whether a bar starts in a year that has no partition: the only check that has no name.
pub(super) fn was_lacking(error: &Error) -> bool {
    refusal(error).is_some_and(|refusal| refusal.is_check_violation() && refusal.constraint().is_none())
}
