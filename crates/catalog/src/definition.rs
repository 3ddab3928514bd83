use std::collections::BTreeMap;

use barkeep_types::{Adjustment, Feed, Hours, Series, Symbol, Timeframe};
use serde::{Deserialize, Serialize};

use crate::faults::{Fault, Faults};
use crate::window::Window;

/// What is to be kept filled: symbols in timeframes, over a window.
///
/// One definition may hold 1 symbol or 10,000: how they are packed into requests is not its business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The definition's name: 1 to 64 letters, digits, `_`, `-` or `.`. Case counts.
    pub name: String,
    /// The symbols, each once.
    pub symbols: Vec<Symbol>,
    /// The timeframes, each once.
    pub timeframes: Vec<Timeframe>,
    /// The feed.
    pub feed: Feed,
    /// What prices are adjusted for.
    pub adjustment: Adjustment,
    /// Which part of the day.
    pub hours: Hours,
    /// The time to keep filled.
    pub window: Window,
    /// What goes first: the higher, the earlier.
    pub priority: i16,
    /// Whether it is kept filled at present.
    pub enabled: bool,
    /// The most symbols of a slice; the vendor's own limit if none is given. 1 makes slices of single symbols.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u32>,
    /// Builds its coarser timeframes up to `h4` from bars of this one, `m1` or `m15`, instead of fetching them. Days, weeks
    /// and months are always fetched: they are more than the sum of their minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derive_from: Option<Timeframe>,
    /// What the user says about it; barkeep does not read it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

impl Definition {
    /// The most symbols a definition may have.
    pub const MAX_SYMBOLS: usize = 10_000;

    /// An enabled definition with the usual choices: SIP, raw, regular hours, priority 0, everything fetched, no labels.
    pub fn new(name: impl Into<String>, symbols: Vec<Symbol>, timeframes: Vec<Timeframe>, window: Window) -> Self {
        Self {
            name: name.into(),
            symbols,
            timeframes,
            feed: Feed::SIP,
            adjustment: Adjustment::RAW,
            hours: Hours::Regular,
            window,
            priority: 0,
            enabled: true,
            batch_size: None,
            derive_from: None,
            labels: BTreeMap::new(),
        }
    }

    /// Every series it names, by timeframe, then symbol.
    pub fn series(&self) -> impl Iterator<Item = Series> {
        self.timeframes.iter().flat_map(move |&timeframe| {
            self.symbols.iter().map(move |symbol| Series {
                symbol: symbol.clone(),
                timeframe,
                feed: self.feed.clone(),
                adjustment: self.adjustment,
            })
        })
    }

    /// Whether bars of `timeframe` are built from those of [`derive_from`](Self::derive_from).
    pub fn is_derived(&self, timeframe: Timeframe) -> bool {
        let minutes = self.derive_from.and_then(Timeframe::minutes).zip(timeframe.minutes());
        minutes.is_some_and(|(source, wanted)| wanted > source)
    }

    /// Tells whether the definition can be kept filled.
    ///
    /// # Errors
    ///
    /// Every fault it has, not only the first.
    pub fn check(&self) -> Result<(), Faults> {
        let mut faults = Vec::new();
        check_name(&self.name, &mut faults);
        check_list(&self.symbols, "symbols", &mut faults);
        if self.symbols.len() > Self::MAX_SYMBOLS {
            faults.push(Fault::TooManySymbols(self.symbols.len()));
        }
        check_list(&self.timeframes, "timeframes", &mut faults);
        if let Window::LastDays(days) = self.window
            && !(1..=Window::MAX_DAYS).contains(&days)
        {
            faults.push(Fault::Days(days));
        }
        if self.batch_size == Some(0) {
            faults.push(Fault::BatchSize);
        }
        if let Some(source) = self.derive_from
            && !matches!(source, Timeframe::M1 | Timeframe::M15)
        {
            faults.push(Fault::Source(source));
        }
        check_labels(&self.labels, &mut faults);
        Faults::none_or(faults)
    }
}

fn check_name(name: &str, faults: &mut Vec<Fault>) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
        faults.push(Fault::Name(name.to_owned()));
    }
}

fn check_list<T: Ord + ToString>(list: &[T], of: &'static str, faults: &mut Vec<Fault>) {
    if list.is_empty() {
        faults.push(Fault::Missing(of));
    }
    let mut sorted: Vec<&T> = list.iter().collect();
    sorted.sort();
    let mut doubled: Vec<&T> = sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    doubled.dedup();
    faults.extend(doubled.into_iter().map(|item| Fault::Doubled(item.to_string())));
}

fn check_labels(labels: &BTreeMap<String, String>, faults: &mut Vec<Fault>) {
    const MOST: usize = 64;
    const LONGEST: usize = 256;
    if labels.len() > MOST {
        faults.push(Fault::TooManyLabels(labels.len()));
    }
    let fits = |text: &str| text.len() <= LONGEST && !text.chars().any(char::is_control);
    faults.extend(
        labels
            .iter()
            .filter(|(key, value)| key.is_empty() || !fits(key) || !fits(value))
            .map(|(key, _)| Fault::Label(key.clone())),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    fn faults(change: impl FnOnce(&mut Definition)) -> Vec<Fault> {
        let mut definition = presets::tech20();
        change(&mut definition);
        definition.check().err().map(|faults| faults.reasons().to_vec()).unwrap_or_default()
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let all = faults(|definition| {
            definition.name = "no spaces".into();
            definition.symbols[1] = definition.symbols[0].clone();
            definition.timeframes = vec![];
            definition.window = Window::LastDays(40_000);
            definition.batch_size = Some(0);
            definition.derive_from = Some(Timeframe::H1);
            definition.labels = [("desk".into(), "line\nline".into())].into();
        });
        let expected = [
            Fault::Name("no spaces".into()),
            Fault::Doubled("AAPL".into()),
            Fault::Missing("timeframes"),
            Fault::Days(40_000),
            Fault::BatchSize,
            Fault::Source(Timeframe::H1),
            Fault::Label("desk".into()),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn only_what_is_coarser_than_its_source_and_shorter_than_a_day_is_derived() {
        let derived = |source| {
            let definition = Definition { derive_from: source, ..presets::tech20() };
            Timeframe::ALL.into_iter().filter(|timeframe| definition.is_derived(*timeframe)).collect::<Vec<_>>()
        };
        assert_eq!(derived(None), []);
        assert_eq!(derived(Some(Timeframe::M15)), [Timeframe::M30, Timeframe::H1, Timeframe::H4]);
        assert_eq!(derived(Some(Timeframe::M1)).len(), 5);
    }

    #[test]
    fn a_definition_holds_up_to_ten_thousand_symbols() {
        let many = |count: usize| {
            faults(|definition| {
                definition.symbols = (0..count).map(|number| format!("S{number}").parse().unwrap()).collect();
            })
        };
        assert_eq!(many(1), []);
        assert_eq!(many(10_000), []);
        assert_eq!(many(10_001), [Fault::TooManySymbols(10_001)]);
        assert_eq!(many(0), [Fault::Missing("symbols")]);
    }

    #[test]
    fn a_long_list_of_faults_makes_a_short_message() {
        let wrong: Vec<_> = (0..10_000).map(|number| format!("S {number}")).collect();
        let draft = crate::Draft { name: "all".into(), symbols: wrong, days: Some(1), ..Default::default() };
        let error = draft.check().unwrap_err();
        assert_eq!(error.reasons().len(), 10_001);
        assert!(error.to_string().len() < 4_000 && error.to_string().ends_with("and 9981 more"), "{error}");
    }
}
