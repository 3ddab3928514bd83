use barkeep_alpaca_sim::Market;
use barkeep_orchestrator::calendar::{CalendarExt, Nyse};
use barkeep_orchestrator::catalog::Definition;
use barkeep_orchestrator::database::Location;
use barkeep_orchestrator::store::{State, covered};
use barkeep_orchestrator::types::{Grid, Series, Symbol, TimeRange};
use barkeep_orchestrator::{Backend, SliceJob};
use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::scene::always;
use crate::{CANARIES, Scene, bars_of};

/// What must be true after any fault, once a run has ended well: every bar of the vendor is stored with its value and
/// nothing else is, coverage is what was asked for and agrees with the bars, no lease is left, and no secret was kept.
///
/// # Panics
///
/// If any of it is not so.
pub async fn check(scene: &Scene, market: &Market, definition: &Definition, window: TimeRange) {
    let backend = scene.backend().await;
    for series in definition.series() {
        check_series(&backend, market, definition, &series, window).await;
    }
    let findings = backend.store.check().await.unwrap();
    let harmful: Vec<_> = findings.iter().filter(|finding| !finding.is_harmless()).collect();
    assert!(harmful.is_empty(), "{harmful:?}");
    let counts = backend.inspect.counts().await.unwrap().get(SliceJob::KIND).copied().unwrap_or_default();
    assert_eq!(counts.live(), 0, "no slice is left, and no lease: {counts:?}");
    check_secrets(scene, &definition.symbols[0]).await;
}

async fn check_series(backend: &Backend, market: &Market, definition: &Definition, series: &Series, window: TimeRange) {
    let spans = backend.store.coverage(std::slice::from_ref(series), always()).await.unwrap();
    let covered = covered(&spans[0], |span| span.state == State::Covered);
    // A bar is covered where it starts: of one that lasts for days somebody may have doubted the end.
    let grid = Grid::new(series.timeframe, Nyse.spans(series.timeframe, definition.hours, window));
    for bar in (0..grid.bars()).filter_map(|slot| grid.bar(slot)) {
        let start = bar.before(bar.start() + TimeDelta::seconds(1)).unwrap();
        assert!(covered.covers(&start), "{series}: {bar} is not covered");
    }
    let mut stored = 0;
    for span in covered.ranges() {
        let bars = bars_of(&*backend.store, series, *span).await;
        assert_eq!(bars, market.truth(series, *span), "{series} {span}");
        stored += bars.len();
    }
    assert!(stored > 0, "{series} has bars");
    // Bars that no coverage proves may be left of what nobody asks for any more; they too are the vendor's.
    let all = bars_of(&*backend.store, series, always()).await;
    let end = all[all.len() - 1].start + TimeDelta::seconds(1);
    let truth = market.truth(series, TimeRange::new(all[0].start, end).unwrap());
    for bar in all {
        let true_one = truth.binary_search_by_key(&bar.start, |bar| bar.start).ok().map(|at| truth[at]);
        assert_eq!(true_one, Some(bar), "{series}");
    }
}

/// Looks for the credentials in whatever the database keeps.
async fn check_secrets(scene: &Scene, symbol: &Symbol) {
    let text = match scene.location() {
        Location::Sqlite(file) => {
            let mut bytes = std::fs::read(&file).unwrap();
            bytes.extend(std::fs::read(file.with_extension("db-wal")).unwrap_or_default());
            String::from_utf8_lossy(&bytes).into_owned()
        }
        Location::Postgres(url) => dump(url.as_str()).await,
    };
    assert!(text.contains(symbol.as_str()), "the dump has what was stored");
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} is in the database");
    }
}

/// Every row of every table of ours but the bars, which hold no text.
async fn dump(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables =
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'barkeep' AND tablename NOT LIKE 'store_bar%'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let mut dump = String::new();
    for table in tables {
        let rows = format!("SELECT row_to_json(t)::text FROM barkeep.{table} AS t");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap();
        dump.extend(rows);
    }
    dump
}
