use barkeep_types::{Adjustment, Feed, Timeframe};
use chrono::NaiveTime;
use chrono_tz::America::New_York;

use super::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn range(from: &str, to: &str) -> TimeRange {
    let at = |day: &str| format!("{day}T00:00:00Z").parse().unwrap();
    TimeRange::new(at(from), at(to)).unwrap()
}

fn series(symbol: &str, timeframe: Timeframe) -> Series {
    Series { symbol: symbol.parse().unwrap(), timeframe, feed: Feed::SIP, adjustment: Adjustment::RAW }
}

fn listing(symbol: &str) -> Listing {
    Listing::new(symbol.parse().unwrap())
}

#[test]
fn the_same_seed_gives_the_same_bars_and_another_seed_others() {
    let asked = (series("MU", Timeframe::M1), range("2024-03-04", "2024-03-05"));
    let truth = |seed| Market::new(seed).truth(&asked.0, asked.1);
    assert_eq!(truth(1), truth(1));
    assert_ne!(truth(1), truth(2));
}

#[test]
fn every_bar_of_every_timeframe_is_possible() {
    let market = Market::new(5).with_listing(listing("THIN").with_liquidity(0.02).with_price(0.4));
    for symbol in ["AAPL", "THIN", "BTC/USD"] {
        for timeframe in Timeframe::ALL {
            let bars = market.truth(&series(symbol, timeframe), range("2024-02-26", "2024-04-02"));
            assert!(!bars.is_empty(), "{symbol} {timeframe}");
            for bar in &bars {
                assert_eq!(bar.check(), Ok(()), "{symbol} {timeframe} {bar:?}");
            }
            assert!(bars.windows(2).all(|pair| pair[0].start < pair[1].start), "{symbol} {timeframe}");
        }
    }
}

#[test]
fn even_liquid_names_miss_minutes_and_thin_ones_most() {
    let market = Market::new(1).with_listing(listing("THIN").with_liquidity(0.02));
    let minutes = |symbol| market.truth(&series(symbol, Timeframe::M1), range("2024-03-04", "2024-03-09")).len();
    let (liquid, thin) = (minutes("AAPL"), minutes("THIN"));
    assert!((3000..5 * 960).contains(&liquid) && (20..150).contains(&thin), "{liquid} {thin}");
}

#[test]
fn stocks_trade_before_and_after_regular_hours_in_winter_and_summer() {
    let (open, close) = (NaiveTime::from_hms_opt(9, 30, 0).unwrap(), NaiveTime::from_hms_opt(16, 0, 0).unwrap());
    let (first, last) = (NaiveTime::from_hms_opt(4, 0, 0).unwrap(), NaiveTime::from_hms_opt(20, 0, 0).unwrap());
    for (from, to) in [("2024-03-04", "2024-03-06"), ("2024-07-01", "2024-07-03")] {
        let bars = Market::new(1).truth(&series("AAPL", Timeframe::M1), range(from, to));
        let times: Vec<_> = bars.iter().map(|bar| bar.start.with_timezone(&New_York).time()).collect();
        assert!(times.iter().all(|time| (first..last).contains(time)), "{from}");
        let share = |from, to| times.iter().filter(|time| (from..to).contains(*time)).count() * 100 / times.len();
        assert!(share(first, open) > 10 && share(close, last) > 10 && share(open, close) > 35, "{from}");
    }
}

#[test]
fn coins_trade_on_sundays_in_fractions_and_by_utc() {
    let (market, sunday) = (Market::new(1), range("2024-03-03", "2024-03-04"));
    let hours = market.truth(&series("BTC/USD", Timeframe::H1), sunday);
    assert_eq!((hours.len(), hours.iter().any(|bar| bar.volume.fract() > 0.0)), (24, true));
    let day = market.truth(&series("BTC/USD", Timeframe::D1), sunday);
    assert_eq!(day.iter().map(|bar| bar.start).collect::<Vec<_>>(), [sunday.start()]);
}

