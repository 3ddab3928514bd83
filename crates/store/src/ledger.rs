//! What a page does to a series' ledger: arithmetic on spans, without a database.

use barkeep_types::{Coverage, TimeRange};
use chrono::{DateTime, Utc};

use crate::{Span, State};

/// What is said about a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// It was fetched.
    Proved(State),
    /// What is covered of it is in doubt.
    Doubted,
}

/// A stretch of the ledger on its way from the old spans to the new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) range: TimeRange,
    pub(crate) state: State,
    /// `None` where it must be counted.
    pub(crate) rows: Option<u64>,
    empty_checks: u32,
    /// `None` for now.
    fetched_at: Option<DateTime<Utc>>,
}

/// A series' ledger where a page touches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Sorted and disjoint.
    pub(crate) pieces: Vec<Piece>,
    /// Whether time that was covered changed its state: then what a page proved earlier may be true no more.
    pub(crate) is_revised: bool,
}

/// A span to be written; `fetched_at` is `None` for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSpan {
    pub range: TimeRange,
    pub state: State,
    pub rows: u64,
    pub empty_checks: u32,
    pub fetched_at: Option<DateTime<Utc>>,
}

impl Ledger {
    pub(crate) fn new(spans: &[Span]) -> Self {
        let pieces = spans.iter().map(|span| Piece {
            range: span.range,
            state: span.state,
            rows: Some(span.rows),
            empty_checks: span.empty_checks,
            fetched_at: Some(span.fetched_at),
        });
        Self { pieces: pieces.collect(), is_revised: false }
    }

    /// The disjoint ranges that a page's proofs come to.
    pub(crate) fn of_proofs(proofs: &[(TimeRange, State)]) -> Vec<(TimeRange, Word)> {
        let mut ledger = Self::new(&[]);
        for (range, state) in proofs {
            ledger.lay(*range, Word::Proved(*state));
        }
        ledger.pieces.into_iter().map(|piece| (piece.range, Word::Proved(piece.state))).collect()
    }

    /// Lays a word over what is there.
    pub(crate) fn lay(&mut self, range: TimeRange, word: Word) {
        let mut uncovered = Coverage::default();
        uncovered.insert(range);
        let mut pieces = Vec::with_capacity(self.pieces.len() + 2);
        for piece in self.pieces.drain(..) {
            let Some(common) = piece.range.intersection(&range) else {
                pieces.push(piece);
                continue;
            };
            uncovered.remove(common);
            match word.over(piece.state) {
                None => pieces.push(piece),
                Some(state) => {
                    self.is_revised = true;
                    cut(&piece, common, state, word, &mut pieces);
                }
            }
        }
        if let Word::Proved(state) = word {
            pieces.extend(uncovered.ranges().iter().map(|&range| Piece {
                range,
                state,
                rows: None,
                empty_checks: 0,
                fetched_at: None,
            }));
        }
        pieces.sort_unstable_by_key(|piece| piece.range);
        self.pieces = pieces;
    }

    /// Has the pieces counted anew that these bars are in, because they go.
    pub(crate) fn recount(&mut self, starts: &[DateTime<Utc>]) {
        for piece in &mut self.pieces {
            if starts.iter().any(|start| piece.range.contains(*start)) {
                piece.rows = None;
            }
        }
    }

    /// Counts bars that are about to be inserted, given by their starts in order, and what is `stored` where a piece
    /// was not counted yet.
    pub(crate) fn count(&mut self, inserted: &[DateTime<Utc>], stored: impl Fn(&TimeRange) -> Option<u64>) {
        for piece in &mut self.pieces {
            let added = count_within(inserted, &piece.range);
            if added > 0 {
                piece.fetched_at = None;
            }
            piece.rows = piece.rows.or_else(|| stored(&piece.range)).map(|rows| rows + added);
        }
    }

    /// The spans as they shall be, neighbours joined. Every piece must have been counted.
    pub(crate) fn spans(&self) -> Vec<NewSpan> {
        let mut spans: Vec<NewSpan> = Vec::with_capacity(self.pieces.len());
        for span in self.pieces.iter().map(Piece::settled) {
            match spans.last_mut() {
                Some(last) if last.joins(&span) => last.join(&span),
                _ => spans.push(span),
            }
        }
        spans
    }
}

impl Word {
    /// The state of time that was in `state`, if it changes.
    fn over(self, state: State) -> Option<State> {
        match (self, state) {
            // What was fetched once settled is not made less final by an earlier look at it.
            (Self::Proved(State::Provisional), State::Covered) => None,
            (Self::Proved(new), _) => Some(new).filter(|new| *new != state),
            (Self::Doubted, State::Suspect) => None,
            (Self::Doubted, _) => Some(State::Suspect),
        }
    }
}

/// Puts the part that changes its state between what is left of the piece.
fn cut(piece: &Piece, common: TimeRange, state: State, word: Word, pieces: &mut Vec<Piece>) {
    let rows = piece.rows.filter(|_| common == piece.range);
    let rest = |range| Piece { range, rows: None, ..piece.clone() };
    let fetched_at = piece.fetched_at.filter(|_| word == Word::Doubted);
    pieces.extend(piece.range.before(common.start()).map(rest));
    pieces.push(Piece { range: common, state, rows, empty_checks: piece.empty_checks, fetched_at });
    pieces.extend(piece.range.from(common.end()).map(rest));
}

/// How many of the sorted `starts` are within `range`.
pub(crate) fn count_within(starts: &[DateTime<Utc>], range: &TimeRange) -> u64 {
    let before = |end: DateTime<Utc>| starts.partition_point(|start| *start < end);
    (before(range.end()) - before(range.start())) as u64
}

impl Piece {
    fn settled(&self) -> NewSpan {
        let rows = self.rows.unwrap_or_default();
        let newly_fetched = u32::from(self.fetched_at.is_none());
        let empty_checks = if rows == 0 { self.empty_checks.saturating_add(newly_fetched).max(1) } else { 0 };
        NewSpan { range: self.range, state: self.state, rows, empty_checks, fetched_at: self.fetched_at }
    }
}

impl NewSpan {
    fn joins(&self, next: &Self) -> bool {
        self.range.end() == next.range.start() && self.state == next.state && self.empty_checks == next.empty_checks
    }

    fn join(&mut self, next: &Self) {
        let Ok(range) = TimeRange::new(self.range.start(), next.range.end()) else { return };
        self.range = range;
        self.rows += next.rows;
        // The later of the two, where none is now.
        self.fetched_at = self.fetched_at.zip(next.fetched_at).map(|(left, right)| left.max(right));
    }

    /// Whether this is what is stored already.
    pub(crate) fn is(&self, span: &Span) -> bool {
        (self.range, self.state, self.rows, self.empty_checks) == (span.range, span.state, span.rows, span.empty_checks)
    }
}

#[cfg(test)]
mod tests;
