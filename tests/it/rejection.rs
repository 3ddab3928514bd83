//! A bad symbol never sinks its batch.

use barkeep_orchestrator::types::Timeframe;
use tests::{Kind, Scene, everything};

use crate::{on_both_databases, start};

on_both_databases!(a_rejected_symbol_is_named_and_the_others_are_filled);

async fn a_rejected_symbol_is_named_and_the_others_are_filled(kind: Kind) {
    let scene = Scene::on(kind).await;
    let arguments = [
        "--symbols",
        "AAPL,3USL,MSFT,BRK-B",
        "--timeframe",
        "d1",
        "--from",
        "2024-01-02",
        "--to",
        "2024-03-28",
        "--database",
        scene.url(),
        "--json",
    ];
    let first = start(&arguments).end().await;
    assert_eq!(first.code, Some(2), "{first:?}");
    let report = first.json();
    assert_eq!(report["complete"], false);
    let failed = report["failed"].as_array().unwrap();
    let named: Vec<_> = failed.iter().map(|failure| failure["symbol"].as_str().unwrap()).collect();
    assert_eq!(named, ["3USL", "BRK-B"]);
    for failure in failed {
        assert_eq!((&failure["timeframe"], &failure["code"]), (&"d1".into(), &"INVALID_SYMBOL".into()));
        assert!(failure["reason"].as_str().unwrap().contains(failure["symbol"].as_str().unwrap()), "{failure}");
    }
    let bars = everything(&*scene.backend().await.store).await;
    let filled: Vec<_> =
        bars.iter().filter(|(_, bars)| !bars.is_empty()).map(|(series, _)| series.symbol.as_str()).collect();
    assert_eq!(filled, ["AAPL", "MSFT"]);
    assert!(bars.keys().all(|series| series.timeframe == Timeframe::D1));

    // They are remembered, so that they cost nothing more.
    let second = start(&arguments).end().await;
    assert_eq!((second.code, &second.json()["requests"]), (Some(2), &0.into()), "{second:?}");
    assert_eq!(second.json()["failed"], report["failed"]);
}
