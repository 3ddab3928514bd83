//! What may happen, and how often.

use std::time::Duration;

use barkeep_alpaca_sim::{AnswerFault, Fault, WireFault};
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use chrono::{DateTime, Days, Utc};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub(super) const NAMES: [&str; 3] = ["one", "two", "three"];
pub(super) const SYMBOLS: [&str; 4] = ["AAPL", "AMD", "MSFT", "NVDA"];

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A definition asks for something else than before, narrower or wider.
    Keep(Asked),
    /// The same, planned at once; refused if it would narrow the one before.
    Batch(Asked),
    /// Somebody wants to see a symbol, over these days, now.
    Ensure { symbol: &'static str, days: Span },
    /// A definition is disabled and its slices cancelled.
    Cancel { name: &'static str },
    /// A definition is enabled again.
    Enable { name: &'static str },
    /// The planner has a look.
    Tick,
    /// Workers work, and are interrupted after so many pages.
    Work { pages: usize },
    /// Two processes work at once, and are interrupted one after the other.
    Together { pages: usize, others: usize },
    /// A worker takes so many slices and is never heard of again.
    Die { slices: u16 },
    /// The vendor fails at so many requests.
    Fault { fault: usize, times: usize },
    /// The vendor says that there is no such symbol.
    Refuse { symbol: &'static str },
    /// What it refused is forgiven.
    Forgive,
    /// Slices that failed for good are tried again.
    RetryFailed,
    /// Nothing of a kind, or of a definition, may be claimed.
    Pause { name: Option<&'static str> },
    /// All of it may be again.
    Resume,
    /// So many slices may run at once.
    Limit { slices: u32 },
    /// The vendor wants nobody to ask for a moment.
    Block { wait: Duration },
    /// Somebody doubts some days of a symbol.
    Doubt { symbol: &'static str, days: Span },
    /// The vendor has changed all that it ever told, and everything is doubted.
    Revise,
    /// All before a day is forgotten.
    Forget { before: u64 },
    /// Somebody looks for bars that cannot stay, and has them withdrawn.
    Repair,
}

/// A definition.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: &'static str,
    symbols: Vec<&'static str>,
    days: Span,
    form: Form,
}

/// Days of the year: the first, and how many.
pub(super) type Span = (u64, u64);

/// How symbols are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Hours,
    HoursOneByOne,
    HoursInPairs,
    HoursBuiltFromQuarters,
    QuartersAndDays,
}

impl Asked {
    pub(super) fn definition(&self) -> Definition {
        let symbols = self.symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
        let asked = Definition::new(self.name, symbols, vec![Timeframe::H1], Window::Fixed(range(self.days)));
        match self.form {
            Form::Hours => asked,
            Form::HoursOneByOne => Definition { batch_size: Some(1), ..asked },
            Form::HoursInPairs => Definition { batch_size: Some(2), priority: 5, ..asked },
            Form::HoursBuiltFromQuarters => Definition { derive_from: Some(Timeframe::M15), ..asked },
            Form::QuartersAndDays => Definition { timeframes: vec![Timeframe::M15, Timeframe::D1], ..asked },
        }
    }
}

pub(super) fn day(number: u64) -> DateTime<Utc> {
    let first: DateTime<Utc> = "2024-01-02T00:00:00Z".parse().unwrap();
    first + Days::new(number)
}

pub(super) fn range((from, days): Span) -> TimeRange {
    TimeRange::new(day(from), day(from + days)).unwrap()
}

pub(super) fn year() -> TimeRange {
    range((0, 365))
}

pub(super) fn faults() -> Vec<Fault> {
    let elsewhere = AnswerFault::Redirect("http://127.0.0.1:9/".into());
    vec![
        AnswerFault::Status(503).into(),
        AnswerFault::TruncatedJson.into(),
        WireFault::ResetMidBody.into(),
        // A slice fails for good.
        elsewhere.into(),
    ]
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let days = || (0..60_u64, 1..40_u64);
    let name = || select(NAMES.to_vec());
    let symbol = || select(SYMBOLS.to_vec());
    let forms =
        [Form::Hours, Form::HoursOneByOne, Form::HoursInPairs, Form::HoursBuiltFromQuarters, Form::QuartersAndDays];
    let asked = move || {
        let symbols = subsequence(SYMBOLS.to_vec(), 1..=SYMBOLS.len());
        (name(), symbols, days(), select(forms.to_vec())).prop_map(|(name, symbols, days, form)| Asked {
            name,
            symbols,
            days,
            form,
        })
    };
    prop_oneof![
        6 => asked().prop_map(Act::Keep),
        2 => asked().prop_map(Act::Batch),
        1 => (symbol(), days()).prop_map(|(symbol, days)| Act::Ensure { symbol, days }),
        2 => name().prop_map(|name| Act::Cancel { name }),
        2 => name().prop_map(|name| Act::Enable { name }),
        5 => Just(Act::Tick),
        6 => (1..6_usize).prop_map(|pages| Act::Work { pages }),
        3 => (1..6_usize, 1..6_usize).prop_map(|(pages, others)| Act::Together { pages, others }),
        2 => (1..4_u16).prop_map(|slices| Act::Die { slices }),
        3 => (0..faults().len(), 1..3_usize).prop_map(|(fault, times)| Act::Fault { fault, times }),
        1 => symbol().prop_map(|symbol| Act::Refuse { symbol }),
        1 => Just(Act::Forgive),
        1 => Just(Act::RetryFailed),
        2 => proptest::option::of(name()).prop_map(|name| Act::Pause { name }),
        2 => Just(Act::Resume),
        1 => (1..6_u32).prop_map(|slices| Act::Limit { slices }),
        1 => (1..100_u64).prop_map(|wait| Act::Block { wait: Duration::from_millis(wait) }),
        2 => (symbol(), days()).prop_map(|(symbol, days)| Act::Doubt { symbol, days }),
        1 => Just(Act::Revise),
        1 => (1..60_u64).prop_map(|before| Act::Forget { before }),
        1 => Just(Act::Repair),
    ]
}
