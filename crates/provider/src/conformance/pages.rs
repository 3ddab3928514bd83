//! What the pages themselves must be, before anything is done to them.

use chrono::{DateTime, Utc};

use super::Subject;
use crate::{BarsRequest, Page};

/// The pages of the whole request, and those of a short one, where a page holds several symbols.
async fn all(subject: &Subject) -> [(BarsRequest, Vec<Page>); 2] {
    let (whole, short) = (subject.request.clone(), subject.request.over(subject.short()));
    let (pages, few) = (subject.raw(&whole).await, subject.raw(&short).await);
    [(whole, pages), (short, few)]
}

/// Symbols come in the order of their bytes, each with its earliest bars first, over all pages.
pub async fn pages_are_sorted_by_symbol_then_time(subject: Subject) {
    for (_, pages) in all(&subject).await {
        let order: Vec<_> = pages
            .iter()
            .enumerate()
            .flat_map(|(number, page)| page.bars.iter().map(move |of| (number + 1, of)))
            .flat_map(|(number, of)| of.bars.iter().map(move |bar| (&of.symbol, bar.start, number)))
            .collect();
        // A page's last bar may come again with the next page.
        for pair in order.windows(2) {
            let [(symbol, start, _), (next, next_start, page)] = pair else { continue };
            assert!(
                (symbol, start) <= (next, next_start),
                "page {page} is not sorted by symbol, then by time: {next} at {next_start} comes after {symbol} at {start}"
            );
        }
    }
}

/// Bars are of the symbols asked for and start within the range, on whole minutes.
pub async fn pages_hold_only_what_was_asked_for(subject: Subject) {
    let is_whole_minute = |at: DateTime<Utc>| at.timestamp() % 60 == 0 && at.timestamp_subsec_nanos() == 0;
    for (request, pages) in all(&subject).await {
        let range = request.range();
        for (number, page) in pages.iter().enumerate().map(|(index, page)| (index + 1, page)) {
            for of in &page.bars {
                let symbol = &of.symbol;
                let is_asked_for = request.symbols().contains(symbol);
                assert!(
                    is_asked_for || of.bars.is_empty(),
                    "page {number} has bars of {symbol}, which was not asked for"
                );
                for start in of.bars.iter().map(|bar| bar.start) {
                    assert!(range.contains(start), "page {number} has {symbol} at {start}, outside of {range}");
                    assert!(is_whole_minute(start), "page {number} has {symbol} at {start}, which is no whole minute");
                }
            }
        }
    }
}

/// No page has more bars than the limits say.
pub async fn pages_keep_to_the_limit(subject: Subject) {
    let most = subject.provider.limits().bars_a_page as usize;
    for (number, page) in subject.raw(&subject.request).await.iter().enumerate() {
        let count: usize = page.bars.iter().map(|of| of.bars.len()).sum();
        assert!(count <= most, "page {} has {count} bars, but the limits say at most {most}", number + 1);
    }
}

/// Following tokens ends, after more than one page.
pub async fn tokens_lead_to_an_end(subject: Subject) {
    let pages = subject.raw(&subject.request).await;
    assert!(pages.len() > 1, "the first page has no token, so nothing leads to the bars that do not fit on it");
}

/// A page that is asked for again is the same page.
pub async fn the_same_question_has_the_same_answer(subject: Subject) {
    let bars = |pages: Vec<Page>| pages.into_iter().map(|page| page.bars).collect::<Vec<_>>();
    let (first, again) = (bars(subject.raw(&subject.request).await), bars(subject.raw(&subject.request).await));
    let differs = first.iter().zip(&again).position(|(one, other)| one != other);
    assert_eq!(differs, None, "this page, counted from 0, is another when it is asked for again");
    assert_eq!(first.len(), again.len(), "there are as many pages when they are asked for again");
}
