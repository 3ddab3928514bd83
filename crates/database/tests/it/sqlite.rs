use std::time::Duration;

use barkeep_database::{Error, Migrations, Sqlite, SqliteSettings, Step};
use tempfile::TempDir;

const FIRST: Step =
    Step { version: 1, sql: "CREATE TABLE thing (id INTEGER PRIMARY KEY) STRICT; INSERT INTO thing VALUES (1)" };
const SECOND: Step = Step { version: 2, sql: "INSERT INTO thing VALUES (2)" };
const BROKEN: Step = Step { version: 2, sql: "INSERT INTO thing VALUES (3); INSERT INTO nothing VALUES (4)" };
const ONE: Migrations = Migrations { component: "thing", steps: &[FIRST] };
const TWO: Migrations = Migrations { component: "thing", steps: &[FIRST, SECOND] };

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

async fn things(database: &Sqlite) -> i64 {
    let mut connection = database.connection().await.unwrap();
    let things = sqlx::query_scalar("SELECT COUNT(*) FROM thing").fetch_one(&mut *connection).await.unwrap();
    connection.finish().await.unwrap();
    things
}

#[tokio::test]
async fn a_new_file_is_for_its_owner_alone_and_in_wal_mode() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("bars.db");
    let database = Sqlite::open(&path).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    for file in ["bars.db", "bars.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_later_steps_follow() {
    let folder = folder();
    let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    assert_eq!(things(&database).await, 1);
    database.migrate(&TWO).await.unwrap();
    assert_eq!(things(&database).await, 2);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = folder();
    let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
    database.migrate(&TWO).await.unwrap();
    let error = database.migrate(&ONE).await.unwrap_err();
    assert!(matches!(error, Error::NewerSchema { component: "thing", found: 2, known: 1 }), "{error:?}");
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing_behind() {
    let folder = folder();
    let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    let broken = Migrations { component: "thing", steps: &[FIRST, BROKEN] };
    assert_eq!(database.migrate(&broken).await.unwrap_err().code(), "DATABASE_FAILED");
    assert_eq!(things(&database).await, 1);
    database.migrate(&TWO).await.unwrap();
}

#[tokio::test]
async fn eight_openers_at_once_all_succeed_on_a_new_file() {
    for _ in 0..5 {
        let folder = folder();
        let path = folder.path().join("bars.db");
        let openers: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                tokio::spawn(async move { Sqlite::open(path).await?.migrate(&TWO).await })
            })
            .collect();
        for opener in openers {
            opener.await.unwrap().unwrap();
        }
        assert_eq!(things(&Sqlite::open(&path).await.unwrap()).await, 2);
    }
}

#[tokio::test]
async fn another_kind_of_file_is_refused_and_left_as_it_is() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    let notes = "not a database, but long enough to have had a header: ".repeat(20);
    std::fs::write(&path, &notes).unwrap();
    let error = Sqlite::open(&path).await.unwrap_err();
    assert!(matches!(error, Error::NotADatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let folder = folder();
    let error = Sqlite::open(folder.path().join("no/such/bars.db")).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }) && error.to_string().contains("no/such/bars.db"), "{error:?}");
    let error = Sqlite::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_dropped_transaction_changes_nothing() {
    let folder = folder();
    let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("INSERT INTO thing VALUES (7)").execute(&mut *transaction).await.unwrap();
    drop(transaction);
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("INSERT INTO thing VALUES (8)").execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(things(&database).await, 1);
}

#[tokio::test]
async fn writers_of_one_file_wait_for_each_other() {
    let folder = folder();
    let path = folder.path().join("bars.db");
    Sqlite::open(&path).await.unwrap().migrate(&ONE).await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let path = path.clone();
            tokio::spawn(async move {
                // A handle each, as in processes of their own.
                let database = Sqlite::open(path).await?;
                for number in 0..20 {
                    let mut transaction = database.begin().await?;
                    let count: i64 =
                        sqlx::query_scalar("SELECT COUNT(*) FROM thing").fetch_one(&mut *transaction).await?;
                    sqlx::query("INSERT INTO thing VALUES (?1)")
                        .bind(1000 * (writer + 1) + number)
                        .execute(&mut *transaction)
                        .await?;
                    let after: i64 =
                        sqlx::query_scalar("SELECT COUNT(*) FROM thing").fetch_one(&mut *transaction).await?;
                    assert_eq!(after, count + 1);
                    transaction.commit().await?;
                }
                Ok::<(), Error>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(things(&Sqlite::open(&path).await.unwrap()).await, 161);
}

#[tokio::test]
async fn a_verb_that_takes_too_long_is_cut_and_the_database_goes_on() {
    let folder = folder();
    let settings = SqliteSettings::new(folder.path().join("bars.db")).with_timeout(Duration::from_millis(200));
    let database = Sqlite::open_with(settings).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    let cut = database.bounded::<(), Error>(async {
        let mut transaction = database.begin().await?;
        sqlx::query("INSERT INTO thing VALUES (9)").execute(&mut *transaction).await?;
        std::future::pending().await
    });
    assert!(matches!(cut.await.unwrap_err(), Error::TimedOut { .. }));
    assert_eq!(things(&database).await, 1);
    database.migrate(&TWO).await.unwrap();
}

#[tokio::test]
async fn a_file_grows_to_its_limit_and_no_further_until_that_is_raised() {
    let folder = folder();
    let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    let fill = async || {
        let mut transaction = database.begin().await?;
        let filler = "CREATE TABLE filler AS SELECT zeroblob(1000000)";
        sqlx::query(filler).execute(&mut *transaction).await.map_err(Error::from)?;
        transaction.commit().await
    };
    database.limit(500_000).await.unwrap();
    // The second time on another connection: the first was closed with its error.
    for _ in 0..2 {
        let error = fill().await.unwrap_err();
        assert_eq!((error.code(), error.is_full(), error.is_transient()), ("STORAGE_FULL", true, false), "{error}");
    }
    database.limit(u64::MAX).await.unwrap();
    fill().await.unwrap();
    database.limit(0).await.unwrap();
    assert_eq!(things(&database).await, 1, "what is there stays");
}

#[tokio::test]
async fn a_full_disk_is_its_own_error() {
    let folder = folder();
    let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("PRAGMA max_page_count = 1").execute(&mut *transaction).await.unwrap();
    let filled = sqlx::query("CREATE TABLE filler AS SELECT zeroblob(1000000)").execute(&mut *transaction).await;
    assert_eq!(Error::from(filled.unwrap_err()).code(), "STORAGE_FULL");
}

#[tokio::test]
async fn closing_leaves_the_file_whole_and_alone() {
    let folder = folder();
    let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    assert_eq!(things(&database).await, 1);
    database.close().await;
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["bars.db"], "the log is folded in");
    assert!(matches!(database.connection().await.unwrap_err(), Error::Lost(_)));
}
