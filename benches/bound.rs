//! A better bound on the requests of a plan than its bars by the page, where symbols lack different sessions.
//!
//! Give every missing session of every symbol a price. If no page of any request collects more than 1, no plan that cuts
//! time at sessions takes fewer pages than all prices together: every missing session is on some page, and no page
//! brings more than 1. (In terms of linear programmes: prices are a solution of the dual of covering.)
//!
//! A request asks for some symbols over a window of sessions. Where `n` symbols over the window fill a page, its first
//! page collects at most the prices of the `n` dearest symbols there, and the mean page of a longer request no more,
//! because each further symbol is cheaper than those before it.
//!
//! Any prices become such prices if those of each session are divided by the most that a page of any window with that
//! session collects. Good ones are found step by step: what the dearest pages take gets cheaper, the rest dearer.

use barkeep_planner::PageModel;
use barkeep_types::TimeRange;

use crate::universe::Group;
use crate::vendor::Vendor;

/// How much dearer than others a window must be to count alone when prices are changed, in the first step and the last.
const SHARPNESS: [f32; 2] = [40.0, 400.0];
/// How much prices change in the first step and the last.
const STRIDE: [f32; 2] = [0.3, 0.03];
/// Before the last step, longer windows are looked at only from every tenth session on.
const SHORT: usize = 30;
/// For errors of rounding in sums of prices.
const MARGIN: f64 = 1e-3;

/// No plan of these series takes fewer requests; symbols are taken to trade always. More steps find better prices, a
/// hundred nearly the best.
pub fn least_by_prices(group: &Group, pages: &PageModel, steps: usize) -> u64 {
    let vendor = Vendor::new(group, pages);
    let mut prices = Prices::new(group, &vendor);
    let page = |from: usize, to: usize| {
        let spans = group.grid.spans();
        let range = TimeRange::new(spans[from].start(), spans[to - 1].end()).expect("spans are in order");
        (1.0 / vendor.share(vendor.full(range))).min(f64::from(pages.symbols)) as f32
    };
    for step in 0..steps {
        let part = step as f32 / steps as f32;
        let between = |[first, last]: [f32; 2]| first * (last / first).powf(part);
        let windows = prices.windows(page, |from, to| {
            let length = to - from;
            length <= SHORT || (from.is_multiple_of(10) && length.is_multiple_of(length / 8))
        });
        let most = prices.scale(&windows);
        prices.shift(&windows, &most, between(SHARPNESS), between(STRIDE));
    }
    let all = prices.windows(page, |_, _| true);
    prices.scale(&all);
    (prices.sum() * (1.0 - MARGIN)).ceil() as u64
}

/// A missing session of a symbol.
struct Cell {
    symbol: u32,
    price: f32,
}

struct Prices {
    symbols: usize,
    sessions: Vec<Vec<Cell>>,
}

/// Some sessions, and what a page of them collects.
struct Window {
    from: usize,
    to: usize,
    /// At most so much.
    most: f32,
    /// From symbols dearer than this.
    cut: f32,
}

impl Prices {
    /// To begin with, as if each run of missing sessions had a page with others of its length.
    fn new(group: &Group, vendor: &Vendor<'_>) -> Self {
        let spans = group.grid.spans();
        let mut sessions: Vec<Vec<Cell>> = spans.iter().map(|_| Vec::new()).collect();
        for (symbol, series) in (0..).zip(&group.series) {
            let lacking: Vec<usize> = group.lacking(series).collect();
            for run in lacking.chunk_by(|left, right| left + 1 == *right) {
                for session in run {
                    let full = vendor.share(vendor.full(spans[*session])) as f32;
                    sessions[*session].push(Cell { symbol, price: full.max(1.0 / (600.0 * run.len() as f32)) });
                }
            }
        }
        Self { symbols: group.series.len(), sessions }
    }

    fn sum(&self) -> f64 {
        self.sessions.iter().flatten().map(|cell| f64::from(cell.price)).sum()
    }

    /// The windows that are asked for, with what their pages collect; `page` is how many symbols fill one.
    fn windows(&self, page: impl Fn(usize, usize) -> f32, is_asked: impl Fn(usize, usize) -> bool) -> Vec<Window> {
        let mut windows = Vec::new();
        for from in 0..self.sessions.len() {
            let tos: Vec<usize> = (from + 1..=self.sessions.len()).filter(|to| is_asked(from, *to)).collect();
            let mut collected = Collected::new(self.symbols);
            let mut guess = 1e-3;
            let mut next = from;
            for to in tos {
                self.sessions[next..to].iter().for_each(|cells| collected.add(cells));
                next = to;
                let (most, cut) = collected.dearest(page(from, to), guess);
                guess = if cut > 0.0 { cut } else { guess };
                windows.push(Window { from, to, most, cut });
            }
        }
        windows
    }

    /// Divides the prices of each session by the most that a page of a window with it collects, which is returned.
    fn scale(&mut self, windows: &[Window]) -> Vec<f32> {
        let mut most = vec![0.0_f32; self.sessions.len()];
        for window in windows {
            most[window.from..window.to].iter_mut().for_each(|most| *most = most.max(window.most));
        }
        for (cells, most) in self.sessions.iter_mut().zip(&most) {
            cells.iter_mut().for_each(|cell| cell.price /= most);
        }
        most
    }

