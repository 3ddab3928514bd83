use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::RangeInclusive;

use barkeep_provider::{Error, Result};
use barkeep_types::{Adjustment, Series, Symbol};
use chrono::NaiveDate;
use serde::Deserialize;

use crate::Alpaca;

/// What happened to a stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ActionKind {
    /// Shares were split or merged.
    Split,
    /// Shares were given out.
    StockDividend,
    /// Cash was given out.
    CashDividend,
    /// A part of the company became one of its own.
    SpinOff,
    /// It trades under another name.
    NameChange,
}

/// A corporate action that changes what a vendor says of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorporateAction {
    /// What happened.
    pub kind: ActionKind,
    /// To whom; under both names after a change of name.
    pub symbols: BTreeSet<Symbol>,
    /// When Alpaca processed it. It may become known later than that: ask again with some overlap.
    pub processed_on: NaiveDate,
}

/// The kinds that matter, as they are asked for and as they come.
const KINDS: [(&str, &str, ActionKind); 7] = [
    ("forward_split", "forward_splits", ActionKind::Split),
    ("reverse_split", "reverse_splits", ActionKind::Split),
    ("unit_split", "unit_splits", ActionKind::Split),
    ("stock_dividend", "stock_dividends", ActionKind::StockDividend),
    ("cash_dividend", "cash_dividends", ActionKind::CashDividend),
    ("spin_off", "spin_offs", ActionKind::SpinOff),
    ("name_change", "name_changes", ActionKind::NameChange),
];
/// More pages than the actions of any ten years.
const MOST_PAGES: u32 = 1_000;
/// Up to so many symbols are named; for more it is cheaper to ask for all.
const MOST_NAMED: usize = 200;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    corporate_actions: BTreeMap<String, Option<Vec<Row>>>,
    next_page_token: Option<String>,
}

/// An action of any kind. Each kind names whom it befell in fields of its own.
#[derive(Deserialize)]
struct Row {
    symbol: Option<String>,
    source_symbol: Option<String>,
    old_symbol: Option<String>,
    new_symbol: Option<String>,
    process_date: NaiveDate,
}

impl CorporateAction {
    /// Whether a series fetched before this is no longer what the vendor would give.
    ///
    /// Raw bars stay as they were, except that after a change of name the new one takes over the old one's history.
    pub fn makes_stale(&self, series: &Series) -> bool {
        let rewritten = match self.kind {
            ActionKind::NameChange => return self.symbols.contains(&series.symbol),
            ActionKind::Split => Adjustment::SPLIT,
            ActionKind::StockDividend => Adjustment::SPLIT | Adjustment::DIVIDEND,
            ActionKind::CashDividend => Adjustment::DIVIDEND,
            ActionKind::SpinOff => Adjustment::SPIN_OFF,
        };
        let parts = [Adjustment::SPLIT, Adjustment::DIVIDEND, Adjustment::SPIN_OFF];
        let has = |all: Adjustment, part: Adjustment| all | part == all;
        self.symbols.contains(&series.symbol)
            && parts.into_iter().any(|part| has(rewritten, part) && has(series.adjustment, part))
    }
}

impl Alpaca {
    /// The corporate actions that Alpaca processed on `dates` and that change the past; of all stocks, or of `symbols`
    /// if any are given.
    ///
    /// # Errors
    ///
    /// [`Error`] as from a request for bars.
    pub async fn corporate_actions(
        &self,
        symbols: &[Symbol],
        dates: RangeInclusive<NaiveDate>,
    ) -> Result<Vec<CorporateAction>> {
        let wanted: BTreeSet<&Symbol> = symbols.iter().collect();
        let (start, end) = (dates.start().to_string(), dates.end().to_string());
        let names = wanted.iter().map(|symbol| symbol.as_str()).collect::<Vec<_>>().join(",");
        let types = KINDS.map(|(kind, ..)| kind).join(",");
        let mut query = vec![("types", types.as_str()), ("start", &start), ("end", &end), ("limit", "1000")];
        if !wanted.is_empty() && wanted.len() <= MOST_NAMED {
            query.push(("symbols", &names));
        }
        let (mut actions, mut token, mut seen) = (Vec::new(), None::<String>, HashSet::new());
        for pages in 1..=MOST_PAGES {
            let mut query = query.clone();
            query.extend(token.as_deref().map(|token| ("page_token", token)));
            let answer: Answer = self.get_data(&["v1", "corporate-actions"], &query).await?;
            actions.extend(read(answer.corporate_actions));
            let Some(next) = answer.next_page_token.filter(|next| !next.is_empty()) else {
                actions.retain(|action| wanted.is_empty() || action.symbols.iter().any(|of| wanted.contains(of)));
                return Ok(actions);
            };
            if !seen.insert(next.clone()) {
                return Err(Error::PaginationLoop { detail: "a token that came before", pages });
            }
            token = Some(next);
        }
        Err(Error::PaginationLoop { detail: "more pages than actions can explain", pages: MOST_PAGES })
    }

