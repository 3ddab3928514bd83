//! Recorded bars are served number by number, and what is no recording is refused with its place.

use std::fs;
use std::path::PathBuf;

use barkeep_alpaca_sim::{AlpacaSim, Error, Market};
use barkeep_types::Timeframe;

use crate::http::get;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/recorded")
}

#[tokio::test]
async fn every_recorded_number_is_served_as_it_was_written() {
    let sim = AlpacaSim::options().with_market(Market::recorded(folder()).unwrap()).start().await.unwrap();
    let path = "/v2/stocks/bars?symbols=AAPL,IBM,MSFT&timeframe=1Day&start=2005-01-01&end=2005-03-31&limit=10000";
    let json = get(&sim, path).await.json();
    assert_eq!(json["bars"].as_object().unwrap().len(), 2);
    for symbol in ["AAPL", "IBM"] {
        let file = fs::read_to_string(folder().join(format!("{}_d1.csv", symbol.to_lowercase()))).unwrap();
        let written: Vec<Vec<f64>> = file
            .lines()
            .skip(1)
            .map(|line| line.split(',').skip(1).map(|number| number.parse().unwrap()).collect())
            .collect();
        let bars = json["bars"][symbol].as_array().unwrap();
        let served: Vec<Vec<f64>> =
            bars.iter().map(|bar| ["o", "h", "l", "c", "v"].map(|name| bar[name].as_f64().unwrap()).to_vec()).collect();
        assert_eq!(served, written, "{symbol}");
        assert!(bars.iter().all(|bar| bar.get("n").is_none() && bar.get("vw").is_none()));
    }
}

#[tokio::test]
async fn weeks_are_made_of_recorded_days_and_hours_of_nothing() {
    let sim = AlpacaSim::options().with_market(Market::recorded(folder()).unwrap()).start().await.unwrap();
    let path =
        |timeframe| format!("/v2/stocks/bars?symbols=AAPL&timeframe={timeframe}&start=2005-01-03&end=2005-01-08");
    let json = get(&sim, &path("1Week")).await.json();
    let week = &json["bars"]["AAPL"][0];
    assert_eq!((week["t"].as_str(), week["o"].as_f64()), (Some("2005-01-03T05:00:00Z"), Some(64.78)));
    assert_eq!(get(&sim, &path("1Hour")).await.json()["bars"].as_object().unwrap().len(), 0);
}

#[test]
fn what_was_recorded_can_be_asked() {
    let series = Market::recorded(folder()).unwrap().recorded_series();
    let names: Vec<_> = series.iter().map(|series| (series.symbol.as_str(), series.timeframe, series.bars)).collect();
    assert_eq!(names, [("AAPL", Timeframe::D1, 61), ("IBM", Timeframe::D1, 61)]);
    assert_eq!(series[0].first.to_rfc3339(), "2005-01-03T05:00:00+00:00");
    assert_eq!(series[0].last.to_rfc3339(), "2005-03-31T05:00:00+00:00");
}

#[test]
fn a_malformed_file_is_named_with_its_line() {
    const HEADER: &str = "ts_utc,open,high,low,close,volume\n";
    const BAR: &str = "2005-01-03T05:00:00Z,10,11,9,10,100\n";
    for (name, rows, line, reason) in [
        ("aapl_d1.csv", vec![BAR, "2005-01-04T05:00:00Z,ten,11,9,10,100\n"], 3, "invalid float"),
        ("aapl_d1.csv", vec![BAR, "2005-01-04T05:00:00Z,10,11\n"], 3, "found record with 3 fields"),
        ("aapl_d1.csv", vec!["2005-01-03T05:00:00Z,10,8,9,10,100\n"], 2, "the high is below the low"),
        ("aapl_d1.csv", vec!["2005-01-03T05:00:00Z,NaN,11,9,10,100\n"], 2, "a number is not finite"),
        ("aapl_d1.csv", vec!["2005-01-03T00:00:00Z,10,11,9,10,100\n"], 2, "no d1 bar starts at"),
        ("aapl_d1.csv", vec![BAR, BAR], 3, "it does not start after the one before"),
        ("aapl_d1.csv", vec![], 1, "there is no bar"),
        ("aapl.csv", vec![BAR], 0, "its name does not begin with <symbol>_<timeframe>"),
        ("aapl_2d.csv", vec![BAR], 0, "invalid timeframe"),
        ("a a_d1.csv", vec![BAR], 0, "invalid symbol"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), HEADER.to_owned() + &rows.concat()).unwrap();
        let error = Market::recorded(folder.path()).unwrap_err();
        assert!(matches!(error, Error::MalformedRecord { line: at, .. } if at == line), "{error}");
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(reason), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn a_folder_without_recordings_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Market::recorded(folder.path()).unwrap_err().code(), "NO_RECORDS");
    assert_eq!(Market::recorded(folder.path().join("absent")).unwrap_err().code(), "UNREADABLE");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn without_its_feature_a_parquet_file_is_refused_and_not_left_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("aapl_d1.parquet"), b"PAR1").unwrap();
    let error = Market::recorded(folder.path()).unwrap_err();
    assert!(error.to_string().contains("with the feature `parquet`"), "{error}");
}
