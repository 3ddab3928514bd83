//! New bars, by COPY.

use chrono::Datelike as _;

use super::PostgresSession;
use super::copy::Rows;
use crate::Result;
use crate::columns::Columns as _;
use crate::error::failed;
use crate::statements::Changes;

/// The table of all years, as the statement names it: no schema's name has a dot.
const ALL_YEARS: &str = ".store_bar";
/// From how many bars on it pays to ask for the partition that they go into.
const MANY: usize = 1_000;

impl PostgresSession {
    /// Copies bars into the partition of their year if they are many and of one year, else into the table of all years.
    pub(super) async fn copy_bars(&mut self, batch_id: i32, changes: &[Changes<'_>]) -> Result<()> {
        let partition = match year_of_many(changes) {
            Some(year) => self.partition(year).await?,
            None => None,
        };
        let all_years = self.database.sql(include_str!("../../sql/postgres/insert_bars.sql"));
        let sql = match partition {
            Some(partition) => &all_years.as_str().replace(ALL_YEARS, &format!(".{partition}")),
            None => all_years.as_str(),
        };
        let mut copy = self.held.copy_in_raw(sql).await.map_err(failed)?;
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

    async fn partition(&mut self, year: i32) -> Result<Option<String>> {
        let statement = self.statement(include_str!("../../sql/postgres/partition.sql")).bind(year.to_string());
        let named = self.rows(statement).await?;
        named.first().map(|row| row.text(0).map(str::to_owned)).transpose()
    }
}

/// The year of all bars to insert, if they are many. Those of a series come in order.
fn year_of_many(changes: &[Changes<'_>]) -> Option<i32> {
    let many = changes.iter().map(|changes| changes.inserts.len()).sum::<usize>() >= MANY;
    let ends = changes.iter().flat_map(|changes| [changes.inserts.first(), changes.inserts.last()]).flatten();
    let mut years = ends.map(|bar| bar.start.year());
    let first = years.next().filter(|_| many)?;
    years.all(|year| year == first).then_some(first)
}
