//! Bars on their way into their table, thousands in a statement.

use std::sync::LazyLock;

use barkeep_types::Bar;
use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;

use super::{SqliteSession, Statement};
use crate::Result;
use crate::error::failed;

/// How many bars go into one statement, largest first: the more, the faster. SQLite binds 32,766 values at most.
const ROWS: [usize; 5] = [2_500, 500, 100, 10, 1];

const ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const COLUMNS: usize = 10;

/// The statement in the file is for one bar.
static INSERT_BARS: LazyLock<[String; 5]> = LazyLock::new(|| {
    ROWS.map(|rows| include_str!("../../sql/sqlite/insert_bars.sql").replace(ROW, &vec![ROW; rows].join(", ")))
});

impl SqliteSession {
    pub(super) async fn insert(&mut self, bars: &[(i32, &Bar)], batch_id: i32) -> Result<()> {
        let mut statements = statements(bars, batch_id);
        let mut next = statements.next().transpose()?;
        while let Some(statement) = next {
            // SQLite runs in a thread of the driver's own: meanwhile the next statement is made in this one.
            let (ran, following) = tokio::join!(biased; self.run(statement), async { statements.next() });
            ran?;
            next = following.transpose()?;
        }
        Ok(())
    }
}

/// The statements that insert the bars, each made when it is asked for.
fn statements<'b>(
    bars: &'b [(i32, &'b Bar)],
    batch_id: i32,
) -> impl Iterator<Item = Result<Statement<'static>>> + use<'b> {
    let mut rest = bars;
    ROWS.iter().zip(INSERT_BARS.iter()).flat_map(move |(rows, sql)| {
        let chunks = rest.chunks_exact(*rows);
        rest = chunks.remainder();
        chunks.map(move |bars| of_bars(sql, bars, batch_id))
    })
}

/// A statement whose arguments are bars, each with its series and its batch.
pub(super) fn of_bars(sql: &'static str, bars: &[(i32, &Bar)], batch_id: i32) -> Result<Statement<'static>> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(COLUMNS * bars.len(), 0);
    for (id, bar) in bars {
        add(&mut arguments, *id, bar, batch_id).map_err(|error| failed(sqlx::Error::Encode(error)))?;
    }
    Ok(sqlx::query_with(sql, arguments))
}

/// In the order of the tables' columns.
fn add(arguments: &mut SqliteArguments, id: i32, bar: &Bar, batch_id: i32) -> Result<(), BoxDynError> {
    arguments.add(bar.start.timestamp())?;
    for number in [bar.open, bar.high, bar.low, bar.close, bar.volume] {
        arguments.add(number)?;
    }
    arguments.add(bar.vwap)?;
    // A count that does not fit is impossible, and never gets here.
    arguments.add(bar.trade_count.map(u64::cast_signed))?;
    arguments.add(id)?;
    arguments.add(batch_id)
}