    /// Makes cheaper what pages of the dearest windows take, as often as they do, and the rest dearer. `scales` are what
    /// prices were divided by since the windows were looked at.
    fn shift(&mut self, windows: &[Window], scales: &[f32], sharpness: f32, stride: f32) {
        let weight = |window: &Window| {
            let worst = scales[window.from..window.to].iter().copied().fold(0.0, f32::max);
            (sharpness * (window.most / worst - 1.0)).exp()
        };
        let weights: Vec<f32> =
            windows.iter().map(weight).map(|weight| if weight < 1e-3 { 0.0 } else { weight }).collect();
        let unit = self.sum() as f32 / weights.iter().sum::<f32>();
        // How often each symbol is taken from each session on, beyond the session before.
        let stop = self.sessions.len() + 1;
        let mut taken = vec![0.0_f32; self.symbols * stop];
        let weighted: Vec<(&Window, f32)> = windows.iter().zip(weights).filter(|(_, weight)| *weight > 0.0).collect();
        for same in weighted.chunk_by(|(left, _), (right, _)| left.from == right.from) {
            let mut collected = Collected::new(self.symbols);
            let mut next = same[0].0.from;
            for (window, weight) in same {
                (next..window.to).for_each(|session| collected.add_scaled(&self.sessions[session], scales[session]));
                next = window.to;
                for symbol in collected.dearer_than(window.cut) {
                    taken[symbol * stop + window.from] += weight * unit;
                    taken[symbol * stop + window.to] -= weight * unit;
                }
            }
        }
        for symbol in taken.chunks_exact_mut(stop) {
            symbol.iter_mut().fold(0.0, |sum, change| {
                *change += sum;
                *change
            });
        }
        for (session, cells) in self.sessions.iter_mut().enumerate() {
            for cell in cells {
                let often = taken[cell.symbol as usize * stop + session];
                cell.price *= (stride * (1.0 - often).max(-3.0)).exp();
            }
        }
    }
}

/// What each symbol's sessions cost in a window that grows.
struct Collected {
    places: Vec<u32>,
    symbols: Vec<u32>,
    sums: Vec<f32>,
}

impl Collected {
    fn new(symbols: usize) -> Self {
        Self { places: vec![u32::MAX; symbols], symbols: Vec::new(), sums: Vec::new() }
    }

    fn add(&mut self, cells: &[Cell]) {
        self.add_scaled(cells, 1.0);
    }

    fn add_scaled(&mut self, cells: &[Cell], scale: f32) {
        for Cell { symbol, price } in cells {
            let place = &mut self.places[*symbol as usize];
            if *place == u32::MAX {
                *place = self.sums.len() as u32;
                self.symbols.push(*symbol);
                self.sums.push(0.0);
            }
            self.sums[*place as usize] += price * scale;
        }
    }

    fn dearer_than(&self, cut: f32) -> impl Iterator<Item = usize> {
        let all = self.symbols.iter().zip(&self.sums);
        all.filter(move |(_, sum)| **sum > cut).map(|(symbol, _)| *symbol as usize)
    }

    /// No less than the `count` dearest symbols cost together, and a price that about so many exceed.
    ///
    /// For any cut, `count` symbols cost at most `count` times the cut and what they exceed it by: whatever cut the
    /// search ends with, the answer is a bound.
    fn dearest(&self, count: f32, guess: f32) -> (f32, f32) {
        if self.sums.len() as f32 <= count {
            return (self.sums.iter().sum(), 0.0);
        }
        let (mut low, mut high, mut cut) = (0.0, f32::INFINITY, guess);
        let mut best = (f32::INFINITY, cut);
        for _ in 0..8 {
            let (excess, dearer) = self.above(cut);
            best = if count * cut + excess < best.0 { (count * cut + excess, cut) } else { best };
            if (dearer - count).abs() <= 0.01 * count {
                break;
            }
            (low, high) = if dearer > count { (cut, high) } else { (low, cut) };
            // As if prices fell off exponentially.
            let mean_excess = if dearer > 0.0 { excess / dearer } else { cut };
            let next = cut + mean_excess * (dearer.max(0.1) / count).ln();
            cut = match (low < next && next < high, high.is_finite()) {
                (true, _) => next,
                (false, true) => 0.5 * (low + high),
                (false, false) => 2.0 * cut,
            };
        }
        best
    }

    /// By how much symbols exceed a price together, and how many do.
    fn above(&self, cut: f32) -> (f32, f32) {
        // Eight sums side by side: one would wait for itself.
        let (mut excess, mut dearer) = ([0.0_f32; 8], [0.0_f32; 8]);
        for part in self.sums.chunks(8) {
            for ((sum, excess), dearer) in part.iter().zip(&mut excess).zip(&mut dearer) {
                *excess += (sum - cut).max(0.0);
                *dearer += if *sum > cut { 1.0 } else { 0.0 };
            }
        }
        (excess.iter().sum(), dearer.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use barkeep_types::Timeframe;

    use super::*;
    use crate::universe::{Group, dates};

    /// 40 symbols of 10 sessions: at 50 bars a page each page can be filled, and 8 are needed; at 4 symbols a request 10.
    #[test]
    fn prices_find_the_least_where_it_is_known() {
        let group = Group::new(Timeframe::D1, 40, dates("2026-11-09", "2026-11-20"));
        let full = PageModel { bars: 50, symbols: 40, ..PageModel::documented() };
        assert_eq!(least_by_prices(&group, &full, 20), 8);
        assert_eq!(least_by_prices(&group, &PageModel { symbols: 4, ..full }, 20), 10);
    }
}
