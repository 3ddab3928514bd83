//! Universes of series that lack bars, the same in every run.

use barkeep_calendar::{CalendarExt, Nyse};
use barkeep_planner::{Density, SeriesState};
use barkeep_types::{Coverage, Grid, Hours, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, NaiveDate, Utc};

/// Numbers that look drawn at random and are the same in every run (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Other numbers for other seeds.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    pub fn part(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.part() * end as f64) as usize
    }

    /// A length of at least 1 whose mean is `mean`, long ones ever rarer.
    pub fn length(&mut self, mean: f64) -> usize {
        1 + ((1.0 - self.part()).ln() / (1.0 - 1.0 / mean).ln()) as usize
    }

    /// Around 0, mostly within -1 and 1.
    pub fn error(&mut self) -> f64 {
        (0..12).map(|_| self.part()).sum::<f64>() - 6.0
    }
}

/// The time of a range of New York dates, the last one included.
pub fn dates(first: &str, last: &str) -> TimeRange {
    let bar = |date: &str| {
        let date: NaiveDate = date.parse().expect("a date");
        let noon = date.and_hms_opt(17, 0, 0).expect("noon in New York").and_utc();
        Nyse.bar_at(Timeframe::D1, noon).expect("a day")
    };
    TimeRange::new(bar(first).start(), bar(last).end()).expect("dates in order")
}

/// A group of series that lack something, and what the vendor really has of them.
pub struct Group {
    /// The bars that may exist.
    pub grid: Grid,
    /// When the vendor has bars.
    pub served: Vec<TimeRange>,
    /// The series.
    pub series: Vec<Series>,
}

/// One series of a group.
pub struct Series {
    /// Its name.
    pub symbol: Symbol,
    /// What was fetched already.
    pub covered: Vec<TimeRange>,
    /// What the planner was told of its density.
    pub learned: Option<Density>,
    /// How many of its bar slots have a bar, and of its minutes a trade.
    pub trades: (f64, f64),
}

impl Group {
    /// Series of the US market over extended hours that trade in every minute and of which nothing is covered.
    pub fn new(timeframe: Timeframe, symbols: usize, range: TimeRange) -> Self {
        let series = (0..symbols).map(|number| Series {
            symbol: symbol(number),
            covered: Vec::new(),
            learned: None,
            trades: (1.0, 1.0),
        });
        Self {
            grid: Nyse.grid(timeframe, Hours::Extended, range),
            served: Nyse.spans(Timeframe::M1, Hours::Extended, range),
            series: series.collect(),
        }
    }

    /// The series as the planner takes them.
    pub fn states(&self) -> Vec<SeriesState<'_>> {
        let series = self.series.iter();
        series
            .map(|Series { symbol, covered, learned, .. }| SeriesState {
                symbol,
                covered,
                live: &[],
                density: *learned,
            })
            .collect()
    }

    /// The numbers of the spans that a series lacks.
    pub fn lacking(&self, series: &Series) -> impl Iterator<Item = usize> {
        let coverage: Coverage = series.covered.iter().copied().collect();
        let spans = self.grid.spans().iter().enumerate();
        spans.filter(move |(_, span)| !coverage.covers(span)).map(|(number, _)| number)
    }

    /// When everything has settled.
    pub fn settled(&self) -> DateTime<Utc> {
        DateTime::<Utc>::MAX_UTC
    }

    /// Covers all spans but those that `lacks` says are missing.
    pub fn cover_but(&mut self, mut lacks: impl FnMut(usize) -> Vec<bool>) {
        let spans = self.grid.spans();
        for (number, series) in self.series.iter_mut().enumerate() {
            let missing = lacks(number);
            let mut ranges: Vec<TimeRange> = Vec::new();
            let mut last_missing = true;
            for (span, missing) in spans.iter().zip(&missing) {
                match ranges.last_mut() {
                    // A long fetch covers the closed time between sessions too.
                    Some(last) if !missing && !last_missing => {
                        *last = TimeRange::new(last.start(), span.end()).expect("spans are in order");
                    }
                    _ if !missing => ranges.push(*span),
                    _ => {}
                }
                last_missing = *missing;
            }
            series.covered = ranges;
        }
    }
}

/// The name of a series: three or four letters, as most have.
fn symbol(number: usize) -> Symbol {
    let letter = |place: u32| char::from(b'A' + (number / 26_usize.pow(place) % 26) as u8);
    let name: String = [3, 2, 1, 0].map(letter).iter().collect();
    name.parse().expect("letters are a symbol")
}

/// Which sessions each series of an old universe lacks: new symbols, symbols whose fetching stopped, outages of the
/// provider, and holes here and there.
pub fn ragged(symbols: usize, sessions: usize, seed: u64) -> Vec<Vec<bool>> {
    let mut dice = Dice::new(seed);
    let mut missing = vec![vec![false; sessions]; symbols];
    for row in &mut missing {
        let kind = dice.part();
        let lacks_from = if kind < 0.03 {
            0
        } else if kind < 0.10 {
            dice.below(sessions)
        } else {
            sessions
        };
        row[lacks_from..].fill(true);
        for _ in 0..dice.below(10) {
            let start = dice.below(sessions);
            let end = (start + dice.length(3.5)).min(sessions);
            row[start..end].fill(true);
        }
    }
    for _ in 0..sessions / 40 {
        let (start, length) = (dice.below(sessions), 1 + dice.below(3));
        let end = (start + length).min(sessions);
        let share = 0.1 + 0.4 * dice.part();
        for row in &mut missing {
            if dice.part() < share {
                row[start..end].fill(true);
            }
        }
    }
    missing
}

/// The same number of holes, but of one kind: their lengths geometric, their starts anywhere.
pub fn scattered(symbols: usize, sessions: usize, seed: u64) -> Vec<Vec<bool>> {
    let mut dice = Dice::new(seed);
    let hole = |row: &mut Vec<bool>, dice: &mut Dice| {
        let start = dice.below(sessions);
        let end = (start + dice.length(9.3)).min(sessions);
        row[start..end].fill(true);
    };
    (0..symbols)
        .map(|_| {
            let mut row = vec![false; sessions];
            (0..dice.below(15)).for_each(|_| hole(&mut row, &mut dice));
            row
        })
        .collect()
}
