use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

/// Where the database is: `sqlite://FILE` or `postgres://user:password@host:port/name`.
///
/// Shown and debugged without the password and without the parameters.
///
/// ```
/// use barkeep_database::Location;
///
/// let location: Location = "postgres://bars:secret@db.example:5432/market".parse()?;
/// assert_eq!(location.to_string(), "postgres://bars@db.example:5432/market");
/// # Ok::<(), barkeep_database::InvalidLocation>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(Url),
}

/// A text that is no location of a database. Does not repeat the text: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid database URL: {0}; expected sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/NAME")]
pub struct InvalidLocation(pub(crate) &'static str);

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        if let Some(file) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
            return match file {
                "" => Err(InvalidLocation("the file is missing")),
                _ if file.contains('?') => Err(InvalidLocation("a SQLite file takes no parameters")),
                _ => Ok(Self::Sqlite(Path::new(file).to_owned())),
            };
        }
        let url = Url::parse(text).map_err(|_| InvalidLocation("not a URL"))?;
        match url.scheme() {
            "postgres" | "postgresql" => Ok(Self::Postgres(url)),
            _ => Err(InvalidLocation("unknown kind of database")),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(formatter, "sqlite://{}", file.display()),
            Self::Postgres(url) => {
                let mut shown = url.clone();
                // Fails only for URLs without a host, which have no password either.
                let _ = shown.set_password(None);
                shown.set_query(None);
                shown.set_fragment(None);
                write!(formatter, "{shown}")
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_servers_are_told_apart() {
        assert_eq!("sqlite://barkeep.db".parse(), Ok(Location::Sqlite("barkeep.db".into())));
        assert_eq!("sqlite:///var/bars.db".parse(), Ok(Location::Sqlite("/var/bars.db".into())));
        assert!(matches!("postgresql://localhost/x".parse(), Ok(Location::Postgres(_))));
    }

    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "postgres://u:canary@h/db?password=canary#canary",
            "postgres://:canary@/db",
            "mysql://u:canary@h",
            "canary",
        ] {
            let shown = match text.parse::<Location>() {
                Ok(location) => format!("{location} {location:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_location_is_refused_with_what_was_expected() {
        for text in ["", "barkeep.db", "sqlite://", "sqlite://a.db?mode=rwc", "mysql://h/db"] {
            let error = text.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains("expected sqlite://FILE or postgres://"), "{error}");
        }
    }
}
