//! Whatever is sent, a client's memory stays bounded: measured as the system sees it, in a process of its own.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::fs;

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Fault, WireFault};
use barkeep_provider::{BarsRequest, Provider};
use barkeep_types::{Feed, TimeRange, Timeframe};

const MEBIBYTE: u64 = 1 << 20;

/// A number of `/proc/self/status`, in bytes.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// How much more memory was resident at the worst moment than at the start.
async fn growth<T>(work: impl Future<Output = T>) -> (u64, T) {
    // From now on the peak is that of what follows.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");
    let result = work.await;
    (status("VmHWM").saturating_sub(before), result)
}

/// One test, since another beside it would be measured as well.
#[tokio::test]
async fn memory_stays_bounded_under_bombs() {
    // The measure measures.
    let (grown, _) = growth(async { std::hint::black_box(vec![1_u8; 128 << 20]).len() }).await;
    assert!(grown > 127 * MEBIBYTE, "{grown}");

    let sim = AlpacaSim::options().start().await.unwrap();
    let credentials = Credentials::new("key", "secret").unwrap();
    let alpaca = Alpaca::new(credentials).with_base_url(&sim.base_url()).unwrap();
    let day = TimeRange::new("2024-03-04T14:30:00Z".parse().unwrap(), "2024-03-04T21:00:00Z".parse().unwrap()).unwrap();
    let request = BarsRequest::new(["AAPL".parse().unwrap()], Timeframe::M1, Feed::SIP, day).unwrap();
    let page = || alpaca.page(&request, None);
    let (grown, result) = growth(page()).await;
    assert!(result.is_ok() && grown < 16 * MEBIBYTE, "{grown}");

    // The simulator makes its bombs in small pieces, as this process is its own too.
    let bombs: [(Fault, &str); 5] = [
        (WireFault::GzipBomb(128 << 20).into(), "RESPONSE_TOO_LARGE"),
        (WireFault::HugePage(10_000_000).into(), "RESPONSE_TOO_LARGE"),
        (AnswerFault::DeepNesting(10_000).into(), "BAD_RESPONSE"),
        (AnswerFault::DeepNesting(4 << 20).into(), "BAD_RESPONSE"),
        (AnswerFault::LongString(1_000_000).into(), "BAD_RESPONSE"),
    ];
    for (bomb, code) in bombs {
        let shown = format!("{bomb:?}");
        sim.inject(bomb);
        let (grown, result) = growth(page()).await;
        assert_eq!(result.unwrap_err().code(), code, "{shown}");
        // A response is read up to 32 MiB, into a buffer that grows by doubling.
        assert!(grown < 64 * MEBIBYTE, "{shown} took {} MiB", grown / MEBIBYTE);
    }
}
