//! Follows the pages of one request: checks each, and works out what it proves.

use std::collections::{BTreeMap, HashSet};

use barkeep_types::{Bar, Symbol, TimeRange};
use chrono::{DateTime, Utc};

use crate::{
    Answer, BarsRequest, CoverageProof, Error, Limits, Offender, Page, PageToken, ProvenPage, Result, SymbolBars,
};

/// How many pages in a row may bring nothing new. Vendors may send an empty page with a token.
const PATIENCE: u32 = 8;
/// How many offenders an error lists.
const OFFENDERS: usize = 5;

/// Where one request stands.
#[derive(Debug)]
pub(crate) struct Paging {
    request: BarsRequest,
    progress: Vec<Progress>,
    cursor: Option<Cursor>,
    token: Option<PageToken>,
    tokens_seen: HashSet<PageToken>,
    pages: u32,
    most_pages: u32,
    stalled: u32,
    finished: bool,
    /// Whether bars are made of smaller ones on request, so that a page may end inside of one.
    is_derived: bool,
}

/// Where one symbol of the request stands.
#[derive(Clone, Copy, Debug)]
struct Progress {
    proven_until: DateTime<Utc>,
    was_seen: bool,
    set_aside: bool,
}

/// The last bar seen. Held back, since more of it may come with the next page.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    index: usize,
    last: Bar,
    /// Whether it came in pieces.
    is_torn: bool,
}

impl Cursor {
    fn position(&self) -> (usize, DateTime<Utc>) {
        (self.index, self.last.start)
    }
}

/// A page that passed, and the symbols that did not.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) page: ProvenPage,
    /// One `InvalidData` for each symbol with an impossible bar: nothing more of it is given or proven.
    pub(crate) impossible: Vec<Error>,
    /// Asks for the bar that the page before ended in: only a page of its own can show it whole.
    pub(crate) torn: Option<BarsRequest>,
}

/// The bars of a page that were asked for, by the symbol's place in the request.
#[derive(Debug, Default)]
struct Sorted {
    bars: BTreeMap<usize, Vec<Bar>>,
    dropped: usize,
    repeated: usize,
}

impl Paging {
    pub(crate) fn new(request: BarsRequest, limits: &Limits) -> Self {
        let start = Progress { proven_until: request.range().start(), was_seen: false, set_aside: false };
        Self {
            progress: vec![start; request.symbols().len()],
            cursor: None,
            token: None,
            tokens_seen: HashSet::new(),
            pages: 0,
            most_pages: most_pages(&request, limits),
            stalled: 0,
            finished: false,
            is_derived: !limits.native_timeframes.contains(&request.timeframe()),
            request,
        }
    }

    pub(crate) fn request(&self) -> &BarsRequest {
        &self.request
    }

    /// The token to ask for the next page with.
    pub(crate) fn token(&self) -> Option<&PageToken> {
        self.token.as_ref()
    }

    /// Whether the last page was accepted.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// What is not proven yet, as requests: the symbol that paging stopped in, then those not reached.
    pub(crate) fn remaining(&self) -> Vec<BarsRequest> {
        let range = self.request.range();
        let starts: HashSet<_> = self.progress.iter().map(|of| of.proven_until).collect();
        let mut starts: Vec<_> = starts.into_iter().filter(|start| *start < range.end()).collect();
        starts.sort_unstable_by(|a, b| b.cmp(a));
        let from = |start| {
            let mut progress = self.progress.iter();
            let request =
                self.request.keep(|_| progress.next().is_some_and(|of| of.proven_until == start && !of.set_aside))?;
            Some(request.over(range.from(start)?))
        };
        starts.into_iter().filter_map(from).collect()
    }

    /// Takes the next page.
    pub(crate) fn accept(&mut self, page: Page) -> Result<Checked> {
        self.pages = self.pages.saturating_add(1);
        let Page { bars, next, request_id, quota: _, bytes: _ } = page;
        self.check_token(next.as_ref())?;
        let mut sorted = self.sort(bars).map_err(|detail| bad(detail, request_id.as_deref()))?;
        let before = self.cursor;
        let has_advanced = self.advance(&sorted)?;
        self.check_progress(has_advanced, next.is_some())?;

        let impossible = self.set_aside_impossible(&mut sorted);
        if next.is_some() {
            self.hold_back(&mut sorted);
        } else {
            self.cursor = None;
        }
        let torn = before.and_then(|held| self.return_held(held, &mut sorted));
        if torn.as_ref() == Some(&self.request) {
            return Err(bad("a single bar does not fit on a page".to_owned(), request_id.as_deref()));
        }
        let proofs = self.prove(next.is_none());
        self.finished = next.is_none();
        self.token = next;
        let bars = self.named(sorted.bars);
        let page = ProvenPage {
            bars,
            proofs,
            dropped: sorted.dropped,
            repeated: sorted.repeated,
            is_last: self.finished,
            request_id,
        };
        Ok(Checked { page, impossible, torn })
    }

