//! Rows of either database as values.

use barkeep_types::{Bar, Series, TimeRange};

use crate::columns::Columns;
use crate::statements::Identity;
use crate::{Error, Finding, Result, Rewrite, Span, Summary};

/// A bar: start, open, high, low, close, volume, vwap, trade count, from column `at` on.
pub(crate) fn bar(row: &impl Columns, at: usize) -> Result<Bar> {
    Ok(Bar {
        start: row.instant(at)?,
        open: row.number(at + 1)?,
        high: row.number(at + 2)?,
        low: row.number(at + 3)?,
        close: row.number(at + 4)?,
        volume: row.number(at + 5)?,
        vwap: row.optional_number(at + 6)?,
        trade_count: row.optional_integer(at + 7)?.map(u64::try_from).transpose().map_err(Error::corrupt)?,
    })
}

/// A span: start, end, state, rows, empty checks, fetched at, from column `at` on.
pub(crate) fn span(row: &impl Columns, at: usize) -> Result<Span> {
    Ok(Span {
        range: TimeRange::new(row.instant(at)?, row.instant(at + 1)?).map_err(Error::corrupt)?,
        state: row.text(at + 2)?.parse().map_err(Error::corrupt)?,
        rows: u64::try_from(row.integer(at + 3)?).map_err(Error::corrupt)?,
        empty_checks: u32::try_from(row.integer(at + 4)?).map_err(Error::corrupt)?,
        fetched_at: row.instant(at + 5)?,
    })
}

/// A summary: bars, first, last, fetched at, from column `at` on.
pub(crate) fn summary(row: &impl Columns, at: usize) -> Result<Summary> {
    Ok(Summary {
        bars: u64::try_from(row.integer(at)?).map_err(Error::corrupt)?,
        first: row.optional_instant(at + 1)?,
        last: row.optional_instant(at + 2)?,
        fetched_at: row.optional_instant(at + 3)?,
    })
}

/// A rewrite: year, mark, from column `at` on.
pub(crate) fn rewrite(row: &impl Columns, at: usize) -> Result<Rewrite> {
    let year = i32::try_from(row.integer(at)?).map_err(Error::corrupt)?;
    Ok(Rewrite::new(year, row.text(at + 1)?.to_owned()))
}

/// An identity: id, revision, whether the page is recognised, from column `at` on.
pub(crate) fn identity(row: &impl Columns, at: usize) -> Result<Identity> {
    Ok(Identity {
        id: i32::try_from(row.integer(at)?).map_err(Error::corrupt)?,
        revision: row.integer(at + 1)?,
        is_recognised: row.integer(at + 2)? != 0,
    })
}

/// A series: symbol, timeframe, feed, adjustment.
pub(crate) fn series(row: &impl Columns) -> Result<Series> {
    Ok(Series {
        symbol: row.text(0)?.parse().map_err(Error::corrupt)?,
        timeframe: row.text(1)?.parse().map_err(Error::corrupt)?,
        feed: row.text(2)?.parse().map_err(Error::corrupt)?,
        adjustment: row.text(3)?.parse().map_err(Error::corrupt)?,
    })
}

/// A finding: its series, kind, series id, start, end, and two counts.
pub(crate) fn finding(row: &impl Columns) -> Result<Finding> {
    let count = |at| u64::try_from(row.integer(at)?).map_err(Error::corrupt);
    let range = || TimeRange::new(row.instant(6)?, row.instant(7)?).map_err(Error::corrupt);
    Ok(match row.text(4)? {
        "rows_differ" => {
            Finding::RowsDiffer { series: series(row)?, range: range()?, ledger: count(8)?, stored: count(9)? }
        }
        "uncovered" => {
            Finding::Uncovered { series: series(row)?, bars: count(8)?, first: row.instant(6)?, last: row.instant(7)? }
        }
        "overlapping" => Finding::Overlapping { series: series(row)?, range: range()? },
        "unknown_origin" => Finding::UnknownOrigin { series: series(row)?, bars: count(8)? },
        "orphaned" => Finding::Orphaned { id: row.integer(5)?, bars: count(8)?, spans: count(9)? },
        other => return Err(Error::corrupt(format!("a finding of kind {other}"))),
    })
}

/// Answers to `asked` questions, whose first column says which one they answer, in the order of the questions.
pub(crate) fn by_question<R: Columns, T>(
    asked: usize,
    rows: &[R],
    value: impl Fn(&R, usize) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let mut answers = no_answers(asked);
    for row in rows {
        answers_to(&mut answers, row)?.push(value(row, 1)?);
    }
    Ok(answers)
}

/// No answers yet to so many questions.
pub(crate) fn no_answers<T>(asked: usize) -> Vec<Vec<T>> {
    (0..asked).map(|_| Vec::new()).collect()
}

/// The answers so far to the question that a row answers, as its first column says.
pub(crate) fn answers_to<'a, T>(answers: &'a mut [Vec<T>], row: &impl Columns) -> Result<&'a mut Vec<T>> {
    let question = usize::try_from(row.integer(0)?).ok().and_then(|question| answers.get_mut(question));
    question.ok_or_else(|| Error::corrupt("an answer to no question"))
}

/// As [`by_question`], for questions that have one answer at most.
pub(crate) fn one_by_question<R: Columns, T>(
    asked: usize,
    rows: &[R],
    value: impl Fn(&R, usize) -> Result<T>,
) -> Result<Vec<Option<T>>> {
    Ok(by_question(asked, rows, value)?.into_iter().map(|mut answers| answers.pop()).collect())
}