#[test]
fn one_exchange_sees_few_shares_and_not_every_minute() {
    let (market, day) = (Market::new(1), range("2024-03-04", "2024-03-05"));
    let seen = |feed| {
        let bars = market.truth(&Series { feed, ..series("AAPL", Timeframe::M1) }, day);
        (bars.len() as f64, bars.iter().map(|bar| bar.volume).sum::<f64>())
    };
    let (tape, exchange) = (seen(Feed::SIP), seen(Feed::IEX));
    assert!(exchange.0 < tape.0 * 0.95 && exchange.0 > tape.0 * 0.5, "{exchange:?} of {tape:?}");
    assert!(exchange.1 < tape.1 * 0.1 && exchange.1 > 0.0, "{exchange:?} of {tape:?}");
}

#[test]
fn a_daily_bar_is_not_the_sum_of_its_minutes() {
    let market = Market::new(1);
    let day = market.truth(&series("AAPL", Timeframe::D1), range("2024-03-04", "2024-03-05"))[0];
    let hours = market.truth(&series("AAPL", Timeframe::H1), range("2024-03-04", "2024-03-05"));
    let volume: f64 = hours.iter().map(|bar| bar.volume).sum();
    assert!((day.volume - volume).abs() > 1.0 && (day.volume / volume - 1.0).abs() < 0.2, "{day:?} {volume}");
    assert_eq!(day.start.to_rfc3339(), "2024-03-04T05:00:00+00:00");
}

#[test]
fn some_averages_lie_outside_of_low_and_high() {
    let bars = Market::new(1).truth(&series("AAPL", Timeframe::M1), range("2024-03-04", "2024-03-16"));
    let outside = bars.iter().filter(|bar| bar.vwap.unwrap() > bar.high).count();
    assert!((1..bars.len() / 100).contains(&outside), "{outside}");
}

#[test]
fn the_running_bar_is_served_as_far_as_it_got() {
    let market = Market::new(1);
    let (hour, day) = (series("AAPL", Timeframe::H1), range("2024-03-04", "2024-03-05"));
    let now = "2024-03-04T15:30:00Z".parse().unwrap();
    let (running, whole) = (market.truth_at(&hour, day, now), market.truth(&hour, day));
    let last = running.last().unwrap();
    assert_eq!(last.start.to_rfc3339(), "2024-03-04T15:00:00+00:00");
    let same = whole.iter().find(|bar| bar.start == last.start).unwrap();
    assert!(last.open == same.open && last.volume < same.volume);
    let daily = series("AAPL", Timeframe::D1);
    assert!(market.truth_at(&daily, day, now)[0].volume < market.truth(&daily, day)[0].volume);
}

#[test]
fn a_split_rewrites_adjusted_history_and_no_raw_one() {
    let market = Market::empty(1).with_listing(listing("AA").with_split(date("2024-06-10"), 10.0, 1.0));
    let raw = series("AA", Timeframe::D1);
    let split = Series { adjustment: Adjustment::SPLIT, ..raw.clone() };
    let days = range("2024-06-03", "2024-06-15");
    let before = "2024-06-08T00:00:00Z".parse().unwrap();

    let prices: Vec<f64> = market.truth(&raw, days).iter().map(|bar| bar.close).collect();
    assert!(prices[4] / prices[5] > 8.0, "{prices:?}");
    let adjusted = market.truth(&split, days);
    assert!(adjusted.windows(2).all(|pair| (pair[0].close / pair[1].close - 1.0).abs() < 0.2));
    assert_eq!(adjusted[0].volume, market.truth(&raw, days)[0].volume * 10.0);
    assert_eq!(market.truth_at(&split, days, before), market.truth_at(&raw, days, before));
}

#[test]
fn a_dividend_and_a_spin_off_rewrite_the_history_that_is_adjusted_for_them() {
    let market = Market::empty(1)
        .with_listing(listing("PAID").with_price(100.0).with_dividend(date("2024-06-10"), 5.0))
        .with_listing(listing("SPUN").with_price(100.0).with_spin_off(
            date("2024-06-10"),
            "NEW".parse().unwrap(),
            20.0,
        ));
    let days = range("2024-06-03", "2024-06-15");
    for (symbol, telling, other) in
        [("PAID", Adjustment::DIVIDEND, Adjustment::SPIN_OFF), ("SPUN", Adjustment::SPIN_OFF, Adjustment::DIVIDEND)]
    {
        let closes = |adjustment| -> Vec<f64> {
            let series = Series { adjustment, ..series(symbol, Timeframe::D1) };
            market.truth(&series, days).iter().map(|bar| bar.close).collect()
        };
        let raw = closes(Adjustment::RAW);
        assert_eq!((closes(other), closes(Adjustment::SPLIT)), (raw.clone(), raw.clone()), "{symbol}");
        for adjusted in [closes(telling), closes(Adjustment::ALL)] {
            assert!(adjusted[..5].iter().zip(&raw).all(|(adjusted, raw)| *adjusted < raw * 0.97), "{symbol}");
            assert_eq!(adjusted[5..], raw[5..], "{symbol}: nothing changes from the day on");
        }
    }
}

