//! Bars that are wrong, or were: impossible ones go into quarantine, and what was built from revised ones is doubted.

use barkeep_calendar::CalendarExt;
use barkeep_provider::{CoverageProof, Error as ProviderError};
use barkeep_store::{Commit, State};
use barkeep_types::{Symbol, TimeRange};

use crate::Result;
use crate::fetch_slice::Fetching;
use crate::outcome::Failed;

impl Fetching<'_> {
    /// Puts the bars that an error tells of into quarantine, and leaves their time in doubt; bars that came a second time
    /// are taken for never to come right. False if there is nothing to quarantine.
    pub(crate) async fn quarantine(&mut self, symbol: &Symbol, error: &ProviderError) -> Result<bool, Failed> {
        let ProviderError::InvalidData { offenders, .. } = error else { return Ok(false) };
        let (slice, series) = (self.slice, self.slice.series_of(symbol.clone()));
        let calendar = self.orchestrator.calendar_for(slice.hours);
        let time_of = |start| {
            let bar = calendar.bar_at(slice.timeframe, start)?;
            bar.intersection(&slice.range)
        };
        let ranges: Vec<TimeRange> = offenders.iter().filter_map(|offender| time_of(offender.bar.start)).collect();
        if ranges.is_empty() {
            return Ok(false);
        }
        let is_known = |range: &TimeRange| self.known.get(symbol).is_some_and(|known| known.covers(range));
        let (again, first): (Vec<TimeRange>, Vec<TimeRange>) = ranges.into_iter().partition(is_known);
        // The store refuses what cannot be true, keeps it with the reason, and doubts its time where that is proved.
        let bars = offenders.iter().map(|offender| offender.bar).collect();
        let prove = |commit: Commit, range: TimeRange| commit.with_proof(series.clone(), range, State::Covered);
        let refused = Commit::new(slice.range).with_bars(series.clone(), bars);
        self.store(first.into_iter().fold(refused, prove)).await?;
        self.store(again.into_iter().fold(Commit::new(slice.range), prove)).await?;
        Ok(true)
    }

    /// Doubts what was built from bars of time that was known before, now that they changed.
    pub(crate) async fn doubt_derived(&self, proofs: &[CoverageProof]) -> Result<(), Failed> {
        let calendar = self.orchestrator.calendar_for(self.slice.hours);
        for proof in proofs {
            let Some(known) = self.known.get(&proof.symbol) else { continue };
            let changed = known.ranges().iter().filter_map(|known| known.intersection(&proof.range));
            for range in changed {
                for &timeframe in &self.slice.derived {
                    let (Some(first), Some(last)) =
                        (calendar.bar_at(timeframe, range.start()), calendar.bar_at(timeframe, range.end()))
                    else {
                        continue;
                    };
                    let Ok(range) = TimeRange::new(first.start(), last.end()) else { continue };
                    let series = self.slice.series_in(proof.symbol.clone(), timeframe);
                    self.orchestrator.backend().store.suspect(&series, range).await?;
                }
            }
        }
        Ok(())
    }
}
