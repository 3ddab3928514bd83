//! When New York trades, as CSV: one line a session, with its extended and its regular hours.
//!
//!     cargo run --example sessions -- --from 2024-01-01 --to 2024-12-31
use std::io::{self, Write};

use barkeep_calendar::{Calendar, Nyse};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use clap::Parser;

#[derive(Parser)]
#[command(about = "Prints the sessions of the New York Stock Exchange as CSV, times in UTC")]
struct Arguments {
    /// The first date, as in 2024-01-01.
    #[arg(long)]
    from: NaiveDate,
    /// The last date; itself included.
    #[arg(long)]
    to: NaiveDate,
}

fn main() -> io::Result<()> {
    let Arguments { from, to } = Arguments::parse();
    if from > to {
        eprintln!("nothing to print: --from {from} is after --to {to}");
        std::process::exit(2);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    writeln!(out, "session,pre_open_utc,open_utc,close_utc,post_close_utc")?;
    let dates = from.iter_days().take_while(|date| *date <= to);
    for session in dates.filter_map(|date| Nyse.session(date)) {
        let times = [session.pre_open(), session.open(), session.close(), session.post_close()].map(utc);
        writeln!(out, "{},{}", session.date(), times.join(","))?;
    }
    out.flush()
}

fn utc(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
