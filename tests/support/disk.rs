use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use barkeep_orchestrator::database::{Location, Postgres, Sqlite};
use barkeep_orchestrator::store::{ProviderName, SqliteStore};
use barkeep_orchestrator::{Backend, catalog::SqliteCatalog, queue::SqliteQueue};
use barkeep_test_postgres::{Server, Stop};

use crate::Scene;

/// A database whose disk fills up, and has space again.
///
/// SQLite's file is given a limit. Of PostgreSQL the files of a table are made links to `/dev/full`: whoever needs a new page
/// there is told by the kernel that no space is left, and no right to mount a small disk is needed.
#[derive(Debug)]
pub enum Disk {
    /// The handle that the limit is for.
    Sqlite(Sqlite),
    /// The files that were links, and whose they are to be.
    Postgres(Vec<PathBuf>, Location),
}

impl Disk {
    /// Lets the file of a SQLite database grow by so many bytes, and no further. The backend is the one it holds for.
    ///
    /// # Panics
    ///
    /// If the database fails.
    pub async fn with_room_for(scene: &Scene, bytes: u64) -> (Self, Backend) {
        let Location::Sqlite(path) = scene.location() else { panic!("not a file: {scene:?}") };
        let database = Sqlite::open(&path).await.unwrap();
        let parts = Backend::of(
            SqliteStore::open(&database, ProviderName::ALPACA).await.unwrap(),
            SqliteQueue::open(&database).await.unwrap(),
            SqliteCatalog::open(&database).await.unwrap(),
        );
        // Much of it is in the write-ahead log as yet.
        let pages: u32 = scene.count("SELECT page_count FROM pragma_page_count").await.try_into().unwrap();
        database.limit(u64::from(pages) * 4096 + bytes).await.unwrap();
        (Self::Sqlite(database), Backend { fenced: true, ..parts })
    }

    /// Leaves no room for any row of a table, with all its parts, of a database on this server. What is in it is forgotten.
    ///
    /// # Panics
    ///
    /// If the server fails.
    pub async fn without_room_for(table: &str, scene: &Scene, server: &Server) -> Self {
        let Location::Postgres(url) = scene.location() else { panic!("no server: {scene:?}") };
        let database = Postgres::connect(url.as_str()).await.unwrap();
        let mut transaction = database.begin().await.unwrap();
        let truncate = format!("TRUNCATE barkeep.{table}");
        sqlx::query(sqlx::AssertSqlSafe(truncate)).execute(&mut *transaction).await.unwrap();
        let files = "SELECT current_setting('data_directory') || '/' || pg_relation_filepath(oid) FROM pg_class
            WHERE oid = ('barkeep.' || $1)::regclass AND relkind = 'r'
            OR oid IN (SELECT relid FROM pg_partition_tree(('barkeep.' || $1)::regclass) WHERE isleaf)";
        let files: Vec<String> = sqlx::query_scalar(files).bind(table).fetch_all(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        database.close().await;
        tokio::task::block_in_place(|| server.stop(Stop::Fast));
        let files: Vec<PathBuf> = files.into_iter().map(PathBuf::from).collect();
        assert!(!files.is_empty(), "there is no table {table}");
        for file in &files {
            assert_eq!(std::fs::metadata(file).unwrap().len(), 0, "{table} is not empty");
            std::fs::remove_file(file).unwrap();
            std::os::unix::fs::symlink("/dev/full", file).unwrap();
        }
        tokio::task::block_in_place(|| server.resume());
        Self::Postgres(files, scene.location())
    }

    /// There is space again.
    ///
    /// # Panics
    ///
    /// If the database fails.
    pub async fn free(self) {
        match self {
            Self::Sqlite(database) => database.limit(u64::MAX).await.unwrap(),
            Self::Postgres(files, location) => {
                for file in &files {
                    std::fs::remove_file(file).unwrap();
                    std::fs::File::create(file).unwrap();
                    let owner = std::fs::metadata(file.parent().unwrap()).unwrap();
                    std::os::unix::fs::chown(file, Some(owner.uid()), Some(owner.gid())).unwrap();
                }
                // Those that have the links open would go on writing to them.
                let Location::Postgres(url) = location else { unreachable!("files are of a server") };
                let database = Postgres::connect(url.as_str()).await.unwrap();
                let mut transaction = database.begin().await.unwrap();
                let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
                sqlx::query(others).execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
            }
        }
    }
}
