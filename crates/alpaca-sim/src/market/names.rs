//! Well-known names, so that a simulator without any setting has something to serve.

use chrono::NaiveDate;

use super::Listing;

const STOCKS: &[&str] = &[
    "AAPL", "ABBV", "ABT", "ADBE", "ADI", "AMAT", "AMD", "AMGN", "AMT", "AMZN", "AVGO", "AXP", "BA", "BAC", "BLK",
    "BMY", "BRK.B", "C", "CAT", "CMCSA", "COP", "COST", "CRM", "CSCO", "CVS", "CVX", "DE", "DHR", "DIA", "DIS", "F",
    "FDX", "GE", "GILD", "GM", "GOOG", "GOOGL", "GS", "HD", "HON", "IBM", "INTC", "INTU", "IWM", "JNJ", "JPM", "KO",
    "LIN", "LLY", "LMT", "LOW", "LRCX", "MA", "MCD", "META", "MMM", "MRK", "MS", "MSFT", "MU", "NEE", "NFLX", "NKE",
    "NOW", "NVDA", "ORCL", "PEP", "PFE", "PG", "PM", "PYPL", "QCOM", "QQQ", "RTX", "SBUX", "SPY", "T", "TGT", "TMO",
    "TMUS", "TSLA", "TXN", "UNH", "UNP", "UPS", "V", "VZ", "WFC", "WMT", "XOM",
];

const COINS: &[&str] = &["BTC/USD", "ETH/USD", "LTC/USD", "SOL/USD"];

/// Symbol, first day under the new terms, new and old shares.
const SPLITS: &[(&str, &str, f64, f64)] = &[
    ("AAPL", "2020-08-31", 4.0, 1.0),
    ("AMZN", "2022-06-06", 20.0, 1.0),
    ("AVGO", "2024-07-15", 10.0, 1.0),
    ("GE", "2021-08-02", 1.0, 8.0),
    ("GOOG", "2022-07-18", 20.0, 1.0),
    ("GOOGL", "2022-07-18", 20.0, 1.0),
    ("LRCX", "2024-10-03", 10.0, 1.0),
    ("NVDA", "2021-07-20", 4.0, 1.0),
    ("NVDA", "2024-06-10", 10.0, 1.0),
    ("TSLA", "2020-08-31", 5.0, 1.0),
    ("TSLA", "2022-08-25", 3.0, 1.0),
    ("WMT", "2024-02-26", 3.0, 1.0),
];

pub(super) fn well_known() -> Vec<Listing> {
    STOCKS.iter().chain(COINS).map(|name| listing(name)).collect()
}

fn listing(name: &str) -> Listing {
    let symbol = |name: &str| name.parse().expect("a well-known name is a symbol");
    let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
    let splits = SPLITS.iter().filter(|(of, ..)| *of == name);
    let listing = splits
        .fold(Listing::new(symbol(name)), |listing, (_, day, new, old)| listing.with_split(date(day), *new, *old));
    if name == "META" { listing.renamed_from(symbol("FB"), date("2022-06-09")) } else { listing }
}