#[test]
fn a_rename_moves_history_and_asof_decides_whose() {
    let market = Market::empty(1)
        .with_listing(listing("META").renamed_from("FB".parse().unwrap(), date("2022-06-09")))
        .with_listing(listing("FB").listed_from(date("2023-06-01")));
    let days = |symbol: &str, asof: Asof| -> Vec<String> {
        let view = View { venue: Venue::SIP, adjustment: Adjustment::RAW, asof, now: 1_700_000_000, settling: 0 };
        let tape = market.tape(&symbol.parse().unwrap(), view).unwrap();
        let (from, to) = (1_654_560_000, 1_686_009_600); // 2022-06-07 to 2023-06-06.
        let bars = Bars::of(&tape, Span::Day, from, to, Order::Ascending);
        let mut days: Vec<_> = bars.map(|made| made.candle.bar().start.date_naive().to_string()).collect();
        days.dedup();
        vec![days[0].clone(), days[days.len() - 1].clone()]
    };
    let asof = |day| Asof::Date(date(day));
    assert_eq!(days("META", Asof::Today), ["2022-06-07", "2023-06-05"]);
    assert_eq!(days("META", Asof::Unmapped), ["2022-06-09", "2023-06-05"]);
    assert_eq!(days("FB", Asof::Today), ["2023-06-01", "2023-06-05"]);
    assert_eq!(days("FB", asof("2022-06-09")), ["2022-06-07", "2023-06-05"]);
    // Nobody held it then: the symbol alone, whoever used it.
    assert_eq!(days("FB", asof("2022-12-01")), ["2022-06-07", "2023-06-05"]);
    assert_eq!(days("META", asof("2022-06-09")), ["2022-06-09", "2023-06-05"]);
}

#[test]
fn nothing_trades_in_a_halt_before_the_listing_or_after_the_delisting() {
    let halt =
        TimeRange::new("2024-03-05T15:00:00Z".parse().unwrap(), "2024-03-05T16:00:00Z".parse().unwrap()).unwrap();
    let market = Market::empty(1)
        .with_listing(listing("AA").listed_from(date("2024-03-05")).listed_until(date("2024-03-06")).with_halt(halt));
    let bars = market.truth(&series("AA", Timeframe::H1), range("2024-03-01", "2024-03-10"));
    let days: BTreeSet<String> = bars.iter().map(|bar| bar.start.date_naive().to_string()).collect();
    assert_eq!(days.into_iter().collect::<Vec<_>>(), ["2024-03-05", "2024-03-06", "2024-03-07"]);
    assert!(bars.iter().all(|bar| !halt.contains(bar.start)));
    assert!(bars.last().unwrap().start < "2024-03-07T01:00:00Z".parse::<DateTime<Utc>>().unwrap());
}

#[test]
fn a_hole_is_mended_in_time() {
    let hole = range("2024-03-05", "2024-03-06");
    let mended = "2025-01-01T00:00:00Z".parse().unwrap();
    let market = Market::empty(1).with_listing(listing("AA").with_hole(hole, mended));
    let minutes = series("AA", Timeframe::M1);
    let bars = |now: DateTime<Utc>| market.truth_at(&minutes, hole, now).len();
    assert_eq!(bars(mended - chrono::TimeDelta::seconds(1)), 0);
    assert!(bars(mended) > 700);
}

#[test]
fn history_starts_where_the_vendor_has_it() {
    let first =
        |market: &Market| market.truth(&series("KO", Timeframe::D1), range("2010-01-01", "2016-02-01"))[0].start;
    assert_eq!(first(&Market::new(1)).to_rfc3339(), "2016-01-04T05:00:00+00:00");
    let older = Market::new(1).with_history_start(date("2010-02-01"));
    assert_eq!(first(&older).to_rfc3339(), "2010-02-01T05:00:00+00:00");
}
