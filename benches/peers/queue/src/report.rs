//! Medians over rounds, as a table and as ratios.

use std::collections::BTreeMap;

use crate::meter::Cost;

/// What the rounds found out, by peer and by what was done.
#[derive(Default)]
pub struct Report {
    figures: BTreeMap<(&'static str, What), Vec<Figure>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Enqueue,
    Drain,
}

/// One round's.
#[derive(Clone, Copy, Debug)]
struct Figure {
    rate: f64,
    server_us: f64,
    client_us: f64,
    wal_bytes: f64,
    others: f64,
}

impl Report {
    pub fn add(&mut self, peer: &'static str, what: What, jobs: usize, cost: Cost) {
        let each = |whole: f64| whole / jobs as f64;
        let figure = Figure {
            rate: jobs as f64 / cost.time.as_secs_f64(),
            server_us: each(cost.server.as_secs_f64() * 1e6),
            client_us: each(cost.client.as_secs_f64() * 1e6),
            wal_bytes: each(cost.wal_bytes as f64),
            others: cost.others.as_secs_f64() / (cost.server + cost.client + cost.others).as_secs_f64().max(0.01),
        };
        println!(
            "{peer:<28} {what:?} {:>7.0} jobs/s  {:>6.1} us server  {:>6.1} us client  {:>6.0} B WAL  {:>3.0} % others",
            figure.rate,
            figure.server_us,
            figure.client_us,
            figure.wal_bytes,
            100.0 * figure.others
        );
        self.figures.entry((peer, what)).or_default().push(figure);
    }

    /// A row a peer, in the form that docs/benchmarks.md has.
    pub fn print_table(&self, peers: &[&'static str]) {
        println!(
            "\n| queue | enqueue jobs/s | drain jobs/s (least to most) | server CPU us/job | client CPU us/job | WAL B/job |"
        );
        println!("|---|--:|--:|--:|--:|--:|");
        for peer in peers {
            let (added, drained) = (self.of(peer, What::Enqueue), self.of(peer, What::Drain));
            if drained.is_empty() {
                continue;
            }
            let rates = sorted(drained.iter().map(|figure| figure.rate));
            println!(
                "| {peer} | {:.0} | {:.0} ({:.0} to {:.0}) | {:.0} | {:.0} | {:.0} |",
                median(added.iter().map(|figure| figure.rate)),
                median(rates.iter().copied()),
                rates[0],
                rates[rates.len() - 1],
                median(drained.iter().map(|figure| figure.server_us)),
                median(drained.iter().map(|figure| figure.client_us)),
                median(drained.iter().map(|figure| figure.wal_bytes)),
            );
        }
        println!();
    }

    /// How many times as fast `ours` was, round by round: the median, and from where to where.
    pub fn print_ratio(&self, name: &str, what: What, ours: &'static str, theirs: &'static str) {
        let pairs = self.of(ours, what).iter().zip(self.of(theirs, what));
        let ratios = sorted(pairs.map(|(ours, theirs)| ours.rate / theirs.rate));
        if let (Some(least), Some(most)) = (ratios.first(), ratios.last()) {
            println!("ratio queue/{name} {:.4}", median(ratios.iter().copied()));
            println!("      from {least:.2} to {most:.2} in {} rounds", ratios.len());
        }
    }

    /// The fastest of some peers.
    pub fn best(&self, peers: &[&'static str]) -> &'static str {
        let rate = |peer: &&'static str| median(self.of(peer, What::Drain).iter().map(|figure| figure.rate));
        peers.iter().copied().max_by(|one, other| rate(one).total_cmp(&rate(other))).unwrap_or_default()
    }

    fn of(&self, peer: &str, what: What) -> &[Figure] {
        let found = self.figures.iter().find(|((name, did), _)| *name == peer && *did == what);
        found.map_or(&[], |(_, figures)| figures)
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let values = sorted(values);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
