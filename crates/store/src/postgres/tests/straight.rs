//! Many bars of one year go straight into its partition.

use super::*;

const HOUR: i64 = 3_600;
/// Of 1970.
const YEAR: i64 = 8_760;

/// A bar for each of some hours since 1970.
fn hourly(hours: std::ops::Range<i64>) -> Commit {
    let at = |hour: i64| DateTime::from_timestamp(hour * HOUR, 0).unwrap();
    let series = Series { timeframe: Timeframe::H1, ..series() };
    let bars = hours.clone().map(|hour| Bar { start: at(hour), ..page(1).bars[0].1[0] }).collect();
    let range = TimeRange::new(at(hours.start), at(hours.end)).unwrap();
    Commit::new(range).with_bars(series.clone(), bars).with_proof(series, range, State::Covered)
}

/// A store with room for 1970 and 1971, in which triggers note down which table a statement inserts into.
async fn open_watched() -> (PostgresStore, TestDatabase) {
    let (store, server) = open().await;
    room::make(&store.database, &[1971]).await.unwrap();
    let sql = "
        CREATE TABLE barkeep.seen (inserted_into text);
        GRANT INSERT ON barkeep.seen TO PUBLIC;
        CREATE FUNCTION barkeep.see() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO barkeep.seen VALUES (TG_TABLE_NAME); RETURN NULL; END';
        CREATE TRIGGER seen AFTER INSERT ON barkeep.store_bar FOR EACH STATEMENT EXECUTE FUNCTION barkeep.see();
        CREATE TRIGGER seen AFTER INSERT ON barkeep.store_bar_1970 FOR EACH STATEMENT EXECUTE FUNCTION barkeep.see();";
    run(&store, sql).await.unwrap();
    (store, server)
}

async fn seen(store: &PostgresStore) -> Vec<String> {
    let mut connection = store.database.connection().await.unwrap();
    let seen = sqlx::query_scalar("SELECT inserted_into FROM barkeep.seen").fetch_all(&mut *connection).await.unwrap();
    connection.finish().await.unwrap();
    seen
}

async fn is_stored(store: &PostgresStore, page: &Commit) -> bool {
    let (series, bars) = &page.bars[0];
    store.bars(series, page.asked, usize::MAX).await.unwrap() == *bars && store.check().await.unwrap().is_empty()
}

#[tokio::test]
async fn many_bars_of_one_year_go_straight_into_its_partition() {
    let (store, _server) = open_watched().await;
    let year = hourly(0..YEAR);
    assert_eq!(store.commit(&year).await.unwrap().inserted, 8_760);
    assert_eq!(seen(&store).await, ["store_bar_1970"]);
    assert!(is_stored(&store, &year).await);
    assert_eq!(store.commit(&year).await.unwrap().unchanged, 8_760);
}

#[tokio::test]
async fn few_bars_or_bars_of_two_years_go_through_the_table_of_all_years() {
    let (store, _server) = open_watched().await;
    for page in [hourly(0..999), hourly(YEAR - 1_000..YEAR + 1)] {
        store.commit(&page).await.unwrap();
        assert!(is_stored(&store, &page).await);
    }
    assert_eq!(seen(&store).await, ["store_bar", "store_bar"]);
}

#[tokio::test]
async fn a_role_that_may_not_insert_into_the_partition_goes_through_the_table_of_all_years() {
    let (store, server) = open_watched().await;
    let role = format!("by_years_{}", server.url().rsplit('_').next().unwrap().split('?').next().unwrap());
    let rights = format!(
        "CREATE ROLE {role} LOGIN;
         GRANT USAGE ON SCHEMA barkeep TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA barkeep TO {role};
         GRANT INSERT, UPDATE ON barkeep.store_series, barkeep.store_batch, barkeep.store_bar, barkeep.store_coverage TO {role};"
    );
    let as_owner = async |sql: String| {
        let mut transaction = store.database.begin().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    };
    as_owner(rights).await;
    let url = server.url().replace("postgres@", &format!("{role}@"));
    let writer = PostgresStore::open(&Postgres::connect(&url).await.unwrap(), ProviderName::ALPACA).await.unwrap();
    writer.commit(&hourly(0..2_000)).await.unwrap();
    as_owner(format!("GRANT INSERT ON barkeep.store_bar_1970 TO {role}")).await;
    writer.commit(&hourly(2_000..4_000)).await.unwrap();
    assert_eq!(seen(&store).await, ["store_bar", "store_bar_1970"]);
    assert!(is_stored(&store, &hourly(0..4_000)).await);
    writer.database.close().await;
    as_owner(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn nothing_goes_into_a_table_that_was_taken_out_of_the_years() {
    let (store, _server) = open_watched().await;
    run(&store, "ALTER TABLE barkeep.store_bar DETACH PARTITION barkeep.store_bar_1970").await.unwrap();
    // The name is taken, so no room can be made for the year.
    assert!(store.commit(&hourly(0..YEAR)).await.is_err());
    assert_eq!(number(&store, "SELECT count(*) FROM barkeep.store_bar_1970").await, 0);
    assert_eq!(number(&store, "SELECT count(*) FROM barkeep.store_coverage").await, 0);
    run(&store, "ALTER TABLE barkeep.store_bar ATTACH PARTITION barkeep.store_bar_1970 FOR VALUES FROM ('1970-01-01Z') TO ('1971-01-01Z')")
        .await
        .unwrap();
    assert_eq!(store.commit(&hourly(0..YEAR)).await.unwrap().inserted, 8_760);
}
