//! Bars from end to end: Alpaca's client streams them from the simulator, each in a process of its own.
//!
//!     cargo bench -p benches --bench alpaca_stream
//!     benches/peers/alpaca-py/compare      # the same requests by Alpaca's official Python client, too
//!
//! With `ALPACA_SIM_URL` it asks a simulator that runs already. Without it starts one: itself, as `alpaca_stream serve`.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_provider::{BarsRequest, Limits, ProviderExt, RateLimited, Retrying};
use barkeep_types::{Feed, Symbol, TimeRange, Timeframe};
use benches::is_measuring;
use futures::TryStreamExt;

const SYMBOLS: [&str; 10] = ["AAPL", "AMD", "AMZN", "GOOGL", "INTC", "META", "MSFT", "MU", "NVDA", "TSLA"];
/// A name, a timeframe, and where the first and the last bar may start: `benches/peers/alpaca-py/stream.py` has the same.
const SHAPES: [(&str, Timeframe, &str, &str); 2] = [
    ("m1", Timeframe::M1, "2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z"),
    ("d1", Timeframe::D1, "2016-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some_and(|argument| argument == "serve") {
        return serve().await;
    }
    let given = std::env::var("ALPACA_SIM_URL").ok();
    let started = if given.is_none() { Some(Simulator::start()?) } else { None };
    let url = given.or_else(|| Some(started.as_ref()?.url.clone())).unwrap_or_default();
    let alpaca = Alpaca::new(Credentials::new("key", "secret")?).with_base_url(&url)?;
    // The simulator knows no limit, so that nothing but work takes time; the wrappers are there, as in any use.
    let alpaca = Retrying::new(RateLimited::new(alpaca.with_limits(Limits::new(10_000))));
    for shape in &SHAPES {
        let runs = if is_measuring() { 5 } else { 1 };
        // The first run warms both sides up, and tells what the others must find.
        let (bars, ..) = stream(&alpaca, shape).await?;
        let mut best: Option<(Duration, Duration)> = None;
        for _ in 0..runs {
            let (count, wall, processor) = stream(&alpaca, shape).await?;
            assert_eq!(count, bars, "the same bars again");
            best = best.filter(|(best, _)| *best <= wall).or(Some((wall, processor)));
        }
        let (wall, processor) = best.unwrap_or_default();
        let rate = |time: Duration| bars as f64 / time.as_secs_f64();
        println!(
            "stream barkeep {} {bars} bars {:.0} bars/s {:.0} bars/processor-s",
            shape.0,
            rate(wall),
            rate(processor)
        );
    }
    Ok(())
}

/// Streams all bars of a shape; tells how many they are, and what wall and processor time they took.
async fn stream(
    alpaca: &impl ProviderExt,
    (_, timeframe, from, to): &(&str, Timeframe, &str, &str),
) -> Result<(usize, Duration, Duration), Box<dyn Error>> {
    let symbols = SYMBOLS.iter().map(|symbol| symbol.parse()).collect::<Result<Vec<Symbol>, _>>()?;
    let range = TimeRange::new(from.parse()?, to.parse()?)?;
    let request = BarsRequest::new(symbols, *timeframe, Feed::SIP, range)?;
    let (start, processor, mut count) = (Instant::now(), processor_time(), 0);
    let mut pages = alpaca.pages(request);
    while let Some(page) = pages.try_next().await? {
        count += std::hint::black_box(page).bar_count();
    }
    Ok((count, start.elapsed(), processor_time().saturating_sub(processor)))
}

/// How long this process has run, its threads together, in the system's ticks of a hundredth of a second.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, which may hold anything, ends with the last parenthesis; user and system time come 12th after it.
    let ticks = told.rsplit(')').next().map(|rest| rest.split_whitespace().skip(11).take(2));
    let ticks: u64 = ticks.into_iter().flatten().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// The simulator in a process of its own, which ends with its standard input.
struct Simulator {
    url: String,
    _input: ChildStdin,
    process: Child,
}

impl Simulator {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (process.stdin.take().ok_or("no input")?, process.stdout.take().ok_or("no output")?);
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url)?;
        Ok(Self { url: url.trim_end().to_owned(), _input: input, process })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let sim = AlpacaSim::options().with_market(Market::new(1)).start().await?;
    writeln!(io::stdout(), "{}", sim.base_url())?;
    let end = tokio::task::spawn_blocking(|| io::stdin().lines().for_each(drop));
    end.await?;
    sim.shutdown().await;
    Ok(())
}
