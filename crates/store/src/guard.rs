use std::borrow::Cow;

use uuid::Uuid;

/// A lease that must be held for a page to be stored: whoever lost it writes nothing.
///
/// The lease is a row in the database that the bars are in, and is looked at in the transaction that writes them. The
/// store knows nothing of leases but the statement that finds one, and which whoever grants leases must give:
///
/// - It answers at least one row if the lease of job `$1` is held by token `$2`, and none otherwise.
/// - On PostgreSQL it must lock that row (`FOR SHARE` or more), so that nobody can take the lease over before the page is
///   committed: one who was about to comes first, and the page is refused; one who comes later waits. On SQLite there is
///   one writer, and nothing to lock.
/// - `$1` is an `int8` on PostgreSQL and an integer on SQLite, `$2` a `uuid` and its 16 bytes, a blob.
///
/// It is run as it is: it names the schema of its own table, and holds no text that a user chose.
///
/// ```
/// use barkeep_store::{Commit, Guard};
/// # use barkeep_types::TimeRange;
/// # use uuid::Uuid;
///
/// const IS_HELD: &str = "SELECT 1 FROM desk.lease WHERE job = $1 AND token = $2 FOR SHARE";
///
/// fn fenced(page: Commit, job: i64, token: Uuid) -> Commit {
///     page.with_guard(Guard::new(IS_HELD, job, token))
/// }
/// # let page = fenced(Commit::new(TimeRange::ALWAYS), 7, Uuid::nil());
/// # assert_eq!(page.guard.unwrap().job(), 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    sql: Cow<'static, str>,
    job: i64,
    token: Uuid,
}

impl Guard {
    /// The lease of `job` by `token`, which `sql` finds.
    pub fn new(sql: impl Into<Cow<'static, str>>, job: i64, token: Uuid) -> Self {
        Self { sql: sql.into(), job, token }
    }

    /// Whose lease it is.
    pub fn job(&self) -> i64 {
        self.job
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn token(&self) -> Uuid {
        self.token
    }

    /// The statement, safe to run: it is the program's own.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn statement(&self) -> sqlx::SqlStr {
        use sqlx::SqlSafeStr;
        match &self.sql {
            Cow::Borrowed(sql) => sqlx::AssertSqlSafe(*sql).into_sql_str(),
            Cow::Owned(sql) => sqlx::AssertSqlSafe(sql.clone()).into_sql_str(),
        }
    }
}
