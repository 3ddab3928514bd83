//! The scenarios that plans are measured by, and a plan of each beside the fewest requests possible. The bench `packing`
//! and the example `packing_table` print them.

use std::fmt;
use std::num::NonZeroU32;

use barkeep_planner::{Density, PageModel, Planner};
use barkeep_types::Timeframe;

use crate::universe::{Dice, Group, dates, ragged, scattered};
use crate::vendor::{Cost, cost};

/// The heads of the columns that a [`Packed`] is a row of.
pub const HEAD: &str = "| scenario | timeframe | pages by | least | requests | ratio | refetched | slices | longest |
|---|---|---|---|---|---|---|---|---|";

/// Series that lack something.
pub struct Scenario {
    /// What it is called in tables.
    pub name: &'static str,
    /// The series.
    pub group: Group,
    /// How many of them a request may name.
    pub symbols_a_request: u32,
}

/// A reading of what the vendor says a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// So many bars.
    Documented,
    /// So many bars, made of so many minutes.
    Source,
}

/// What a scenario takes, page by page.
pub struct Packed<'a> {
    scenario: &'a Scenario,
    model: Model,
    /// At the made-up vendor.
    pub cost: Cost,
    refetched: f64,
    slices: usize,
}

impl Model {
    /// Both readings.
    pub const ALL: [Self; 2] = [Self::Documented, Self::Source];
}

impl fmt::Display for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Documented => "documented",
            Self::Source => "source",
        })
    }
}

impl Scenario {
    /// The timeframe of all series.
    pub fn timeframe(&self) -> Timeframe {
        self.group.grid.timeframe()
    }

    /// What the vendor's pages hold.
    pub fn pages(&self, model: Model) -> PageModel {
        let pages = match model {
            Model::Documented => PageModel::documented(),
            Model::Source => PageModel::default(),
        };
        PageModel { symbols: self.symbols_a_request, url_bytes: 8_192, ..pages }
    }

    /// Plans for four workers, and asks the made-up vendor for every slice.
    pub fn pack(&self, model: Model) -> Packed<'_> {
        let (group, pages) = (&self.group, self.pages(model));
        let planner = Planner::new(pages).with_served(group.served.iter().copied());
        let planner = planner.with_workers(NonZeroU32::new(4).expect("four"));
        let plan = planner.plan(&group.grid, group.settled(), &group.states());
        Packed {
            scenario: self,
            model,
            cost: cost(group, &pages, &plan),
            refetched: plan.estimate.refetched_slots as f64 / plan.estimate.missing_slots as f64,
            slices: plan.slices.len(),
        }
    }
}

impl fmt::Display for Packed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, model, cost, refetched, slices } = self;
        write!(
            formatter,
            "| {} | {} | {model} | {} | {} | {:.3} | {:.1} % | {slices} | {} |",
            scenario.name,
            scenario.timeframe(),
            cost.least,
            cost.requests,
            cost.ratio(),
            100.0 * refetched,
            cost.longest
        )
    }
}

/// All scenarios with this many symbols, but for the preset of 20; half of them where symbols are illiquid.
pub fn scenarios(symbols: usize) -> Vec<Scenario> {
    use Timeframe::{D1, H1, H4, M15};
    let mut all = Vec::new();
    for timeframe in [M15, H1, H4, D1] {
        all.push(Scenario { name: "fresh", group: two_years(timeframe, symbols), symbols_a_request: 200 });
    }
    for timeframe in [M15, H1, H4, D1] {
        all.push(top_up(timeframe, symbols));
        // The same, but nothing is known of the symbols, and they trade in every minute.
        let group = Group::new(timeframe, symbols, dates("2026-11-20", "2026-11-20"));
        all.push(Scenario { name: "top-up-full", group, symbols_a_request: 200 });
    }
    for timeframe in [M15, H1, D1] {
        all.push(holes("ragged", timeframe, symbols, ragged));
        all.push(holes("scattered", timeframe, symbols, scattered));
    }
    // The twenty symbols that a first run backfills.
    all.push(Scenario { name: "preset", group: two_years(H1, 20), symbols_a_request: 200 });
    all.push(illiquid(symbols / 2));
    all
}

fn two_years(timeframe: Timeframe, symbols: usize) -> Group {
    Group::new(timeframe, symbols, dates("2024-11-22", "2026-11-20"))
}

/// The last session of a market as it is: a tenth of the symbols trade in most minutes, most in few; all learned.
fn top_up(timeframe: Timeframe, symbols: usize) -> Scenario {
    let mut group = Group::new(timeframe, symbols, dates("2026-11-20", "2026-11-20"));
    let minutes = Timeframe::H1.min(timeframe).minutes().unwrap_or(60);
    let mut dice = Dice::new(7);
    for series in &mut group.series {
        let trades = match dice.below(10) {
            0 => 0.83,
            1..=4 => 0.42,
            _ => 0.06,
        };
        // A bar has a trade if one of its minutes has; trades cluster.
        let bars = 1.0 - (1.0_f64 - trades).powf(f64::from(minutes).sqrt());
        let full = f64::from(group.grid.bars());
        let is_day = timeframe == Timeframe::D1;
        series.trades = if is_day { (1.0, 1.0) } else { (bars, trades) };
        series.learned = Some(Density { bars: full * series.trades.0, source_bars: 960.0 * series.trades.1 });
    }
    Scenario { name: "top-up", group, symbols_a_request: 200 }
}

fn holes(
    name: &'static str,
    timeframe: Timeframe,
    symbols: usize,
    make: impl Fn(usize, usize, u64) -> Vec<Vec<bool>>,
) -> Scenario {
    let mut group = two_years(timeframe, symbols);
    let missing = make(symbols, group.grid.spans().len(), 1);
    group.cover_but(|number| missing[number].clone());
    Scenario { name, group, symbols_a_request: 1_000 }
}

/// Symbols that trade in about a third of the hours, of which the planner was told within a fifth.
fn illiquid(symbols: usize) -> Scenario {
    let mut group = two_years(Timeframe::H1, symbols);
    let mut dice = Dice::new(5);
    for series in &mut group.series {
        let bars = (5.7 / 16.0 * (1.0 + 0.4 * dice.error())).clamp(0.02, 1.0);
        let minutes = bars * 0.2;
        let mut learn = |truth: f64| truth * (1.0 + 0.2 * dice.error()).max(0.1);
        series.learned = Some(Density { bars: learn(bars * 16.0), source_bars: learn(minutes * 960.0) });
        series.trades = (bars, minutes);
    }
    Scenario { name: "illiquid", group, symbols_a_request: 200 }
}
