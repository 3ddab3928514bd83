//! Real daily bars, from CSV files through the simulator into the store, value by value.

use std::path::Path;

use barkeep_orchestrator::types::{Adjustment, Bar, Feed, Series, Timeframe};
use tests::{Kind, Scene, everything};

use crate::{on_both_databases, start};

on_both_databases!(every_stored_bar_equals_the_recorded_file);

fn folder() -> String {
    format!("{}/data/real-bars", env!("CARGO_MANIFEST_DIR"))
}

/// The file, read by the test itself.
fn recorded(file: &Path) -> Vec<Bar> {
    let text = std::fs::read_to_string(file).unwrap();
    let bar = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |index: usize| fields[index].parse::<f64>().unwrap();
        Bar {
            start: fields[0].parse().unwrap(),
            open: number(1),
            high: number(2),
            low: number(3),
            close: number(4),
            volume: number(5),
            vwap: None,
            trade_count: None,
        }
    };
    text.lines().skip(1).map(bar).collect()
}

async fn every_stored_bar_equals_the_recorded_file(kind: Kind) {
    let scene = Scene::on(kind).await;
    let folder = folder();
    let outcome = start(&["--data", &folder, "--database", scene.url(), "--json"]).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let stored = everything(&*scene.backend().await.store).await;
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(symbol) = path.file_name().unwrap().to_str().unwrap().strip_suffix("_d1.csv").map(str::to_owned)
        else {
            continue;
        };
        let series = Series {
            symbol: symbol.parse().unwrap(),
            timeframe: Timeframe::D1,
            feed: Feed::SIP,
            adjustment: Adjustment::RAW,
        };
        assert_eq!(stored[&series], recorded(&path), "{series}");
        files += 1;
    }
    assert!(files >= 2);
    assert_eq!(stored.len(), files);
}
