//! The client against servers: polite ones, broken ones, and Alpaca's simulator.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod faults;
mod raw_server;
mod reference;
mod requests;
mod secrets;
mod simulated_faults;
mod simulator;
mod tls;

use barkeep_alpaca::{Alpaca, Credentials, Timeouts};
use barkeep_provider::BarsRequest;
use barkeep_types::{Feed, TimeRange, Timeframe};

/// A client of a server on loopback that loses its patience soon.
fn client(base_url: &str) -> Alpaca {
    let credentials = Credentials::new("canary-key", "canary-secret").unwrap();
    let [connect, read, total] = [2000, 300, 900].map(std::time::Duration::from_millis);
    Alpaca::new(credentials).with_base_url(base_url).unwrap().with_timeouts(Timeouts { connect, read, total })
}

/// Minute bars of one regular session.
fn request(symbols: &[&str]) -> BarsRequest {
    over(symbols, Timeframe::M1, "2024-03-04T14:30:00Z", "2024-03-04T21:00:00Z")
}

fn over(symbols: &[&str], timeframe: Timeframe, from: &str, to: &str) -> BarsRequest {
    let range = TimeRange::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap());
    BarsRequest::new(symbols, timeframe, Feed::SIP, range).unwrap()
}

/// A page of one bar of AAPL, and no more.
const PAGE: &str = r#"{"bars":{"AAPL":[{"t":"2024-03-04T14:30:00Z","o":1,"h":1,"l":1,"c":1,"v":1,"n":1,"vw":1}]},"next_page_token":null}"#;
