//! What storing a page costs, beside what it could cost at the least: every ratio against its limit, in one run.
//!
//!     cargo bench -p benches --bench store
//!     cargo bench -p benches --bench store -- --series 50 --pages 10
//!     cargo bench -p benches --bench store -- --long 10000 --wait-while /tmp/somebody-measures
//!
//! Everything lies in the temporary folder, which ought to be on a disk: where it lies is printed.
//! Wall times move with the machine; the ratios, the bytes and the server's CPU hardly do.

#[path = "store/long.rs"]
mod long;
#[path = "store/market.rs"]
mod market;
#[path = "store/postgres.rs"]
mod postgres;
#[path = "store/raw.rs"]
mod raw;
#[path = "store/reads.rs"]
mod reads;
#[path = "store/report.rs"]
mod report;
#[path = "store/server.rs"]
mod server;
#[path = "store/sqlite.rs"]
mod sqlite;
#[path = "store/watch.rs"]
mod watch;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, usual: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(usual)
    };
    // The gate only wants to know that it runs.
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let usual = if is_test { (2, 1, 1) } else { (10, 10, 5) };
    let size = postgres::Size {
        series: number("--series", usual.0),
        pages: number("--pages", usual.1),
        repetitions: number("--repetitions", usual.2),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let long = number("--long", 0);
    if long > 0 {
        let others = arguments.iter().position(|argument| argument == "--wait-while");
        let others = others.and_then(|at| arguments.get(at + 1)).map(std::path::PathBuf::from);
        return runtime.block_on(long::run(long, others));
    }
    runtime.block_on(async {
        sqlite::run(size.pages, size.repetitions).await;
        postgres::run(&size).await;
        if is_test {
            long::run(2, None).await;
        }
    });
}
