use barkeep_provider::Result;
use barkeep_types::Symbol;
use serde::Deserialize;

use crate::Alpaca;

/// What kind of instrument an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssetClass {
    /// Stocks and funds that trade in the US.
    Stock,
    /// Pairs like `BTC/USD`.
    Crypto,
}

/// An instrument that Alpaca lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// What it trades under.
    pub symbol: Symbol,
    /// What it is called; may be empty.
    pub name: String,
    /// Where it is listed: `NASDAQ`, `NYSE`, `ARCA`, `OTC`, ... An open set.
    pub exchange: String,
    /// Whether it is still listed.
    pub is_active: bool,
    /// Whether it can be traded with Alpaca.
    pub is_tradable: bool,
}

impl AssetClass {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Stock => "us_equity",
            Self::Crypto => "crypto",
        }
    }
}

#[derive(Deserialize)]
struct Row {
    symbol: String,
    name: Option<String>,
    exchange: Option<String>,
    status: String,
    #[serde(default)]
    tradable: bool,
}

impl Alpaca {
    /// Everything of a class that Alpaca lists or has listed: more than 10,000 stocks in one answer.
    ///
    /// What trades under a name that is no [`Symbol`] is left out.
    ///
    /// # Errors
    ///
    /// [`Error`](barkeep_provider::Error) as from a request for bars.
    pub async fn assets(&self, class: AssetClass) -> Result<Vec<Asset>> {
        let rows: Vec<Row> = self.get_trading(&["v2", "assets"], &[("asset_class", class.as_str())]).await?;
        let count = rows.len();
        let assets: Vec<Asset> = rows.into_iter().filter_map(asset).collect();
        if assets.len() < count {
            tracing::warn!(left_out = count - assets.len(), "assets under names that are no symbols");
        }
        Ok(assets)
    }

    /// The symbols of a class that are active and tradable and have bars, in order: a universe to keep filled.
    ///
    /// `exchanges` narrows it to some; none means all but `OTC`, whose bars need an entitlement. Stocks whose symbols
    /// have digits, `-` or `/` are left out as well: Alpaca lists some, and refuses them when asked for bars.
    ///
    /// # Errors
    ///
    /// [`Error`](barkeep_provider::Error) as from a request for bars.
    pub async fn universe(&self, class: AssetClass, exchanges: &[&str]) -> Result<Vec<Symbol>> {
        let is_listed = |asset: &Asset| match exchanges {
            [] => asset.exchange != "OTC",
            _ => exchanges.contains(&asset.exchange.as_str()),
        };
        let assets = self.assets(class).await?.into_iter();
        let wanted = assets.filter(|asset| asset.is_active && asset.is_tradable && is_listed(asset));
        let mut symbols: Vec<Symbol> =
            wanted.map(|asset| asset.symbol).filter(|symbol| class == AssetClass::Crypto || has_bars(symbol)).collect();
        symbols.sort_unstable();
        symbols.dedup();
        Ok(symbols)
    }
}

fn asset(row: Row) -> Option<Asset> {
    Some(Asset {
        symbol: row.symbol.parse().ok()?,
        name: row.name.unwrap_or_default(),
        exchange: row.exchange.unwrap_or_default(),
        is_active: row.status == "active",
        is_tradable: row.tradable,
    })
}

fn has_bars(stock: &Symbol) -> bool {
    stock.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_read_whatever_else_is_told_of_it() {
        let row: Row = serde_json::from_str(
            r#"{"id":"x","class":"us_equity","exchange":"MOON","symbol":"BRK.B","name":"Berkshire","status":"active",
                "tradable":true,"maintenance_margin_requirement":30,"margin_requirement_long":"30","attributes":["x"]}"#,
        )
        .unwrap();
        let asset = asset(row).unwrap();
        assert_eq!((asset.symbol.as_str(), asset.exchange.as_str()), ("BRK.B", "MOON"));
        assert!(asset.is_active && asset.is_tradable);
    }

    #[test]
    fn what_is_no_symbol_is_no_asset() {
        let row = r#"{"symbol":"NOT A SYMBOL","status":"active"}"#;
        assert_eq!(asset(serde_json::from_str(row).unwrap()), None);
    }

    #[test]
    fn stocks_that_are_refused_as_malformed_are_known() {
        let has_bars = |text: &str| has_bars(&text.parse().unwrap());
        assert!(has_bars("AAPL") && has_bars("BRK.B") && has_bars("BC.PRC"));
        assert!(!has_bars("3USL") && !has_bars("BRK-B") && !has_bars("A/B"));
    }
}
