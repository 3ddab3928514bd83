//! Lines, medians over rounds, and ratios taken within a round.

use std::collections::BTreeMap;

use benches::median;

use crate::meter::Cost;

/// What the rounds found out, by what was done.
#[derive(Default)]
pub struct Report {
    figures: BTreeMap<&'static str, Vec<Figure>>,
}

#[derive(Clone, Copy, Debug)]
struct Figure {
    rate: f64,
    server_us: f64,
    wal_bytes: f64,
}

impl Report {
    pub fn add(&mut self, name: &'static str, jobs: usize, cost: Cost) {
        let each = |whole: f64| whole / jobs as f64;
        let figure = Figure {
            rate: jobs as f64 / cost.time.as_secs_f64(),
            server_us: each(cost.server.as_secs_f64() * 1e6),
            wal_bytes: each(cost.wal_bytes as f64),
        };
        let busy = (cost.server + cost.client + cost.others).as_secs_f64().max(0.01);
        println!(
            "{name:<44} {:>8.0} jobs/s {:>6.1} us server {:>6.1} us client {:>6.0} B WAL {:>3.0} % others",
            figure.rate,
            figure.server_us,
            each(cost.client.as_secs_f64() * 1e6),
            figure.wal_bytes,
            100.0 * cost.others.as_secs_f64() / busy,
        );
        self.figures.entry(name).or_default().push(figure);
    }

    /// How many times as fast `ours` was, round by round: the median, and from where to where.
    pub fn print_ratio(&self, name: &str, ours: &'static str, theirs: &'static str, at_least: f64) {
        let rates = |name| self.of(name).iter().map(|figure| figure.rate);
        let ratios: Vec<f64> = rates(ours).zip(rates(theirs)).map(|(ours, theirs)| ours / theirs).collect();
        let (least, most) =
            (ratios.iter().copied().fold(f64::NAN, f64::min), ratios.iter().copied().fold(f64::NAN, f64::max));
        benches::print_ratio(&format!("queue/{name}"), median(ratios.iter().copied()));
        println!("      {at_least} wanted; from {least:.2} to {most:.2} in {} rounds", ratios.len());
    }

    /// What a job costs, whichever machine it is.
    pub fn print_costs(&self, name: &'static str) {
        let of = |figure: fn(&Figure) -> f64| median(self.of(name).iter().map(figure));
        benches::print_ratio("queue/wal_bytes_a_job", of(|figure| figure.wal_bytes));
        println!("      at most 800 wanted, better 500");
        benches::print_ratio("queue/server_us_a_job", of(|figure| figure.server_us));
        println!("      at most 30 wanted");
    }

    /// How many a second, at the median.
    pub fn rate(&self, name: &'static str) -> f64 {
        median(self.of(name).iter().map(|figure| figure.rate))
    }

    fn of(&self, name: &str) -> &[Figure] {
        self.figures.get(name).map_or(&[], Vec::as_slice)
    }
}