    fn check_token(&mut self, next: Option<&PageToken>) -> Result<()> {
        let Some(next) = next else { return Ok(()) };
        if !self.tokens_seen.insert(next.clone()) {
            return Err(self.no_way_out("a token that came before"));
        }
        if self.pages >= self.most_pages {
            return Err(self.no_way_out("more pages than bars can explain"));
        }
        Ok(())
    }

    fn no_way_out(&self, detail: &'static str) -> Error {
        Error::PaginationLoop { detail, pages: self.pages }
    }

    /// Sorts a page's bars and leaves out what was not asked for: other symbols, other times, bars that start within a
    /// minute. A few such bars are a vendor's slip; a page with many answers another question.
    fn sort(&self, bars: Vec<SymbolBars>) -> Result<Sorted, String> {
        let range = self.request.range();
        let mut sorted = Sorted::default();
        let mut total = 0;
        for SymbolBars { symbol, mut bars } in bars {
            let came = bars.len();
            total += came;
            let Ok(index) = self.request.symbols().binary_search(&symbol) else {
                sorted.dropped += came;
                continue;
            };
            let is_whole_minute = |at: DateTime<Utc>| at.timestamp() % 60 == 0 && at.timestamp_subsec_nanos() == 0;
            bars.retain(|bar| range.contains(bar.start) && is_whole_minute(bar.start));
            sorted.dropped += came - bars.len();
            if !bars.is_empty() {
                sorted.bars.entry(index).or_default().append(&mut bars);
            }
        }
        if sorted.dropped * 10 > total {
            return Err(format!("{} of {total} bars were not asked for", sorted.dropped));
        }
        for bars in sorted.bars.values_mut() {
            sorted.repeated += in_order(bars);
        }
        Ok(sorted)
    }

    /// Moves the cursor to the page's last bar; tells whether that is further than before.
    fn advance(&mut self, sorted: &Sorted) -> Result<bool> {
        let (Some((&first, _)), Some((&index, bars))) = (sorted.bars.first_key_value(), sorted.bars.last_key_value())
        else {
            return Ok(false);
        };
        let Some(&last) = bars.last() else { return Ok(false) };
        let mut end = Cursor { index, last, is_torn: false };
        let Some(before) = self.cursor.replace(end) else { return Ok(true) };
        if first < before.index || end.position() < before.position() {
            return Err(self.no_way_out("bars that came before"));
        }
        let has_advanced = before.position() < end.position();
        if !has_advanced {
            end.is_torn = before.is_torn || (self.is_derived && before.last != end.last);
            self.cursor = Some(end);
        }
        Ok(has_advanced)
    }

    fn check_progress(&mut self, advanced: bool, has_token: bool) -> Result<()> {
        self.stalled = if advanced { 0 } else { self.stalled + 1 };
        if has_token && self.stalled >= PATIENCE {
            return Err(self.no_way_out("nothing new, again and again"));
        }
        Ok(())
    }

    fn set_aside_impossible(&mut self, sorted: &mut Sorted) -> Vec<Error> {
        let mut errors = Vec::new();
        for (&index, bars) in &sorted.bars {
            let progress = &mut self.progress[index];
            progress.was_seen = true;
            if progress.set_aside {
                continue;
            }
            let symbol = &self.request.symbols()[index];
            if let Some(error) = impossible(symbol, bars) {
                progress.set_aside = true;
                errors.push(error);
            }
        }
        sorted.bars.retain(|index, _| !self.progress[*index].set_aside);
        errors
    }

    /// Holds the last bar back: it may be an aggregate that the page cut through.
    fn hold_back(&self, sorted: &mut Sorted) {
        let Some(cursor) = self.cursor else { return };
        if let Some(bars) = sorted.bars.get_mut(&cursor.index) {
            bars.pop();
        }
    }

