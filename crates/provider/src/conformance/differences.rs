use std::collections::{BTreeMap, BTreeSet};

use barkeep_types::{Bar, Symbol};
use chrono::{DateTime, Utc};

use crate::SymbolBars;

pub(super) type BySymbol = BTreeMap<Symbol, Vec<Bar>>;

pub(super) fn by_symbol(bars: impl IntoIterator<Item = SymbolBars>) -> BySymbol {
    let mut all = BySymbol::new();
    for of in bars {
        all.entry(of.symbol).or_default().extend(of.bars);
    }
    all.retain(|_, bars| !bars.is_empty());
    all
}

/// Panics with what is missing, what is too much and what has other values, if anything.
#[track_caller]
pub(super) fn assert_same(what: &str, answer: &BySymbol, truth: &BySymbol) {
    let symbols: BTreeSet<&Symbol> = answer.keys().chain(truth.keys()).collect();
    let of = |all: &BySymbol, symbol| all.get(symbol).cloned().unwrap_or_default();
    let wrong: Vec<String> = symbols
        .into_iter()
        .filter_map(|symbol| Some(format!("{symbol} {}", difference(&of(answer, symbol), &of(truth, symbol))?)))
        .collect();
    assert!(wrong.is_empty(), "{what}: {}", wrong.join("; "));
}

fn difference(answer: &[Bar], truth: &[Bar]) -> Option<String> {
    if answer == truth {
        return None;
    }
    let starts = |bars: &[Bar]| bars.iter().map(|bar| bar.start).collect::<BTreeSet<_>>();
    let (given, known) = (starts(answer), starts(truth));
    let told = |starts: Vec<&DateTime<Utc>>, what: &str| {
        starts.first().map(|first| format!("{what} {} of {} bars, the first at {first}", starts.len(), known.len()))
    };
    let missing = told(known.difference(&given).collect(), "lacks");
    let surplus = || {
        let extra: Vec<_> = given.difference(&known).collect();
        extra.first().map(|first| format!("has {} bars too many, the first at {first}", extra.len()))
    };
    let other = || {
        let is_other = |(given, known): &(&Bar, &Bar)| given != known;
        let (given, known) = answer.iter().zip(truth).find(is_other)?;
        Some(format!("has another bar at {} than it should: {given:?}, not {known:?}", known.start))
    };
    missing.or_else(surplus).or_else(other).or_else(|| Some("has bars twice".to_owned()))
}
