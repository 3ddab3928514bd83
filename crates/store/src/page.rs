//! A commit made ready to store: each series once, its bars in order, each bar once, possible, and asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use barkeep_types::{Bar, Coverage, Series, TimeRange, Timeframe};
use blake3::Hasher;
use chrono::{DateTime, Datelike as _, SecondsFormat, TimeDelta, Utc};

use crate::reach::whole_seconds;
use crate::{Commit, Committed, Error, Guard, ProviderName, Refused, Result, State};

/// How many refused bars are kept, reported and stored, out of one page. A provider gone mad must not fill the disk.
const REFUSALS: usize = 1_000;

#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) request: Option<&'a str>,
    pub(crate) guard: Option<&'a Guard>,
    /// Sorted by series.
    pub(crate) parts: Vec<Part<'a>>,
    pub(crate) refused: Vec<RefusedBar>,
    /// What is known before the database is asked.
    pub(crate) counts: Committed,
}

/// What a page says about one series.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) series: &'a Series,
    /// Sorted by start, each start once. Those of the commit itself, unless some had to go or to be moved.
    pub(crate) bars: Cow<'a, [Bar]>,
    /// In the order in which they count: a later one goes over an earlier one.
    pub(crate) proofs: Vec<(TimeRange, State)>,
}

/// A bar that cannot be true, and the part of the page it came in.
#[derive(Debug)]
pub struct RefusedBar {
    pub part: usize,
    pub bar: Bar,
    pub reasons: String,
}

impl<'a> Page<'a> {
    pub(crate) fn new(commit: &'a Commit) -> Result<Self> {
        let mut parts: BTreeMap<&Series, Part<'_>> = BTreeMap::new();
        for proof in &commit.proofs {
            if !commit.asked.covers(&proof.range) {
                let (series, proved, asked) = (proof.series.clone(), proof.range, commit.asked);
                return Err(Error::InvalidCommit { series, proved, asked });
            }
            let part = part(&mut parts, &proof.series);
            part.proofs.extend(whole_seconds(proof.range).map(|range| (range, proof.state)));
        }
        let mut counts = Committed::default();
        for (series, bars) in &commit.bars {
            counts.dropped += part(&mut parts, series).take(bars, commit.asked);
        }
        let mut page = Self {
            request: commit.request.as_deref(),
            guard: commit.guard.as_ref(),
            parts: parts.into_values().collect(),
            refused: vec![],
            counts,
        };
        for index in 0..page.parts.len() {
            page.refuse_the_impossible(index);
            page.counts.doubled += keep_the_last(&mut page.parts[index].bars);
        }
        Ok(page)
    }

    /// Takes out the bars that cannot be true, and leaves their time in doubt: it was answered, but not told.
    fn refuse_the_impossible(&mut self, index: usize) {
        let part = &mut self.parts[index];
        if part.bars.iter().all(|bar| bar.check().is_ok()) {
            return;
        }
        let (counts, refused, series) = (&mut self.counts, &mut self.refused, part.series);
        let mut doubted = Coverage::default();
        part.bars.to_mut().retain(|bar| {
            let Err(faults) = bar.check() else { return true };
            counts.refused += 1;
            if let Some(span) = span_of(bar.start, series.timeframe) {
                doubted.insert(span);
            }
            if refused.len() < REFUSALS {
                refused.push(RefusedBar { part: index, bar: *bar, reasons: faults.to_string() });
                counts.refusals.push(Refused { series: series.clone(), start: bar.start, faults });
            }
            false
        });
        let doubts = within_reason(&doubted);
        let proved: Vec<TimeRange> = part.proofs.iter().map(|(range, _)| *range).collect();
        let doubts = proved.iter().flat_map(|range| doubts.iter().filter_map(|doubt| range.intersection(doubt)));
        part.proofs.extend(doubts.filter_map(whole_seconds).map(|range| (range, State::Suspect)));
    }

    /// The calendar years in which its bars start, in order.
    pub(crate) fn years(&self) -> Vec<i32> {
        let bars = self.parts.iter().flat_map(|part| part.bars.iter());
        let years: std::collections::BTreeSet<i32> = bars.map(|bar| bar.start.year()).collect();
        years.into_iter().collect()
    }

