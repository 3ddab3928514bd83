use barkeep_types::{Bar, Grid};

/// Puts bars together to bars of a coarser grid.
///
/// - A bar belongs to the grid's bar that its start lies in, and is labelled by that one's start. Bars in closed time
///   are left out. A grid's bar in which nothing traded does not come.
/// - Open is the first one's, close the last one's, high the highest, low the lowest; volumes and trade counts are summed.
/// - The vwap is weighted by volume. It is none if a bar that traded has none, or if nothing traded; the trade count is
///   none if one of the bars has none: a sum of a part is no sum.
///
/// Whether everything was there to be put together is not its business: see [`Store::coverage`](crate::Store::coverage).
#[derive(Clone, Debug)]
pub struct Resampler {
    grid: Grid,
    open: Option<Open>,
}

/// A bar that may still grow.
#[derive(Clone, Copy, Debug)]
struct Open {
    slot: u32,
    bar: Bar,
    /// What was paid in all; `None` once a bar did not say.
    turnover: Option<f64>,
}

impl Resampler {
    /// Starts with no bar.
    pub fn new(grid: Grid) -> Self {
        Self { grid, open: None }
    }

    /// Takes the next bar; gives one that no later bar can change. Bars must come in order.
    pub fn push(&mut self, bar: &Bar) -> Option<Bar> {
        let slot = self.grid.slot(bar.start)?;
        match &mut self.open {
            Some(open) if open.slot == slot => {
                open.add(bar);
                None
            }
            _ => {
                let start = self.grid.bar(slot)?.start();
                let next = Open { slot, bar: Bar { start, ..*bar }, turnover: turnover(bar) };
                self.open.replace(next).map(Open::close)
            }
        }
    }

    /// Gives the last bar.
    pub fn finish(&mut self) -> Option<Bar> {
        self.open.take().map(Open::close)
    }
}

impl Open {
    fn add(&mut self, next: &Bar) {
        let bar = &mut self.bar;
        bar.high = bar.high.max(next.high);
        bar.low = bar.low.min(next.low);
        bar.close = next.close;
        bar.volume += next.volume;
        bar.trade_count = bar.trade_count.zip(next.trade_count).map(|(left, right)| left.saturating_add(right));
        self.turnover = self.turnover.zip(turnover(next)).map(|(left, right)| left + right);
    }

    fn close(self) -> Bar {
        let vwap = self.turnover.filter(|_| self.bar.volume > 0.0).map(|turnover| turnover / self.bar.volume);
        Bar { vwap, ..self.bar }
    }
}

/// What was paid for a bar's volume: nothing for nothing, whether or not there is a price for it.
fn turnover(bar: &Bar) -> Option<f64> {
    if bar.volume == 0.0 { Some(0.0) } else { bar.vwap.map(|vwap| vwap * bar.volume) }
}

#[cfg(test)]
mod tests {
    use barkeep_types::{TimeRange, Timeframe};
    use chrono::{DateTime, Utc};

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(60 * minute, 0).unwrap()
    }

    fn bar(minute: i64, price: f64, volume: f64) -> Bar {
        Bar {
            start: at(minute),
            open: price,
            high: price + 1.0,
            low: price - 1.0,
            close: price + 0.5,
            volume,
            vwap: Some(price),
            trade_count: Some(2),
        }
    }

    fn resampled(spans: &[(i64, i64)], bars: &[Bar]) -> Vec<Bar> {
        let spans = spans.iter().map(|(from, to)| TimeRange::new(at(*from), at(*to)).unwrap()).collect();
        let mut resampler = Resampler::new(Grid::new(Timeframe::M5, spans));
        let mut out: Vec<_> = bars.iter().filter_map(|bar| resampler.push(bar)).collect();
        out.extend(resampler.finish());
        out
    }

    #[test]
    fn bars_are_put_together_by_the_rules() {
        let five = resampled(&[(0, 390)], &[bar(1, 10.0, 100.0), bar(2, 20.0, 300.0), bar(5, 12.0, 7.0)]);
        let first = Bar {
            start: at(0),
            open: 10.0,
            high: 21.0,
            low: 9.0,
            close: 20.5,
            volume: 400.0,
            vwap: Some(17.5),
            trade_count: Some(4),
        };
        assert_eq!(five, [first, bar(5, 12.0, 7.0)]);
    }

    #[test]
    fn a_grid_follows_its_spans_and_not_the_clock() {
        let starts = |spans: &[(i64, i64)], minutes: &[i64]| {
            let bars: Vec<_> = minutes.iter().map(|minute| bar(*minute, 10.0, 1.0)).collect();
            resampled(spans, &bars).iter().map(|bar| bar.start).collect::<Vec<_>>()
        };
        assert_eq!(starts(&[(3, 10), (20, 30)], &[3, 7, 8, 9, 15, 24, 25]), [at(3), at(8), at(20), at(25)]);
        assert!(starts(&[], &[1]).is_empty());
    }

    #[test]
    fn a_sum_of_a_part_is_no_sum() {
        let silent = Bar { vwap: None, trade_count: None, ..bar(1, 10.0, 5.0) };
        let five = resampled(&[(0, 5)], &[bar(0, 10.0, 5.0), silent]);
        assert_eq!((five[0].vwap, five[0].trade_count, five[0].volume), (None, None, 10.0));
        let quiet = Bar { vwap: None, ..bar(1, 10.0, 0.0) };
        assert_eq!(resampled(&[(0, 5)], &[bar(0, 10.0, 5.0), quiet])[0].vwap, Some(10.0));
        assert_eq!(resampled(&[(0, 5)], &[quiet])[0].vwap, None);
    }
}
