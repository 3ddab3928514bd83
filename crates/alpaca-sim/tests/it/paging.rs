//! Pages: sorted by symbol and then by time, limited over all symbols, and complete only all together.

use barkeep_alpaca_sim::AlpacaSim;
use barkeep_types::{Adjustment, Bar, Feed, Series, TimeRange, Timeframe};
use serde_json::Value;

use crate::http::{encoded, get};

fn bar(json: &Value) -> Bar {
    let number = |name: &str| json[name].as_f64().unwrap();
    Bar {
        start: json["t"].as_str().unwrap().parse().unwrap(),
        open: number("o"),
        high: number("h"),
        low: number("l"),
        close: number("c"),
        volume: number("v"),
        vwap: json["vw"].as_f64(),
        trade_count: json["n"].as_u64(),
    }
}

type Page = Vec<(String, Vec<Bar>)>;

/// All pages of a request, in order.
async fn pages(sim: &AlpacaSim, query: &str) -> Vec<Page> {
    let (mut pages, mut next) = (Vec::new(), String::new());
    loop {
        let response = get(sim, &format!("/v2/stocks/bars?{query}{next}")).await;
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
        let json = response.json();
        let bars = json["bars"].as_object().unwrap().iter();
        pages.push(
            bars.map(|(symbol, bars)| (symbol.clone(), bars.as_array().unwrap().iter().map(bar).collect())).collect(),
        );
        match json["next_page_token"].as_str() {
            Some(token) => next = format!("&page_token={}", encoded(token)),
            None => return pages,
        }
    }
}

fn of<'pages>(pages: &'pages [Page], symbol: &'pages str) -> impl Iterator<Item = &'pages Bar> {
    pages.iter().flatten().filter(move |(name, _)| name == symbol).flat_map(|(_, bars)| bars)
}

fn truth(sim: &AlpacaSim, symbol: &str, timeframe: Timeframe, from: &str, to: &str) -> Vec<Bar> {
    let series = Series { symbol: symbol.parse().unwrap(), timeframe, feed: Feed::SIP, adjustment: Adjustment::RAW };
    sim.market().truth(&series, TimeRange::new(from.parse().unwrap(), to.parse().unwrap()).unwrap())
}

#[tokio::test]
async fn the_first_page_may_hold_the_first_symbol_only() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let pages =
        pages(&sim, "symbols=TSLA,AAPL,MSFT&timeframe=1Min&start=2024-03-04T00:00:00Z&end=2024-03-06T00:00:00Z").await;
    assert_eq!(pages[0].iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>(), ["AAPL"]);
    assert!(pages[..pages.len() - 1].iter().all(|page| page.iter().map(|(_, bars)| bars.len()).sum::<usize>() == 1000));
    for symbol in ["AAPL", "MSFT", "TSLA"] {
        let stored: Vec<Bar> = of(&pages, symbol).copied().collect();
        assert_eq!(
            stored,
            truth(&sim, symbol, Timeframe::M1, "2024-03-04T00:00:00Z", "2024-03-06T00:00:01Z"),
            "{symbol}"
        );
    }
}

#[tokio::test]
async fn in_either_order_the_pages_together_are_the_truth() {
    let sim = AlpacaSim::options().with_source_bars_a_page(Some(700)).start().await.unwrap();
    for (wire, timeframe) in [("15Min", Timeframe::M15), ("4Hour", Timeframe::H4), ("1Week", Timeframe::W1)] {
        let query =
            format!("symbols=MU,F&timeframe={wire}&start=2024-02-26T00:00:00Z&end=2024-03-12T00:00:00Z&limit=7");
        for order in ["asc", "desc"] {
            let pages = pages(&sim, &format!("{query}&sort={order}")).await;
            for symbol in ["F", "MU"] {
                let mut stored: Vec<Bar> = of(&pages, symbol).copied().collect();
                if order == "desc" {
                    stored.reverse();
                }
                let truth = truth(&sim, symbol, timeframe, "2024-02-26T00:00:00Z", "2024-03-12T00:00:01Z");
                assert_eq!(stored, truth, "{symbol} {query} {order}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_of_a_derived_timeframe_ends_after_ten_thousand_source_minutes() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let query = "symbols=AAPL&timeframe=1Hour&start=2023-01-01T00:00:00Z&end=2023-12-31T00:00:00Z&limit=10000";
    let sizes: Vec<usize> = pages(&sim, query).await.iter().map(|page| page[0].1.len()).collect();
    assert!(sizes.len() > 15 && sizes[..sizes.len() - 1].iter().all(|size| (167..260).contains(size)), "{sizes:?}");

    let long = AlpacaSim::options().with_source_bars_a_page(None).start().await.unwrap();
    assert_eq!(pages(&long, query).await.len(), 1);
}

#[tokio::test]
async fn a_page_cut_inside_a_bar_leaves_the_rest_to_the_next() {
    let sim =
        AlpacaSim::options().with_source_bars_a_page(Some(100)).with_pages_cut_inside_bars(true).start().await.unwrap();
    let pages = pages(&sim, "symbols=AAPL&timeframe=1Hour&start=2024-03-04T14:00:00Z&end=2024-03-04T18:00:00Z").await;
    let (first, second) = (pages[0][0].1.last().unwrap(), pages[1][0].1[0]);
    assert_eq!(first.start, second.start);
    let whole = truth(&sim, "AAPL", Timeframe::H1, "2024-03-04T15:00:00Z", "2024-03-04T16:00:00Z")[0];
    assert_eq!((first.open, second.close, first.volume + second.volume), (whole.open, whole.close, whole.volume));
}

#[tokio::test]
async fn an_exactly_full_last_page_may_carry_a_token_to_an_empty_one() {
    let query = "symbols=AAPL&timeframe=1Day&start=2024-03-04&end=2024-03-08&limit=5";
    let plain = AlpacaSim::options().start().await.unwrap();
    assert_eq!(pages(&plain, query).await.len(), 1);
    let teasing = AlpacaSim::options().with_token_on_full_last_page(true).start().await.unwrap();
    let pages = pages(&teasing, query).await;
    assert_eq!((pages.len(), pages[0][0].1.len(), pages[1].len()), (2, 5, 0));
}
