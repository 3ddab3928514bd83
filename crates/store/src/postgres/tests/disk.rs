//! A disk that is full. The files of tables that are still empty are made links to `/dev/full`: whoever writes there is
//! told by the kernel that no space is left, and no right to mount a small disk is needed.

use std::path::PathBuf;

use barkeep_test_postgres::{Server, Stop};

use super::*;

async fn open_on(server: &Server) -> PostgresStore {
    let database = Postgres::connect(&server.url()).await.unwrap();
    PostgresStore::open(&database, ProviderName::ALPACA).await.unwrap()
}

async fn file_of(store: &PostgresStore, table: &'static str) -> PathBuf {
    let mut connection = store.database.connection().await.unwrap();
    let path: String =
        sqlx::query_scalar("SELECT current_setting('data_directory') || '/' || pg_relation_filepath($1)")
            .bind(table)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    connection.finish().await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0, "{table} is not empty");
    path.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_takes_nothing_of_a_page() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let store = open_on(&server).await;
    room::make(&store.database, &[1970]).await.unwrap();
    // Before anything is written; before the bars are; and in the midst of them.
    for table in ["barkeep.store_batch", "barkeep.store_coverage", "barkeep.store_bar_1970"] {
        let store = open_on(&server).await;
        let file = file_of(&store, table).await;
        store.database.close().await;
        server.stop(Stop::Fast);
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/full", &file).unwrap();
        server.resume();

        let store = open_on(&server).await;
        let error = store.commit(&page(5_000)).await.unwrap_err();
        assert_eq!((error.code(), error.is_transient()), ("STORAGE_FULL", false), "{table}: {error:?}");
        assert_eq!(store.series().await.unwrap(), [], "{table}");

        store.database.close().await;
        server.stop(Stop::Fast);
        std::fs::remove_file(&file).unwrap();
        std::fs::File::create(&file).unwrap();
        let owner = std::fs::metadata(file.parent().unwrap()).unwrap();
        let (user, group) = (std::os::unix::fs::MetadataExt::uid(&owner), std::os::unix::fs::MetadataExt::gid(&owner));
        std::os::unix::fs::chown(&file, Some(user), Some(group)).unwrap();
        server.resume();
        let store = open_on(&server).await;
        assert_eq!(store.bars(&series(), page(5_000).asked, 9).await.unwrap(), [], "{table}");
        assert_eq!(store.check().await.unwrap(), [], "{table}");
        store.database.close().await;
    }
    // Once there is space, the same page is stored.
    let store = open_on(&server).await;
    run(&store, "TRUNCATE barkeep.store_batch, barkeep.store_bar, barkeep.store_coverage").await.unwrap();
    assert_eq!(store.commit(&page(5_000)).await.unwrap().inserted, 5_000);
    assert_eq!(store.check().await.unwrap(), []);
    store.database.close().await;
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
}
