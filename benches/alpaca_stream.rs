//! Bars from end to end: Alpaca's client streams them from the simulator, each in a process of its own.
//!
//!     cargo bench -p benches --bench alpaca_stream
//!     benches/peers/alpaca-py/compare      # the same requests by Alpaca's official Python client, too
//!
//! With `ALPACA_SIM_URL` it asks a simulator that runs already. Without it starts one: itself, as `alpaca_stream serve`.
//! The simulator keeps its answers, and a first pass of the same requests is not timed, so that what is timed is the
//! client: the simulator no more than sends.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_provider::{BarsRequest, Limits, ProviderExt, RateLimited, Retrying};
use barkeep_types::{Feed, Symbol, TimeRange, Timeframe};
use benches::is_measuring;
use futures::{StreamExt, TryStreamExt};

const SYMBOLS: [&str; 10] = ["AAPL", "AMD", "AMZN", "GOOGL", "INTC", "META", "MSFT", "MU", "NVDA", "TSLA"];

/// What is fetched; `benches/peers/alpaca-py/stream.py` has the same.
struct Shape {
    name: &'static str,
    timeframe: Timeframe,
    /// Where the first and the last bar may start.
    span: (&'static str, &'static str),
    /// How many symbols a request asks for, and how many requests are under way at once.
    symbols: usize,
    at_once: usize,
}

const MONTH: (&str, &str) = ("2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z");
const DECADE: (&str, &str) = ("2016-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
const SHAPES: [Shape; 4] = [
    Shape { name: "m1", timeframe: Timeframe::M1, span: MONTH, symbols: 10, at_once: 1 },
    Shape { name: "m1-slices", timeframe: Timeframe::M1, span: MONTH, symbols: 1, at_once: 1 },
    Shape { name: "m1-slices-at-once", timeframe: Timeframe::M1, span: MONTH, symbols: 1, at_once: 5 },
    Shape { name: "d1", timeframe: Timeframe::D1, span: DECADE, symbols: 10, at_once: 1 },
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
        // The first run warms both sides up, and tells what the others must find.
        let (bars, ..) = stream(&alpaca, shape).await?;
        let (mut walls, mut processors) = (Vec::new(), Vec::new());
        for _ in 0..if is_measuring() { 5 } else { 1 } {
            let (count, wall, processor) = stream(&alpaca, shape).await?;
            assert_eq!(count, bars, "the same bars again");
            walls.push(wall);
            processors.push(processor);
        }
        let rate = |times: Vec<Duration>| bars as f64 / median(times).as_secs_f64();
        let (wall, processor) = (rate(walls), rate(processors));
        println!("stream barkeep {} {bars} bars {wall:.0} bars/s {processor:.0} bars/processor-s", shape.name);
    }
    Ok(())
}

/// Streams all bars of a shape; tells how many they are, and what wall and processor time they took.
async fn stream(alpaca: &impl ProviderExt, shape: &Shape) -> Result<(usize, Duration, Duration), Box<dyn Error>> {
    let symbols = SYMBOLS.iter().map(|symbol| symbol.parse()).collect::<Result<Vec<Symbol>, _>>()?;
    let range = TimeRange::new(shape.span.0.parse()?, shape.span.1.parse()?)?;
    let requests = symbols.chunks(shape.symbols).map(|symbols| {
        let request = BarsRequest::new(symbols.to_vec(), shape.timeframe, Feed::SIP, range)?;
        Ok(count(alpaca, request))
    });
    let requests = requests.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let (start, processor) = (Instant::now(), processor_time());
    let counts: Vec<usize> = futures::stream::iter(requests).buffered(shape.at_once).try_collect().await?;
    Ok((counts.into_iter().sum(), start.elapsed(), processor_time().saturating_sub(processor)))
}

/// How many bars the pages of a request hold.
async fn count(alpaca: &impl ProviderExt, request: BarsRequest) -> Result<usize, Box<dyn Error>> {
    let (mut pages, mut bars) = (alpaca.pages(request), 0);
    while let Some(page) = pages.try_next().await? {
        bars += std::hint::black_box(page).bar_count();
    }
    Ok(bars)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How long the threads of this process have run, as the system's scheduler counts it, in nanoseconds.
fn processor_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let told = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    told.filter_map(|told| told.split(' ').next()?.parse().ok()).map(Duration::from_nanos).sum()
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
    let sim = AlpacaSim::options().with_market(Market::new(1)).with_answers_kept(true).start().await?;
    writeln!(io::stdout(), "{}", sim.base_url())?;
    let end = tokio::task::spawn_blocking(|| io::stdin().lines().for_each(drop));
    end.await?;
    sim.shutdown().await;
    Ok(())
}
