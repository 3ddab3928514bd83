//! A made-up vendor, and what a plan costs there.

use barkeep_planner::{PageModel, Plan};
use barkeep_types::{Grid, Symbol, TimeRange, Timeframe};

use crate::universe::Group;

/// What a plan costs at the vendor, page by page, and what the missing bars would cost at the least.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// The pages that the vendor sends.
    pub requests: u64,
    /// The fewest that could carry what is missing.
    pub least: u64,
    /// The longest chain of pages.
    pub longest: u64,
}

impl Cost {
    /// Requests by the least possible.
    pub fn ratio(&self) -> f64 {
        self.requests as f64 / self.least as f64
    }
}

/// Asks the made-up vendor for every slice of a plan.
pub fn cost(group: &Group, pages: &PageModel, plan: &Plan) -> Cost {
    let vendor = Vendor::new(group, pages);
    let mut cost = Cost::default();
    for slice in &plan.slices {
        let full = vendor.full(slice.range);
        let trades = slice.symbols.iter().map(|symbol| vendor.trades(symbol));
        let sum = trades.fold((0.0, 0.0), |sum, trades| (sum.0 + trades.0, sum.1 + trades.1));
        let requests = (vendor.share((full.0 * sum.0, full.1 * sum.1)) - 1e-6).ceil().max(1.0) as u64;
        cost.requests += requests;
        cost.longest = cost.longest.max(requests);
    }
    let (mut least, mut lacking) = ((0.0, 0.0), 0_u64);
    for series in &group.series {
        let mut full = (0.0, 0.0);
        for span in group.lacking(series) {
            let here = vendor.full(group.grid.spans()[span]);
            full = (full.0 + here.0, full.1 + here.1);
        }
        least = (least.0 + full.0 * series.trades.0, least.1 + full.1 * series.trades.1);
        lacking += u64::from(full.0 > 0.0);
    }
    let by_pages = (vendor.share(least) - 1e-6).ceil() as u64;
    Cost { least: by_pages.max(lacking.div_ceil(pages.symbols.into())), ..cost }
}

/// A vendor whose pages are as the model says.
pub struct Vendor<'a> {
    group: &'a Group,
    bars: Grid,
    minutes: Grid,
    pages: &'a PageModel,
}

impl<'a> Vendor<'a> {
    /// A vendor of this group's bars.
    pub fn new(group: &'a Group, pages: &'a PageModel) -> Self {
        let minutes = Grid::new(Timeframe::M1, group.served.clone());
        Self { group, bars: group.grid.clone(), minutes, pages }
    }

    /// Bars and minutes of a symbol that trades always.
    pub fn full(&self, range: TimeRange) -> (f64, f64) {
        (self.bars.slots_in(range).len() as f64, self.minutes.slots_in(range).len() as f64)
    }

    fn trades(&self, symbol: &Symbol) -> (f64, f64) {
        let found = self.group.series.binary_search_by(|series| series.symbol.cmp(symbol));
        self.group.series[found.expect("a symbol of the group")].trades
    }

    /// The pages that bars and minutes fill, not rounded.
    pub fn share(&self, (bars, minutes): (f64, f64)) -> f64 {
        let is_native = matches!(self.group.grid.timeframe(), Timeframe::M1 | Timeframe::D1);
        let source = self.pages.source_bars.filter(|_| !is_native);
        let by_bars = bars / f64::from(self.pages.bars);
        source.map_or(by_bars, |limit| by_bars.max(minutes / f64::from(limit)))
    }
}
