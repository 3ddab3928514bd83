#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::{Error, Result};

/// The tables of one component, and how they came to be.
///
/// Steps are numbered from 1 without holes, and one that was released is never edited. All missing steps run in one
/// transaction under a lock: any number of processes may start at once, and a step that fails leaves nothing behind.
///
/// Done by hand in a page of code, because the migrator of sqlx runs unlocked on SQLite, leaves its PostgreSQL lock on
/// the connection when a step fails, and shares one table with the host application's own migrations.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// Whose tables: `queue`, `store`.
    pub component: &'static str,
    /// Every step, oldest first.
    pub steps: &'static [Step],
}

/// One change to a component's tables.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its number: 1, 2, 3...
    pub version: u32,
    /// The statements.
    pub sql: &'static str,
}

impl Migrations {
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    /// The steps still to run on tables of version `found`; none where they are up to date.
    pub(crate) fn after(&self, found: u32) -> Result<&'static [Step]> {
        let known = self.steps.last().map_or(0, |step| step.version);
        if found > known {
            return Err(Error::NewerSchema { component: self.component, found, known });
        }
        Ok(&self.steps[self.steps.partition_point(|step| step.version <= found)..])
    }
}