    /// Which of `series` became stale by what Alpaca processed on `dates`: to be fetched anew, from the beginning.
    ///
    /// # Errors
    ///
    /// [`Error`] as from a request for bars.
    pub async fn stale(&self, series: &[Series], dates: RangeInclusive<NaiveDate>) -> Result<Vec<Series>> {
        let symbols: Vec<Symbol> = series.iter().map(|series| series.symbol.clone()).collect();
        if symbols.is_empty() {
            return Ok(Vec::new());
        }
        let actions = self.corporate_actions(&symbols, dates).await?;
        let is_stale = |series: &&Series| actions.iter().any(|action| action.makes_stale(series));
        Ok(series.iter().filter(is_stale).cloned().collect())
    }
}

fn read(by_kind: BTreeMap<String, Option<Vec<Row>>>) -> impl Iterator<Item = CorporateAction> {
    let kind = |name: &str| KINDS.iter().find(|(_, plural, _)| *plural == name).map(|(.., kind)| *kind);
    let known = by_kind.into_iter().filter_map(move |(name, rows)| Some((kind(&name)?, rows?)));
    known.flat_map(|(kind, rows)| {
        rows.into_iter().map(move |row| {
            let names = match kind {
                // The new share of a spin-off has no past that could change.
                ActionKind::SpinOff => [row.source_symbol.or(row.symbol), None, None],
                _ => [row.symbol, row.old_symbol, row.new_symbol],
            };
            let symbols = names.into_iter().flatten().filter_map(|name| name.parse().ok()).collect();
            CorporateAction { kind, symbols, processed_on: row.process_date }
        })
    })
}

#[cfg(test)]
mod tests {
    use barkeep_types::{Feed, Timeframe};

    use super::*;

    fn actions(json: &str) -> Vec<CorporateAction> {
        read(serde_json::from_str::<Answer>(json).unwrap().corporate_actions).collect()
    }

    fn is_stale(action: &CorporateAction, symbol: &str, adjustment: &str) -> bool {
        action.makes_stale(&Series {
            symbol: symbol.parse().unwrap(),
            timeframe: Timeframe::D1,
            feed: Feed::SIP,
            adjustment: adjustment.parse().unwrap(),
        })
    }

    #[test]
    fn an_action_makes_the_series_stale_that_are_adjusted_for_it() {
        let actions = actions(
            r#"{"corporate_actions":{
                "forward_splits":[{"id":"1","symbol":"NVDA","new_rate":10,"old_rate":1,"process_date":"2024-06-10"}],
                "cash_dividends":[{"symbol":"AAPL","rate":0.25,"process_date":"2024-05-16","ex_date":"2024-05-10"}],
                "spin_offs":[{"source_symbol":"GE","new_symbol":"GEV","process_date":"2024-04-02"}],
                "cash_mergers":[{"acquiree_symbol":"X","process_date":"2024-04-02"}],
                "unit_splits":null},"next_page_token":null}"#,
        );
        let [dividend, split, spin_off] = &actions[..] else { panic!("{actions:?}") };
        for (action, symbol, stale, fresh) in [
            (split, "NVDA", &["split", "all", "split,dividend"][..], &["raw", "dividend"][..]),
            (dividend, "AAPL", &["dividend", "all"], &["raw", "split", "spin-off"]),
            (spin_off, "GE", &["spin-off", "all"], &["raw", "split", "dividend"]),
        ] {
            assert!(stale.iter().all(|adjustment| is_stale(action, symbol, adjustment)), "{symbol}");
            assert!(!fresh.iter().any(|adjustment| is_stale(action, symbol, adjustment)), "{symbol}");
            assert!(!is_stale(action, "MSFT", "all"));
        }
        assert!(!is_stale(spin_off, "GEV", "all"));
    }

    #[test]
    fn a_change_of_name_makes_both_names_stale_even_raw() {
        let actions = actions(
            r#"{"corporate_actions":{"name_changes":[
                {"old_symbol":"FB","new_symbol":"META","process_date":"2022-06-09"}]}}"#,
        );
        assert!(is_stale(&actions[0], "FB", "raw") && is_stale(&actions[0], "META", "all"));
    }
}