    /// Identifies what the page says, so that a page that comes again can be recognised without comparing its bars.
    pub(crate) fn digest(&self, provider: &ProviderName) -> [u8; 16] {
        let mut hash = Hasher::new();
        let mut text = |text: &str| {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        text(provider.as_str());
        for part in &self.parts {
            text(&part.series.to_string());
        }
        for part in &self.parts {
            hash_part(part, &mut hash);
        }
        let mut digest = [0; 16];
        hash.finalize_xof().fill(&mut digest);
        digest
    }
}

impl<'a> Part<'a> {
    /// Takes the bars that were asked for; returns how many were not.
    fn take(&mut self, bars: &'a [Bar], asked: TimeRange) -> u64 {
        let is_asked = |bar: &&Bar| asked.contains(bar.start);
        if self.bars.is_empty() && bars.iter().all(|bar| is_asked(&bar)) {
            self.bars = Cow::Borrowed(bars);
            return 0;
        }
        let before = self.bars.len();
        self.bars.to_mut().extend(bars.iter().filter(is_asked));
        (bars.len() - (self.bars.len() - before)) as u64
    }
}

impl RefusedBar {
    /// The bar as text: its numbers may be none that a column can hold.
    pub(crate) fn text(&self) -> String {
        let Bar { start, open, high, low, close, volume, vwap, trade_count } = self.bar;
        let start = start.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let vwap = vwap.map_or_else(|| "none".to_owned(), |vwap| format!("{vwap:?}"));
        let trades = trade_count.map_or_else(|| "none".to_owned(), |count| count.to_string());
        format!(
            "{start} open {open:?} high {high:?} low {low:?} close {close:?} volume {volume:?} vwap {vwap} trades {trades}"
        )
    }
}

fn part<'p, 'a>(parts: &'p mut BTreeMap<&'a Series, Part<'a>>, series: &'a Series) -> &'p mut Part<'a> {
    parts.entry(series).or_insert_with(|| Part { series, bars: Cow::default(), proofs: Vec::new() })
}

/// The time of a bar; a day where its length follows the calendar.
fn span_of(start: DateTime<Utc>, timeframe: Timeframe) -> Option<TimeRange> {
    let end = start.checked_add_signed(timeframe.length().unwrap_or(TimeDelta::days(1)))?;
    TimeRange::new(start, end).ok()
}

/// The ranges in doubt; where they are very many, all the time they span.
fn within_reason(doubted: &Coverage) -> Vec<TimeRange> {
    match doubted.ranges() {
        [first, .., last] if doubted.ranges().len() > REFUSALS => {
            TimeRange::new(first.start(), last.end()).into_iter().collect()
        }
        few => few.to_vec(),
    }
}

/// Sorts bars by start and keeps the last of each start; returns how many went.
fn keep_the_last(bars: &mut Cow<'_, [Bar]>) -> u64 {
    let before = bars.len();
    if !bars.is_sorted_by(|left, right| left.start < right.start) {
        let bars = bars.to_mut();
        bars.sort_by_key(|bar| bar.start);
        // The sort is stable, and of two neighbours `dedup_by` passes the later one first.
        bars.dedup_by(|later, kept| {
            let is_double = later.start == kept.start;
            if is_double {
                *kept = *later;
            }
            is_double
        });
    }
    (before - bars.len()) as u64
}

fn hash_part(part: &Part<'_>, hash: &mut Hasher) {
    hash.update(&(part.proofs.len() as u64).to_le_bytes());
    for (range, state) in &part.proofs {
        hash.update(&range.start().timestamp().to_le_bytes());
        hash.update(&range.end().timestamp().to_le_bytes());
        hash.update(&[*state as u8]);
    }
    hash.update(&(part.bars.len() as u64).to_le_bytes());
    // Many blocks at a time, for the hash takes several at once.
    for bars in part.bars.chunks(256) {
        let packed: Vec<[u8; 64]> = bars.iter().map(packed).collect();
        hash.update(packed.as_flattened());
    }
}

/// Everything a bar says, in one block of the hash.
fn packed(bar: &Bar) -> [u8; 64] {
    let numbers = [
        bar.start.timestamp().cast_unsigned(),
        bar.open.to_bits(),
        bar.high.to_bits(),
        bar.low.to_bits(),
        bar.close.to_bits(),
        bar.volume.to_bits(),
        // No possible vwap and no possible count has all bits set.
        bar.vwap.map_or(u64::MAX, f64::to_bits),
        bar.trade_count.unwrap_or(u64::MAX),
    ];
    let mut packed = [0; 64];
    for (eight, number) in packed.chunks_exact_mut(8).zip(numbers) {
        eight.copy_from_slice(&number.to_le_bytes());
    }
    packed
}

#[cfg(test)]
mod tests;
