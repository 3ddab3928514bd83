//! What a group of series lacks.

use barkeep_types::Grid;
use chrono::{DateTime, Utc};

use crate::load::{Load, Loads};
use crate::locate::{locate, settled_slots};
use crate::rows::{Row, Run};
use crate::{Density, PageModel, SeriesState, gaps};

/// The rows of a group that lack something, and how much that is.
#[derive(Default)]
pub(crate) struct Missing<'a> {
    /// Rows with nothing live, for which anything covered may be asked for in passing; by symbol.
    pub(crate) free: Vec<Row<'a>>,
    /// Rows of which something is live and must not be asked for; by symbol.
    pub(crate) contested: Vec<Row<'a>>,
    pub(crate) gaps: u64,
    pub(crate) slots: u64,
    load: Load,
}

impl<'a> Missing<'a> {
    pub(crate) fn find(grid: &Grid, settled_until: DateTime<Utc>, series: &[SeriesState<'a>], loads: &Loads) -> Self {
        let window = 0..settled_slots(grid, settled_until);
        let mut order: Vec<&SeriesState<'a>> = series.iter().collect();
        order.sort_by_key(|state| state.symbol);
        let (mut covered, mut live, mut found) = (Vec::new(), Vec::new(), Vec::new());
        let mut missing = Self::default();
        for same in order.chunk_by(|left, right| left.symbol == right.symbol) {
            locate(grid, same.iter().map(|state| state.covered), &mut covered);
            locate(grid, same.iter().map(|state| state.live), &mut live);
            gaps(window.clone(), &covered, &live, &mut found);
            if found.is_empty() {
                continue;
            }
            let fill = Density::fill(same[0].density, loads);
            missing.gaps += found.len() as u64;
            for gap in &found {
                missing.slots += gap.len() as u64;
                missing.load = missing.load.plus(loads.of_slots(grid, gap).filled(fill));
            }
            if live.is_empty() {
                missing.free.push(Row::new(same[0].symbol, fill, Run::of_neighbours(&found, grid), loads));
            } else {
                missing.contested.push(Row::new(same[0].symbol, fill, Run::of_each(&found, grid), loads));
            }
        }
        missing
    }

    /// No plan can take fewer requests: each page holds so much, and each request so many symbols.
    pub(crate) fn least_requests(&self, loads: &Loads, pages: &PageModel) -> u64 {
        let rows = (self.free.len() + self.contested.len()) as u64;
        let by_pages = (self.load.pages(loads.limits()) - 1e-6).ceil() as u64;
        by_pages.max(rows.div_ceil(pages.symbols.max(1).into()))
    }
}
