use std::error::Error as StdError;
use std::path::PathBuf;
use std::time::Duration;

use crate::location::InvalidLocation;

/// What the database calls of barkeep return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// Why the database did not do what it was asked. Never holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The location is no database URL.
    #[error(transparent)]
    Location(#[from] InvalidLocation),
    /// No connection could be made.
    #[error("cannot connect to {target}; is the server running, and is the address right?")]
    Unreachable {
        /// Whom we called, without the password.
        target: String,
        /// Why it failed.
        #[source]
        source: Source,
    },
    /// The database refused the user, or the user may not do this.
    #[error("the database refused access")]
    Denied(#[source] Source),
    /// The file cannot be opened, read or written, or is not there any more.
    #[error("cannot use the database file {}; check that its folder exists, that it is there, that both may be written to, and that the disk is well", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: Source,
    },
    /// What is in the file is no whole database any more.
    #[error("the database file {} is damaged, or others wrote over it while it was open; stop what has it open, put a backup in its place, and start again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        #[source]
        source: Source,
    },
    /// The file holds something else.
    #[error("{} is not a SQLite database; it was left as it is: name another file", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The server or library is too old.
    #[error("{product} {found} is too old: at least {needed} is needed")]
    TooOld {
        /// Which server or library.
        product: &'static str,
        /// Its version.
        found: String,
        /// The oldest version that will do.
        needed: &'static str,
    },
    /// The tables were made by a newer version of barkeep.
    #[error("the {component} tables are of schema version {found}, but this program knows only {known}; upgrade it")]
    NewerSchema {
        /// Whose tables.
        component: &'static str,
        /// The version found.
        found: u32,
        /// The newest version known.
        known: u32,
    },
    /// Another transaction is in the way; the same again may succeed.
    #[error(
        "the database is busy: others held it, or all its connections, for too long; where that goes on, look for a process that hangs or was stopped in the middle of a write"
    )]
    Busy(#[source] Source),
    /// The database did not answer in time. Whether it did what it was asked is unknown.
    #[error("the database did not answer within {} s", limit.as_secs_f32())]
    TimedOut {
        /// How long we waited.
        limit: Duration,
    },
    /// The connection broke. Whether the database did what it was asked is unknown.
    #[error("the connection to the database was lost")]
    Lost(#[source] Source),
    /// A statement was not there any more, or was there already: somebody between us and the server changes the server
    /// after each transaction.
    #[error("a transaction pooler stands before the database; add pooler=transaction to the database URL's parameters")]
    Pooled(#[source] Source),
    /// Something that barkeep made in the database is missing, or was changed by others.
    #[error("the database is not as barkeep made it: {what}; put that back, from a backup if need be, and start again")]
    Drifted {
        /// What is missing.
        what: String,
        /// What the database said, if it was asked for something that is missing.
        #[source]
        source: Option<Source>,
    },
    /// There is no space left.
    #[error("the database has no space left; nothing was written: free some and run again")]
    Full(#[source] Source),
    /// A constraint was violated: a fault in the caller.
    #[error("the database refused a value")]
    Refused(#[source] Source),
    /// Anything else: a fault in barkeep, or damage in the database.
    #[error("the database failed")]
    Failed(#[source] Source),
}

impl Error {
    /// The stable code that is logged, stored and counted.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Location(_) => "INVALID_DATABASE_URL",
            Self::Unreachable { .. } => "DATABASE_UNREACHABLE",
            Self::Denied(_) => "DATABASE_ACCESS_DENIED",
            Self::Unreadable { .. } => "DATABASE_UNREADABLE",
            Self::Damaged { .. } => "DATABASE_DAMAGED",
            Self::NotADatabase { .. } => "NOT_A_DATABASE",
            Self::TooOld { .. } => "DATABASE_TOO_OLD",
            Self::NewerSchema { .. } => "NEWER_SCHEMA",
            Self::Busy(_) => "DATABASE_BUSY",
            Self::TimedOut { .. } => "DATABASE_TIMEOUT",
            Self::Lost(_) => "DATABASE_LOST",
            Self::Pooled(_) => "DATABASE_POOLED",
            Self::Drifted { .. } => "SCHEMA_DRIFT",
            Self::Full(_) => "STORAGE_FULL",
            Self::Refused(_) => "CONSTRAINT_VIOLATED",
            Self::Failed(_) => "DATABASE_FAILED",
        }
    }

    /// Whether the same call may succeed once somebody has freed space. What runs unattended waits for that.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy(_) | Self::TimedOut { .. } | Self::Lost(_) => true,
            Self::Location(_)
            | Self::Denied(_)
            | Self::Unreadable { .. }
            | Self::Damaged { .. }
            | Self::NotADatabase { .. }
            | Self::TooOld { .. }
            | Self::NewerSchema { .. }
            | Self::Pooled(_)
            | Self::Drifted { .. }
            | Self::Full(_)
            | Self::Refused(_)
            | Self::Failed(_) => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let class = match &error {
            sqlx::Error::Database(refusal) if is_drift(refusal.as_ref()) => {
                let what = refusal.message().to_owned();
                return Self::Drifted { what, source: Some(Box::new(error)) };
            }
            sqlx::Error::Database(refusal) => match refusal.code() {
                Some(code) if is_sqlite(refusal.as_ref()) => sqlite_class(&code),
                Some(code) => postgres_class(&code),
                None => Self::Failed,
            },
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Lost
            }
            sqlx::Error::Protocol(_) => Self::Lost,
            sqlx::Error::PoolTimedOut => Self::Busy,
            _ => Self::Failed,
        };
        class(Box::new(error))
    }
}

type Class = fn(Source) -> Error;

#[cfg(feature = "sqlite")]
fn is_sqlite(refusal: &(dyn sqlx::error::DatabaseError + 'static)) -> bool {
    refusal.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
}

#[cfg(not(feature = "sqlite"))]
fn is_sqlite(_: &(dyn sqlx::error::DatabaseError + 'static)) -> bool {
    false
}

/// Whether a statement names something that is not there, or a migration something that is.
fn is_drift(refusal: &(dyn sqlx::error::DatabaseError + 'static)) -> bool {
    let code = refusal.code().unwrap_or_default();
    match is_sqlite(refusal) {
        // SQLite has one code for all that is wrong with a statement, and says more in words.
        true => code == "1" && SQLITE_DRIFT.iter().any(|words| refusal.message().contains(words)),
        false => POSTGRES_DRIFT.contains(&&*code),
    }
}

/// Relations, columns, functions, schemas and the like that are not there; no unique index for a conflict; a relation that is
/// there already.
const POSTGRES_DRIFT: [&str; 8] = ["42P01", "42703", "42883", "42704", "3F000", "42P10", "42P07", "42723"];
const SQLITE_DRIFT: [&str; 6] = [
    "no such table",
    "no such column",
    "no such index",
    "has no column named",
    "does not match any PRIMARY KEY or UNIQUE constraint",
    "already exists",
];

/// By SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn postgres_class(code: &str) -> Class {
    match code {
        "53100" => Error::Full,
        // Serialization failure, deadlock, lock timeout, and the server's own shortages.
        "40001" | "40P01" | "55P03" | "57014" => Error::Busy,
        _ if code.starts_with("53") => Error::Busy,
        // The server shuts down, crashed, or is starting.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25006" => Error::Lost,
        _ if code.starts_with("08") => Error::Lost,
        // A prepared statement that exists, or does not.
        "42P05" | "26000" => Error::Pooled,
        "42501" | "3D000" => Error::Denied,
        _ if code.starts_with("28") => Error::Denied,
        _ if code.starts_with("23") || code.starts_with("22") => Error::Refused,
        _ => Error::Failed,
    }
}

/// By result code: <https://www.sqlite.org/rescode.html>.
fn sqlite_class(code: &str) -> Class {
    /// The index of the write-ahead log could not grow: SQLite says no more, and it is for want of space.
    const SHM_SIZE: u32 = 4874;
    let code = code.parse::<u32>();
    if code == Ok(SHM_SIZE) {
        return Error::Full;
    }
    match code.map(|code| code & 0xff) {
        Ok(5 | 6) => Error::Busy,
        Ok(13) => Error::Full,
        Ok(3 | 8 | 23) => Error::Denied,
        Ok(18..=20) => Error::Refused,
        _ => Error::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_by_what_the_caller_can_do() {
        let code = |class: Class| class("".into()).code();
        for (sqlstate, expected) in [
            ("53100", "STORAGE_FULL"),
            ("53300", "DATABASE_BUSY"),
            ("40P01", "DATABASE_BUSY"),
            ("57P01", "DATABASE_LOST"),
            ("25P03", "DATABASE_LOST"),
            ("25006", "DATABASE_LOST"),
            ("42P05", "DATABASE_POOLED"),
            ("28P01", "DATABASE_ACCESS_DENIED"),
            ("23514", "CONSTRAINT_VIOLATED"),
            ("42601", "DATABASE_FAILED"),
        ] {
            assert_eq!(code(postgres_class(sqlstate)), expected, "{sqlstate}");
        }
        // SQLITE_BUSY_RECOVERY, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_READ, SQLITE_CONSTRAINT_UNIQUE.
        for (result, expected) in [
            ("5", "DATABASE_BUSY"),
            ("261", "DATABASE_BUSY"),
            ("13", "STORAGE_FULL"),
            ("4874", "STORAGE_FULL"),
            ("266", "DATABASE_FAILED"),
            ("2067", "CONSTRAINT_VIOLATED"),
        ] {
            assert_eq!(code(sqlite_class(result)), expected, "{result}");
        }
    }
}
