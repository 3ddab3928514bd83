//! What the other sessions of a database are about.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::{sleep, timeout};

/// Until so many wait for a lock.
pub(crate) async fn until_waiting(watch: &mut PgConnection, sessions: i64) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let enough = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *watch).await.unwrap() < sessions {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), enough).await.expect("so many wait");
}

/// Until all have ended: each tells then what it met and did.
pub(crate) async fn until_alone(watch: &mut PgConnection) {
    let alone = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()";
    let ended = async {
        while !sqlx::query_scalar::<_, bool>(alone).fetch_one(&mut *watch).await.unwrap() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), ended).await.expect("all end");
}
