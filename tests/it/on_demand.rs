//! Somebody looks at a series now, or watches it.

use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::types::{Adjustment, Feed, Series, TimeRange, Timeframe};
use barkeep_orchestrator::{Error, Orchestrator, SliceJob};
use tests::{Kind, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    f50_coverage_on_demand_makes_a_definition_and_tells_how_far_it_is,
    f50_an_unknown_symbol_is_a_clear_error_and_changes_nothing,
    f50_a_watchlist_seeds_definitions_and_grows,
    f35_a_symbol_that_does_not_exist_is_set_aside_and_the_rest_is_filled,
);

fn month() -> TimeRange {
    TimeRange::new("2024-03-01T05:00:00Z".parse().unwrap(), "2024-03-30T04:00:00Z".parse().unwrap()).unwrap()
}

fn series(symbol: &str, timeframe: Timeframe) -> Series {
    Series { symbol: symbol.parse().unwrap(), timeframe, feed: Feed::SIP, adjustment: Adjustment::RAW }
}

async fn scene(kind: Kind) -> (Scene, AlpacaSim, Orchestrator) {
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    let orchestrator = orchestrator.with_reference(provider(&simulator));
    (scene, simulator, orchestrator)
}

async fn f50_coverage_on_demand_makes_a_definition_and_tells_how_far_it_is(kind: Kind) {
    let (_scene, _simulator, orchestrator) = scene(kind).await;
    let catalog = &orchestrator.backend().catalog;
    let broad = ["AAPL", "MSFT"].map(|symbol| symbol.parse().unwrap()).to_vec();
    let broad = Definition::new("broad", broad, vec![Timeframe::D1], Window::Fixed(month()));
    catalog.upsert(&broad, Narrowing::Refuse).await.unwrap();

    let covered = orchestrator.ensure_coverage(&series("AAPL", Timeframe::D1), month()).await.unwrap();
    assert_eq!((covered.definition.as_str(), covered.is_new), ("broad", false));
    let hours = series("AAPL", Timeframe::H1);
    let first = orchestrator.ensure_coverage(&hours, month()).await.unwrap();
    assert!(first.is_new && !first.is_complete(), "{first:?}");
    assert_eq!((first.expected, first.under_way, first.covered, first.bars_stored), (20 * 7, 20 * 7, 0, 0));
    assert_eq!((first.gaps.len(), first.missing, first.unsettled), (1, 0, 0));
    let jobs = orchestrator.backend().inspect.live(SliceJob::KIND).await.unwrap();
    let again = orchestrator.ensure_coverage(&hours, month()).await.unwrap();
    assert_eq!((again.is_new, &again.definition), (false, &first.definition));
    assert_eq!(orchestrator.backend().inspect.live(SliceJob::KIND).await.unwrap(), jobs, "repeat safe");
    assert_eq!(catalog.list().await.unwrap().len(), 2);

    let made = catalog.get(&first.definition).await.unwrap().unwrap();
    assert!(orchestrator.backfill(&[made], &CancellationToken::new()).await.unwrap().complete);
    let done = orchestrator.ensure_coverage(&hours, month()).await.unwrap();
    assert!(done.is_complete() && done.covered == done.expected && done.bars_stored >= 20 * 7, "{done:?}");

    // More of it widens the definition that was made, and asks for what is more.
    let earlier = TimeRange::new("2024-02-26T05:00:00Z".parse().unwrap(), month().end()).unwrap();
    let wider = orchestrator.ensure_coverage(&hours, earlier).await.unwrap();
    assert_eq!((wider.is_new, &wider.definition, wider.under_way), (true, &first.definition, 4 * 7));
    assert_eq!(catalog.get(&first.definition).await.unwrap().unwrap().window, Window::Fixed(earlier));
}

async fn f50_an_unknown_symbol_is_a_clear_error_and_changes_nothing(kind: Kind) {
    let (_scene, simulator, orchestrator) = scene(kind).await;
    let error = orchestrator.ensure_coverage(&series("ZTST", Timeframe::H1), month()).await.unwrap_err();
    assert!(matches!(&error, Error::UnknownSymbol(symbol) if symbol.as_str() == "ZTST"), "{error}");
    assert_eq!((error.code(), error.to_string().as_str()), ("SYMBOL_NOT_FOUND", "the vendor knows no symbol ZTST"));
    let error = orchestrator.watch(&["AAPL".parse().unwrap(), "ZTST".parse().unwrap()]).await.unwrap_err();
    assert_eq!(error.code(), "SYMBOL_NOT_FOUND");
    assert!(orchestrator.backend().catalog.list().await.unwrap().is_empty());
    assert!(orchestrator.backend().inspect.live(SliceJob::KIND).await.unwrap().is_empty());
    assert_eq!(simulator.requests().bars, 0);

    let refused = series("AAPL", Timeframe::D1);
    orchestrator.backend().rejections.reject(&refused, "INVALID_SYMBOL", "invalid symbol: AAPL").await.unwrap();
    let error = orchestrator.ensure_coverage(&refused, month()).await.unwrap_err();
    assert_eq!(error.code(), "INVALID_SYMBOL");
    assert!(error.to_string().contains("invalid symbol: AAPL"), "{error}");
}

async fn f50_a_watchlist_seeds_definitions_and_grows(kind: Kind) {
    let (_scene, _simulator, orchestrator) = scene(kind).await;
    let catalog = &orchestrator.backend().catalog;
    let names = orchestrator.watch(&["MSFT".parse().unwrap(), "AAPL".parse().unwrap()]).await.unwrap();
    assert_eq!(names, ["watchlist-intraday", "watchlist-daily"]);
    orchestrator.watch(&["AAPL".parse().unwrap(), "NVDA".parse().unwrap()]).await.unwrap();
    for (name, timeframes, days) in [
        (&names[0], vec![Timeframe::M15, Timeframe::H1, Timeframe::H4], 30),
        (&names[1], vec![Timeframe::D1, Timeframe::W1], 730),
    ] {
        let definition = catalog.get(name).await.unwrap().unwrap();
        let symbols: Vec<_> = definition.symbols.iter().map(|symbol| symbol.as_str()).collect();
        assert_eq!((symbols, definition.timeframes), (vec!["AAPL", "MSFT", "NVDA"], timeframes));
        assert_eq!((definition.window, definition.priority), (Window::LastDays(days), 150));
    }
    assert_eq!(catalog.list().await.unwrap().len(), 2);
}

async fn f35_a_symbol_that_does_not_exist_is_set_aside_and_the_rest_is_filled(kind: Kind) {
    let (_scene, _simulator, orchestrator) = scene(kind).await;
    let symbols = ["AAPL", "MSFT", "ZTST"].map(|symbol| symbol.parse().unwrap()).to_vec();
    let definition = Definition::new("some", symbols, vec![Timeframe::D1], Window::Fixed(month()));
    let report = orchestrator.backfill(std::slice::from_ref(&definition), &CancellationToken::new()).await.unwrap();
    let failed: Vec<_> = report.failed.iter().map(|one| (one.series.symbol.as_str(), one.code.as_str())).collect();
    assert_eq!((failed, report.bars_written), (vec![("ZTST", "SYMBOL_NOT_FOUND")], 40));
    let again = orchestrator.backfill(&[definition], &CancellationToken::new()).await.unwrap();
    assert_eq!((again.requests, again.failed), (0, report.failed), "it is remembered");
}
