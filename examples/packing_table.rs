//! Requests of a plan beside the fewest possible: an empty store, a day's top-up, holes of every kind, a preset, and
//! symbols that seldom trade, by either reading of what a vendor's page holds.
//!
//!     cargo run --release --example packing_table -- --symbols 5000
use clap::Parser;

use scenarios::{HEAD, Model, scenarios};

// What the bench `packing` plans, as its source: an example should not build what benches compare barkeep with.
#[path = "../benches/scenarios.rs"]
mod scenarios;
#[path = "../benches/universe.rs"]
mod universe;
#[path = "../benches/vendor.rs"]
mod vendor;

/// Prints how many requests plans take beside the fewest possible.
#[derive(Parser)]
struct Options {
    /// The symbols of each universe but the preset; the bench plans 5000.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    symbols: u32,
}

fn main() {
    let Options { symbols } = Options::parse();
    println!("{symbols} symbols; docs/benchmarks.md has 5000. The fewer there are, the more a last page weighs.\n");
    println!("{HEAD}");
    for scenario in scenarios(symbols as usize) {
        for model in Model::ALL {
            println!("{}", scenario.pack(model));
        }
    }
}
