//! What the pages come to, once they have been checked.

use barkeep_types::{Bar, TimeRange};
use futures::{StreamExt, TryStreamExt};

use super::Subject;
use super::differences::{BySymbol, assert_same, by_symbol};
use crate::{Error, Fetched, ProviderExt};

/// The bars of the whole request, from a provider that may refuse symbols.
async fn fetched(subject: &Subject) -> (BySymbol, Vec<Fetched>, u64) {
    let mut fetch = subject.provider.fetch(subject.request.clone());
    let fetched: Result<Vec<Fetched>, Error> = fetch.by_ref().try_collect().await;
    let fetched = fetched.unwrap_or_else(|error| panic!("the pages do not stand up to being checked: {error}"));
    let pages = fetched.iter().filter_map(|fetched| match fetched {
        Fetched::Page(page) => Some(page.bars.clone()),
        Fetched::Rejected { .. } => None,
    });
    (by_symbol(pages.flatten()), fetched, fetch.calls())
}

/// All bars, and nothing but them, whatever the pages: on many pages, and on one where several symbols meet.
pub async fn the_pages_together_are_the_truth(subject: Subject) {
    let answer = subject.answer(&subject.request).await;
    assert_same("the pages together are not the truth", &answer, &subject.truth());
    let range = subject.short();
    let (answer, mut truth) = (subject.answer(&subject.request.over(range)).await, subject.truth());
    for bars in truth.values_mut() {
        bars.retain(|bar| range.contains(bar.start));
    }
    truth.retain(|_, bars| !bars.is_empty());
    assert_same(&format!("the pages over {range} are not the truth"), &answer, &truth);
}

/// What an answer costs is told: at least a request for each page.
pub async fn every_page_counts_as_a_call(subject: Subject) {
    let (_, fetched, calls) = fetched(&subject).await;
    assert!(calls >= fetched.len() as u64, "{calls} calls are counted for {} pages", fetched.len());
}

/// Ranges are half-open: a bar that starts at the end belongs to the next range.
pub async fn the_start_is_in_the_range_and_the_end_is_not(subject: Subject) {
    let (symbol, bars) = (subject.truth[0].symbol.clone(), subject.truth[0].bars.clone());
    let (first, last) = (bars[0], subject.middle());
    let range = TimeRange::new(first.start, last.start).expect("a middle after the first");
    let mut answer = subject.answer(&subject.request.over(range)).await;
    answer.retain(|of, _| *of == symbol);
    let within: Vec<Bar> = bars.iter().filter(|bar| bar.start < last.start).copied().collect();
    assert_same(&format!("of the half-open range {range}"), &answer, &[(symbol, within)].into());
}

/// Two ranges that meet have all bars between them, and none in common.
pub async fn neighbouring_ranges_share_no_bar(subject: Subject) {
    let (range, middle) = (subject.request.range(), subject.middle().start);
    let mut both = BySymbol::new();
    for half in [range.before(middle), range.from(middle)].into_iter().flatten() {
        for (symbol, bars) in subject.answer(&subject.request.over(half)).await {
            both.entry(symbol).or_default().extend(bars);
        }
    }
    assert_same(&format!("before and after {middle}"), &both, &subject.truth());
}

/// The company of other symbols changes nothing.
pub async fn a_symbol_alone_has_the_bars_that_it_has_among_others(subject: Subject) {
    let of = &subject.truth[1];
    let alone = subject.request.keep(|symbol| **symbol == of.symbol).expect("a symbol");
    let answer = subject.answer(&alone).await;
    assert_same("asked for alone", &answer, &[(of.symbol.clone(), of.bars.clone())].into());
}

/// A symbol that the vendor does not know is left out or set aside, and the others come.
pub async fn a_symbol_without_bars_harms_nobody(subject: Subject) {
    let (bars, fetched, _) = fetched(&subject).await;
    for fetched in &fetched {
        if let Fetched::Rejected { symbol, error } = fetched {
            let has_bars = subject.truth.iter().any(|of| of.symbol == *symbol);
            assert!(!has_bars, "{symbol} is set aside, though the truth has bars of it: {error}");
        }
    }
    assert_same("with a symbol among them that has no bars", &bars, &subject.truth());
}

/// No bars is an answer like any other.
pub async fn a_range_without_bars_has_an_empty_answer(subject: Subject) {
    let start = subject.middle().start + chrono::TimeDelta::nanoseconds(1);
    let range = TimeRange::new(start, start + chrono::TimeDelta::nanoseconds(1)).expect("an instant");
    let pages = subject.proven(&subject.request.over(range)).await;
    let count: usize = pages.iter().map(crate::ProvenPage::bar_count).sum();
    assert_eq!(count, 0, "no bar starts in {range}");
    assert!(pages.last().is_some_and(|last| last.is_last), "an answer without bars is one page or more");
}

/// A request that is given up leaves nothing behind that would spoil the next.
pub async fn a_dropped_request_harms_nobody(subject: Subject) {
    let first = subject.provider.page(&subject.request, None);
    drop(tokio::time::timeout(std::time::Duration::ZERO, first).await);
    let answer = subject.answer(&subject.request).await;
    assert_same("after a request that was given up", &answer, &subject.truth());
}