    /// Gives the bar that the page before held back to this page, unless it is held on. An aggregate that comes again
    /// with other numbers may be the same bar newly told, or the rest of it: then neither is given, and what to ask for
    /// instead is.
    fn return_held(&mut self, held: Cursor, sorted: &mut Sorted) -> Option<BarsRequest> {
        let Cursor { index, last, is_torn } = held;
        let is_held_on = self.cursor.is_some_and(|cursor| cursor.position() == held.position());
        if is_held_on || self.progress[index].set_aside {
            return None;
        }
        let bars = sorted.bars.entry(index).or_default();
        let again = bars.iter().find(|bar| bar.start == last.start);
        if is_torn || (self.is_derived && again.is_some_and(|again| *again != last)) {
            bars.retain(|bar| bar.start != last.start);
            return self.leave_out(
                index,
                last.start,
                bars.iter().find(|bar| bar.start > last.start).map(|bar| bar.start),
            );
        }
        bars.insert(0, last);
        sorted.repeated += in_order(bars);
        None
    }

    /// Leaves a bar out of what is proven, up to where the next one starts.
    fn leave_out(&mut self, index: usize, start: DateTime<Utc>, next: Option<DateTime<Utc>>) -> Option<BarsRequest> {
        let range = self.request.range();
        let end = match self.request.timeframe().length() {
            Some(length) => range.end().min(start + length),
            None => next.or(self.cursor.filter(|at| at.index == index).map(|at| at.last.start)).unwrap_or(range.end()),
        };
        self.progress[index].proven_until = end;
        let symbol = &self.request.symbols()[index];
        let alone = self.request.keep(|other| *other == symbol)?;
        Some(alone.over(TimeRange::new(start, end).ok()?))
    }

    /// Symbols that were seen and passed are known to their end, the one paging stands in up to its last bar, and
    /// everything on the last page. A symbol that was not seen may still come until then.
    fn prove(&mut self, is_last: bool) -> Vec<CoverageProof> {
        let end = self.request.range().end();
        let mut proofs = Vec::new();
        for (index, progress) in self.progress.iter_mut().enumerate() {
            let until = match self.cursor {
                _ if progress.set_aside => continue,
                _ if is_last => end,
                Some(cursor) if index < cursor.index && progress.was_seen => end,
                Some(cursor) if index == cursor.index => cursor.last.start,
                _ => continue,
            };
            if let Ok(range) = TimeRange::new(progress.proven_until, until) {
                progress.proven_until = until;
                let symbol = self.request.symbols()[index].clone();
                proofs.push(CoverageProof { symbol, range });
            }
        }
        proofs
    }

    fn named(&self, bars: BTreeMap<usize, Vec<Bar>>) -> Vec<SymbolBars> {
        let some = bars.into_iter().filter(|(_, bars)| !bars.is_empty());
        some.map(|(index, bars)| SymbolBars { symbol: self.request.symbols()[index].clone(), bars }).collect()
    }
}

/// Sorts by start and keeps the latest word on each bar; tells how many were repeated.
fn in_order(bars: &mut Vec<Bar>) -> usize {
    let came = bars.len();
    if !bars.is_sorted_by(|a, b| a.start < b.start) {
        bars.sort_by_key(|bar| bar.start);
        bars.dedup_by(|later, kept| {
            let same = later.start == kept.start;
            if same {
                *kept = *later;
            }
            same
        });
    }
    came - bars.len()
}

fn impossible(symbol: &Symbol, bars: &[Bar]) -> Option<Error> {
    let faults = |bar: &Bar| bar.check().err().map(|faults| Offender { bar: *bar, faults });
    let mut offenders: Vec<_> = bars.iter().filter_map(faults).collect();
    let count = offenders.len();
    offenders.truncate(OFFENDERS);
    (count > 0).then(|| Error::InvalidData { symbol: symbol.clone(), count, offenders })
}

fn bad(detail: String, request_id: Option<&str>) -> Error {
    let answer = Answer::new(200, b"").with_request_id(request_id);
    Error::BadResponse { detail, answer, source: None }
}

/// Far more pages than the request can need if the vendor cuts them as it says, counting every minute of the range as
/// if it traded.
fn most_pages(request: &BarsRequest, limits: &Limits) -> u32 {
    const SLACK: u64 = 64;
    let timeframe = request.timeframe();
    let minutes = request.range().length().num_minutes().unsigned_abs() + 1;
    let symbols = request.symbols().len() as u64;
    let bar_minutes = timeframe.minutes().map_or(24 * 60, u64::from);
    let bars = symbols * (minutes / bar_minutes + 1);
    let by_bars = bars.div_ceil(limits.bars_a_page.max(1).into());
    let is_derived = !limits.native_timeframes.contains(&timeframe);
    let by_source = match limits.source_minutes_a_page {
        Some(most) if is_derived => (symbols * minutes).div_ceil(most.max(1).into()),
        _ => 0,
    };
    u32::try_from(SLACK + SLACK.saturating_mul(by_bars.max(by_source))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
