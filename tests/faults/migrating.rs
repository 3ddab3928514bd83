//! SIGKILL while the tables are made. The next start makes them, and finds none that is half made.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use tests::{Kind, Scene, Vendor};

use crate::{go_on, start};

/// Every statement of a migration is one that it may have come to.
#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_at_any_statement() {
    for statement in [1, 4, 9, 14, 20] {
        let (scene, vendor) = (Scene::on(Kind::Postgres).await, Vendor::start().await);
        let mut holder = PgConnection::connect(scene.url()).await.unwrap();
        holder.execute(HOLD).await.unwrap();
        let set = format!("SELECT setval('held', -{statement}), pg_advisory_lock(1)");
        holder.execute(sqlx::AssertSqlSafe(set)).await.unwrap();
        let child = start(&scene, &vendor);
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND NOT granted";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut holder).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        child.kill().await;
        holder.execute("DROP EVENT TRIGGER hold").await.unwrap();
        holder.close().await.unwrap();
        go_on(&scene, &vendor).await;
    }
}

/// Counts the statements that make something, and waits at zero.
const HOLD: &str = "
    CREATE SEQUENCE held MINVALUE -1000;
    CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('public.held') = 0 THEN
            PERFORM pg_advisory_xact_lock_shared(1);
        END IF;
    END
    $$;
    CREATE EVENT TRIGGER hold ON ddl_command_end EXECUTE FUNCTION hold();
";

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_at_any_time() {
    let vendor = Vendor::start().await;
    for milliseconds in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
        let scene = Scene::on(Kind::Sqlite).await;
        let barkeep_orchestrator::database::Location::Sqlite(file) = scene.location() else { unreachable!() };
        let child = start(&scene, &vendor);
        // From when there is a file on, the tables are made.
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        child.kill().await;
        drop(scene.backend().await);
    }
    let scene = Scene::on(Kind::Sqlite).await;
    go_on(&scene, &vendor).await;
}
