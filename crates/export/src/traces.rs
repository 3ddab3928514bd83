//! Which years need not be read, since nothing about them has changed.

use std::collections::HashMap;

use barkeep_store::{Moment, Span, Store, Summary, Traces, covered};
use barkeep_types::{Coverage, Series, TimeRange};
use chrono::Datelike;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::hex::hex;
use crate::partition::start_of;

/// What a store told of a year just before its bars were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// How far the store had come.
    pub moment: String,
    /// What was covered of the year, and the mark of its latest rewrite: SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What the store tells of one series.
#[derive(Debug, Default)]
pub(crate) struct Told {
    covered: Coverage,
    marks: HashMap<i32, String>,
    /// From the year of its first bar to that of its last.
    years: Option<(i32, i32)>,
    moment: Option<Moment>,
}

impl Told {
    /// What the store tells of each series, before any of their bars are read; nothing if it cannot tell.
    pub(crate) async fn of(store: &dyn Store, series: &[Series]) -> Result<Option<Vec<Self>>> {
        let Some(traces) = store.traces() else { return Ok(None) };
        let Some(moment) = traces.moment().await? else { return Ok(None) };
        let spans = store.coverage(series, TimeRange::ALWAYS).await?;
        let rewrites = traces.rewrites(series).await?;
        let summaries = store.summaries(series).await?;
        let told = |((spans, rewrites), summary): ((Vec<Span>, Vec<_>), Summary)| Self {
            covered: covered(&spans, |_| true),
            marks: rewrites.into_iter().map(|rewrite: barkeep_store::Rewrite| (rewrite.year, rewrite.mark)).collect(),
            years: summary.first.zip(summary.last).map(|(first, last)| (first.year(), last.year())),
            moment: Some(moment.clone()),
        };
        Ok(Some(spans.into_iter().zip(rewrites).zip(summaries).map(told).collect()))
    }

    /// The years in which there are bars, or may be.
    pub(crate) fn years(&self) -> impl Iterator<Item = i32> + use<> {
        self.years.into_iter().flat_map(|(first, last)| first..=last)
    }

    pub(crate) fn trace(&self, year: i32) -> Option<Trace> {
        let moment = self.moment.as_ref()?.as_str().to_owned();
        let within = TimeRange::new(start_of(year), start_of(year.saturating_add(1))).ok()?;
        let mut digest = Sha256::new();
        for range in self.covered.ranges().iter().filter_map(|range| range.intersection(&within)) {
            digest.update(range.start().timestamp().to_le_bytes());
            digest.update(range.end().timestamp().to_le_bytes());
        }
        digest.update(self.marks.get(&year).map(String::as_str).unwrap_or_default());
        Some(Trace { moment, sha256: hex(&digest.finalize()) })
    }
}

/// The moments of earlier runs, each asked for once.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    passed: HashMap<String, bool>,
}

impl Moments {
    pub(crate) async fn has_passed(&mut self, traces: &dyn Traces, moment: &str) -> Result<bool> {
        if let Some(passed) = self.passed.get(moment) {
            return Ok(*passed);
        }
        let passed = traces.has_passed(&Moment::new(moment)).await?;
        self.passed.insert(moment.to_owned(), passed);
        Ok(passed)
    }
}
