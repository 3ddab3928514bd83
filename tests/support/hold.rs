use std::time::Duration;

use barkeep_orchestrator::database::Location;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{Kind, Scene};

/// A write at which a worker can be stopped: whoever is the next to make it hangs in the middle of its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// The planner's insertion of a slice.
    Slice,
    /// The first write of a page's transaction.
    Batch,
    /// A bar: in the middle of a page's transaction.
    Bar,
    /// Coverage: the last write of a page's transaction.
    Coverage,
    /// The commit of a page, on the server's side. PostgreSQL only.
    Commit,
    /// The completion of a slice: its pages have been committed.
    Completion,
    /// A heartbeat.
    Heartbeat,
}

impl Write {
    fn table(self) -> &'static str {
        match self {
            Self::Slice => "queue_job",
            Self::Batch => "store_batch",
            Self::Bar => "store_bar",
            Self::Coverage | Self::Commit => "store_coverage",
            Self::Completion => "queue_done",
            Self::Heartbeat => "queue_lease",
        }
    }

    fn event(self) -> &'static str {
        if self == Self::Heartbeat { "UPDATE" } else { "INSERT" }
    }
}

/// A trap laid at a write; taken away by [`Hold::lift`].
///
/// On PostgreSQL a trigger waits for a lock that this value holds. SQLite knows no such lock, so that there the trigger
/// counts for a while: the writer keeps the database's only write lock meanwhile.
#[derive(Debug)]
pub struct Hold {
    write: Write,
    trap: Trap,
}

#[derive(Debug)]
enum Trap {
    Sqlite { file: std::path::PathBuf },
    Postgres { url: String, holder: PgConnection },
}

/// How far SQLite counts in a trap: for a child that will be killed for ever, for one that shall go on a second or so.
const FOR_EVER: u64 = 1_000_000_000_000;
const A_SECOND: u64 = 6_000_000;

/// "hold", in the space of advisory locks.
const LOCK: i64 = 0x686f_6c64;

impl Hold {
    /// Lays a trap for a child that will be killed in it.
    ///
    /// # Panics
    ///
    /// If the database refuses.
    pub async fn for_ever(scene: &Scene, write: Write) -> Self {
        Self::lay(scene, write, FOR_EVER).await
    }

    /// Lays a trap for a child that gets out of it by itself (SQLite) or by [`Hold::lift`] (PostgreSQL).
    ///
    /// # Panics
    ///
    /// If the database refuses.
    pub async fn for_a_while(scene: &Scene, write: Write) -> Self {
        Self::lay(scene, write, A_SECOND).await
    }

    async fn lay(scene: &Scene, write: Write, count: u64) -> Self {
        // The tables must stand before they can have a trigger.
        drop(scene.backend().await);
        let trap = match scene.location() {
            Location::Sqlite(file) => {
                execute_on_file(&file, sqlite_trap(write, count)).await;
                Trap::Sqlite { file }
            }
            Location::Postgres(url) => {
                let mut holder = PgConnection::connect(url.as_str()).await.unwrap();
                holder.execute(AssertSqlSafe(postgres_trap(write))).await.unwrap();
                holder.execute(AssertSqlSafe(format!("SELECT pg_advisory_lock({LOCK})"))).await.unwrap();
                Trap::Postgres { url: url.to_string(), holder }
            }
        };
        Self { write, trap }
    }

    /// Waits until somebody is in the trap.
    ///
    /// # Panics
    ///
    /// If the database fails.
    pub async fn reached(&mut self) {
        while !self.is_reached().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn is_reached(&mut self) -> bool {
        match &mut self.trap {
            Trap::Sqlite { file } => is_locked_for_long(file).await,
            Trap::Postgres { holder, .. } => {
                let waiting = format!(
                    // Those of this database: the server is other tests' too.
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {LOCK} AND NOT granted
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                );
                sqlx::query_scalar::<_, i64>(AssertSqlSafe(waiting)).fetch_one(holder).await.unwrap() > 0
            }
        }
    }

    /// Lets go of whoever is in the trap, and takes it away.
    ///
    /// # Panics
    ///
    /// If the database refuses.
    pub async fn lift(self) {
        match self.trap {
            Trap::Sqlite { file } => execute_on_file(&file, "DROP TRIGGER hold; DROP TABLE held;".to_owned()).await,
            Trap::Postgres { url, holder } => {
                // A server that was restarted meanwhile has forgotten the lock.
                let _ = holder.close().await;
                let mut connection = PgConnection::connect(&url).await.unwrap();
                // The table first and then its partitions, as who writes does; the trigger alone would be dropped the other way
                // round, and waited for crosswise.
                let table = self.write.table();
                let lift = format!(
                    "BEGIN; LOCK TABLE barkeep.{table}; DROP TRIGGER IF EXISTS hold ON barkeep.{table}; COMMIT"
                );
                connection.execute(AssertSqlSafe(lift)).await.unwrap();
            }
        }
    }
}

/// The trap's trigger counts once; the row it leaves goes with the transaction, if that is rolled back.
fn sqlite_trap(write: Write, count: u64) -> String {
    let (table, event) = (write.table(), write.event());
    format!(
        "CREATE TABLE held (rows INTEGER);
        CREATE TRIGGER hold AFTER {event} ON {table} WHEN NOT EXISTS (SELECT 1 FROM held)
        BEGIN
            INSERT INTO held SELECT (
                WITH RECURSIVE count (row) AS (SELECT 1 UNION ALL SELECT row + 1 FROM count LIMIT {count})
                SELECT max(row) FROM count
            );
        END;"
    )
}

fn postgres_trap(write: Write) -> String {
    let (table, event) = (write.table(), write.event());
    let (when, deferred) = match write {
        Write::Commit => ("AFTER", "DEFERRABLE INITIALLY DEFERRED"),
        // Before each row, since a COPY runs what comes after its rows at its end.
        _ => ("BEFORE", ""),
    };
    let constraint = if write == Write::Commit { "CONSTRAINT" } else { "" };
    let events = if write == Write::Commit { "INSERT OR UPDATE" } else { event };
    format!(
        "CREATE OR REPLACE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared({LOCK});
            RETURN NEW;
        END
        $$;
        CREATE {constraint} TRIGGER hold {when} {events} ON barkeep.{table} {deferred}
        FOR EACH ROW EXECUTE FUNCTION public.hold();"
    )
}

/// Whether somebody holds the write lock for longer than any statement of ours does.
async fn is_locked_for_long(file: &std::path::Path) -> bool {
    const LOOKS: u32 = 10;
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::ZERO);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for _ in 0..LOOKS {
        if connection.execute("BEGIN IMMEDIATE").await.is_ok() {
            connection.execute("ROLLBACK").await.unwrap();
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}

async fn execute_on_file(file: &std::path::Path, statements: String) {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(30));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute(AssertSqlSafe(statements)).await.unwrap();
    connection.close().await.unwrap();
}

/// The kind that a write can be held on.
impl Write {
    /// Whether a database of this kind has such a moment.
    pub fn exists_on(self, kind: Kind) -> bool {
        self != Self::Commit || kind == Kind::Postgres
    }
}
