use barkeep_export::arrow_array::cast::AsArray;
use barkeep_export::arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use barkeep_export::{batches, schema, write_csv, write_ipc};
use barkeep_types::TimeRange;
use futures::TryStreamExt;

use crate::support::{Bars, minutes, series};

#[tokio::test]
async fn batches_hold_every_bar_of_every_series_in_order() {
    let bars = Bars::new().await;
    let many = minutes("2023-01-02T00:00:00Z", 70_000);
    bars.put(&series("AAPL"), many.clone()).await;
    bars.put(&series("BRK.B"), minutes("2024-03-08T14:30:00Z", 5)).await;
    let asked = [series("BRK.B"), series("NONE"), series("AAPL")];
    let all: Vec<_> = batches(&bars.store, &asked, TimeRange::ALWAYS).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|batch| batch.num_rows()).collect::<Vec<_>>(), [65_536, 4_469]);
    let batch = &all[0];
    assert_eq!(batch.schema(), schema());
    let symbols = batch["symbol"]
        .as_dictionary::<Int32Type>()
        .downcast_dict::<barkeep_export::arrow_array::StringArray>()
        .unwrap();
    let symbols: Vec<_> = symbols.into_iter().take(7).map(Option::unwrap).collect();
    assert_eq!(symbols, ["BRK.B", "BRK.B", "BRK.B", "BRK.B", "BRK.B", "AAPL", "AAPL"]);
    let starts = batch["starts_at"].as_primitive::<TimestampMicrosecondType>();
    let (close, vwap) = (batch["close"].as_primitive::<Float64Type>(), batch["vwap"].as_primitive::<Float64Type>());
    let counts = batch["trade_count"].as_primitive::<Int64Type>();
    for (row, bar) in many.iter().take(65_531).enumerate() {
        assert_eq!(starts.value(5 + row), bar.start.timestamp_micros());
        assert_eq!(close.value(5 + row).to_bits(), bar.close.to_bits());
        assert_eq!(vwap.iter().nth(5).unwrap(), many[0].vwap);
        assert_eq!(counts.iter().nth(5).unwrap(), many[0].trade_count.map(u64::cast_signed));
    }
}

#[tokio::test]
async fn an_ipc_stream_is_whole_even_without_bars() {
    let bars = Bars::new().await;
    let mut empty = Vec::new();
    assert_eq!(write_ipc(&bars.store, &[], TimeRange::ALWAYS, &mut empty).await.unwrap(), 0);
    // The end of a stream: a continuation marker and no length.
    assert!(empty.len() > 100 && empty.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
}

#[tokio::test]
async fn csv_is_as_rfc_4180_has_it() {
    let bars = Bars::new().await;
    let adjusted = barkeep_types::Series { adjustment: "split,dividend".parse().unwrap(), ..series("BTC/USD") };
    let mut two = minutes("2024-03-08T14:30:00Z", 2);
    two[1].low = 1e-7;
    bars.put(&adjusted, two).await;
    let mut text = Vec::new();
    assert_eq!(write_csv(&bars.store, &[adjusted], TimeRange::ALWAYS, &mut text).await.unwrap(), 2);
    let lines = [
        "symbol,timeframe,feed,adjustment,starts_at,open,high,low,close,volume,vwap,trade_count",
        "BTC/USD,m1,sip,\"split,dividend\",2024-03-08T14:30:00Z,170,170.5,169.5,170,1000,,",
        "BTC/USD,m1,sip,\"split,dividend\",2024-03-08T14:31:00Z,170.01,170.51,0.0000001,170.01,1001,170.01,1",
        "",
    ];
    assert_eq!(String::from_utf8(text).unwrap(), lines.join("\r\n"));
}

#[tokio::test]
async fn a_sink_that_fails_is_told_of() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let bars = Bars::new().await;
    bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 500)).await;
    let asked = [series("AAPL")];
    let error = write_csv(&bars.store, &asked, TimeRange::ALWAYS, Full).await.unwrap_err();
    assert_eq!(error.code(), "STORAGE_FULL");
    let error = write_ipc(&bars.store, &asked, TimeRange::ALWAYS, Full).await.unwrap_err();
    assert_eq!(error.code(), "STORAGE_FULL");
}
