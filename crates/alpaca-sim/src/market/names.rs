//! Well-known names, so that a simulator without any setting has something to serve.

pub(super) const WELL_KNOWN: &[&str] = &[
    "AAPL", "ABBV", "ABT", "ADBE", "ADI", "AMAT", "AMD", "AMGN", "AMT", "AMZN", "AVGO", "AXP", "BA", "BAC", "BLK",
    "BMY", "BRK.B", "C", "CAT", "CMCSA", "COP", "COST", "CRM", "CSCO", "CVS", "CVX", "DE", "DHR", "DIA", "DIS", "F",
    "FDX", "GE", "GILD", "GM", "GOOG", "GOOGL", "GS", "HD", "HON", "IBM", "INTC", "INTU", "IWM", "JNJ", "JPM", "KO",
    "LIN", "LLY", "LMT", "LOW", "LRCX", "MA", "MCD", "META", "MMM", "MRK", "MS", "MSFT", "MU", "NEE", "NFLX", "NKE",
    "NOW", "NVDA", "ORCL", "PEP", "PFE", "PG", "PM", "PYPL", "QCOM", "QQQ", "RTX", "SBUX", "SPY", "T", "TGT", "TMO",
    "TMUS", "TSLA", "TXN", "UNH", "UNP", "UPS", "V", "VZ", "WFC", "WMT", "XOM", "BTC/USD", "ETH/USD", "SOL/USD",
    "LTC/USD",
];
