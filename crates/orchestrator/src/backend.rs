use std::sync::Arc;

use barkeep_catalog::{Catalog, Rejections, SettingsBook};
use barkeep_database::Location;
use barkeep_queue::{Budgets, Control, Inspect, Locks, Queue, Watch};
use barkeep_store::{ProviderName, Store, Upkeep};

use crate::Result;

/// Where state lives: bars, jobs and definitions, mostly of one database. A clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Bars and coverage.
    pub store: Arc<dyn Store>,
    /// The same bars, to look after.
    pub upkeep: Arc<dyn Upkeep>,
    /// Jobs.
    pub queue: Arc<dyn Queue>,
    /// The same jobs, over a connection of its own to extend leases by: however many slices wait for the others, none loses
    /// its lease over that. Where there is none, heartbeats go the way of all.
    pub heartbeats: Option<Arc<dyn Queue>>,
    /// The same jobs, to look at.
    pub inspect: Arc<dyn Inspect>,
    /// What people do to jobs.
    pub control: Arc<dyn Control>,
    /// The planner's lock.
    pub locks: Arc<dyn Locks>,
    /// The vendor's request limit, shared by all processes.
    pub budgets: Arc<dyn Budgets>,
    /// How the jobs are doing.
    pub watch: Arc<dyn Watch>,
    /// What to keep filled.
    pub catalog: Arc<dyn Catalog>,
    /// What the vendor refused.
    pub rejections: Arc<dyn Rejections>,
    /// What was set for all processes.
    pub book: Arc<dyn SettingsBook>,
    /// Whether bars and jobs are in one database, so that bars can be written under the lease of their job or not at all.
    /// Without it a worker that lost its lease may still write what it fetched: the same bars, once more.
    pub fenced: bool,
}

impl Backend {
    /// Opens one database for everything, makes its tables or brings them up to date; the bars are of `provider`.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database cannot be opened,
    /// [`Error::MissingFeature`](crate::Error::MissingFeature) if this program was built without its kind.
    pub async fn open(location: &Location, provider: ProviderName) -> Result<Self> {
        match location {
            #[cfg(feature = "sqlite")]
            Location::Sqlite(path) => {
                let database = barkeep_database::Sqlite::open(path).await?;
                let parts = Self::of(
                    barkeep_store::SqliteStore::open(&database, provider).await?,
                    barkeep_queue::SqliteQueue::open(&database).await?,
                    barkeep_catalog::SqliteCatalog::open(&database).await?,
                );
                Ok(Self { fenced: true, ..parts })
            }
            #[cfg(feature = "postgres")]
            Location::Postgres(url) => {
                let settings = barkeep_database::PostgresSettings::new(url.clone());
                let heart = barkeep_database::Postgres::connect_with(settings.clone().with_connections(1)).await?;
                let database = barkeep_database::Postgres::connect_with(settings).await?;
                let parts = Self::of(
                    barkeep_store::PostgresStore::open(&database, provider).await?,
                    barkeep_queue::PostgresQueue::open(&database).await?,
                    barkeep_catalog::PostgresCatalog::open(&database).await?,
                );
                let heartbeats = Arc::new(barkeep_queue::PostgresQueue::open(&heart).await?);
                Ok(Self { fenced: true, heartbeats: Some(heartbeats), ..parts })
            }
            #[cfg(not(feature = "sqlite"))]
            Location::Sqlite(_) => Err(crate::Error::MissingFeature("sqlite")),
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(_) => Err(crate::Error::MissingFeature("postgres")),
        }
    }

    /// Composes a backend of parts of your own, which need not share a database; say [`fenced`](Self::fenced) if they do.
    pub fn of(
        store: impl Store + Upkeep,
        queue: impl Queue + Inspect + Control + Locks + Budgets + Watch,
        catalog: impl Catalog + Rejections + SettingsBook,
    ) -> Self {
        let (store, queue, catalog) = (Arc::new(store), Arc::new(queue), Arc::new(catalog));
        Self {
            upkeep: store.clone(),
            store,
            inspect: queue.clone(),
            control: queue.clone(),
            locks: queue.clone(),
            budgets: queue.clone(),
            watch: queue.clone(),
            queue,
            heartbeats: None,
            rejections: catalog.clone(),
            book: catalog.clone(),
            fenced: false,
            catalog,
        }
    }
}
