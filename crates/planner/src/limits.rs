//! What a slice may hold.

use crate::Planner;
use crate::rows::Row;

/// The limits of one slice of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most pages.
    pub(crate) pages: f64,
    pub(crate) symbols: usize,
    pub(crate) url_bytes: u32,
    /// The symbols that usually fit, the address considered.
    pub(crate) usual_symbols: usize,
}

/// Rounding errors of sums are forgiven: a page is not taken for a millionth of a bar.
const CRUMB: f64 = 1e-7;

/// The pages that a share of pages takes; at least one.
pub(crate) fn whole_pages(share: f64) -> f64 {
    (share - CRUMB).ceil().max(1.0)
}

impl Limits {
    pub(crate) fn new(planner: &Planner, rows: &[Row<'_>], all_pages: u64) -> Self {
        let model = &planner.pages;
        let symbols = model.symbols.max(1) as usize;
        let bytes: f64 = rows.iter().map(|row| f64::from(row.url_bytes())).sum();
        let mean_bytes = bytes / rows.len().max(1) as f64;
        let fitting = (f64::from(model.url_bytes) / mean_bytes.max(1.0)).max(1.0) as usize;
        // So many rounds in which every worker has a slice: all would wait for one who has a long slice left over.
        let longest = u64::from(planner.longest_slice);
        let workers = u64::from(planner.workers);
        let rounds = all_pages.div_ceil(longest).div_ceil(workers).max(1);
        let pages = all_pages.div_ceil(rounds.saturating_mul(workers)).clamp(1, longest) as f64;
        Self { pages, symbols, url_bytes: model.url_bytes, usual_symbols: symbols.min(fitting) }
    }

    /// The requests that rows take over one window, which fill so many pages together.
    pub(crate) fn requests(&self, rows: usize, share: f64) -> f64 {
        if rows <= self.usual_symbols && share <= self.pages {
            return if rows == 0 { 0.0 } else { whole_pages(share) };
        }
        let each = share / rows as f64;
        let a_request = each * self.usual_symbols as f64;
        if a_request > self.pages {
            // Pages are the limit, and requests are cut where pages end.
            return whole_pages(share);
        }
        let full = (rows / self.usual_symbols) as f64;
        let rest = (rows % self.usual_symbols) as f64;
        full * whole_pages(a_request) + if rest > 0.0 { whole_pages(rest * each) } else { 0.0 }
    }
}
