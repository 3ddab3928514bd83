//! The suite's own tests: providers that are wrong in one way each, and what the suite says of them.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use barkeep_types::TimeRange;
use chrono::TimeDelta;
use futures::FutureExt;

use super::*;
use crate::example::{at, bar, memory, of, request, symbol};
use crate::testing::{MemoryProvider, Refusal};
use crate::{Answer, Limits, Result};

/// A vendor that is asked for something else than it should be, or whose pages are changed on their way.
struct Wrong {
    vendor: MemoryProvider,
    ask: fn(&BarsRequest) -> BarsRequest,
    answer: fn(usize, Page) -> Result<Page>,
    answers: AtomicUsize,
}

impl std::fmt::Debug for Wrong {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Wrong")
    }
}

#[async_trait]
impl Provider for Wrong {
    fn limits(&self) -> Limits {
        self.vendor.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        let page = self.vendor.page(&(self.ask)(request), token).await?;
        (self.answer)(self.answers.fetch_add(1, Ordering::Relaxed), page)
    }
}

fn vendor(bars_a_page: u32) -> MemoryProvider {
    memory(bars_a_page, &[of("A", -9..19), of("C", -9..19)])
}

/// Minutes 0 to 9 of A and C, and of B, which is not known: 20 bars, so many on a page.
fn subject(provider: impl Provider) -> Subject {
    Subject::new(provider, request(&["A", "B", "C"], 10), vec![of("A", 0..10), of("C", 0..10)])
}

fn asking(bars_a_page: u32, ask: fn(&BarsRequest) -> BarsRequest) -> Subject {
    subject(Wrong { vendor: vendor(bars_a_page), ask, answer: |_, page| Ok(page), answers: AtomicUsize::new(0) })
}

fn answering(bars_a_page: u32, answer: fn(usize, Page) -> Result<Page>) -> Subject {
    subject(Wrong { vendor: vendor(bars_a_page), ask: BarsRequest::clone, answer, answers: AtomicUsize::new(0) })
}

/// A page with other bars.
fn with(mut page: Page, change: impl FnOnce(&mut Vec<SymbolBars>)) -> Result<Page> {
    change(&mut page.bars);
    Ok(page)
}

/// What a case says when it fails.
async fn said(case: impl Future<Output = ()>) -> String {
    let panic = AssertUnwindSafe(case).catch_unwind().await.expect_err("a wrong provider is found out");
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a failure says what is wrong")
}

macro_rules! found_out {
    ($($name:ident: $subject:expr => $($case:ident)::+ says $words:literal;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                let said = said($($case)::+($subject)).await;
                assert!(said.contains($words), "{said}");
            }
        )+
    };
}

found_out! {
    a_dropped_token: answering(8, |_, page| Ok(Page { next: None, ..page }))
        => tokens_lead_to_an_end says "the first page has no token";
    bars_lost_with_a_dropped_token: answering(8, |_, page| Ok(Page { next: None, ..page }))
        => the_pages_together_are_the_truth says "A lacks 2 of 10 bars, the first at 2024-03-08 00:08:00 UTC; C lacks 10";
    an_end_that_is_ignored: asking(8, |request| request.over(TimeRange::new(request.range().start(), at(99)).unwrap()))
        => pages_hold_only_what_was_asked_for says "outside of";
    an_end_that_is_taken_in: asking(19, |request| {
            let range = request.range();
            request.over(TimeRange::new(range.start(), range.end() + TimeDelta::minutes(1)).unwrap())
        })
        => pages_hold_only_what_was_asked_for says "page 1 has A at 2024-03-08 00:10:00 UTC, outside of";
    a_start_that_is_ignored: asking(8, |request| request.over(TimeRange::new(at(-99), request.range().end()).unwrap()))
        => pages_hold_only_what_was_asked_for says "outside of";
    bars_of_a_symbol_not_asked_for: answering(19, |_, page| with(page, |bars| bars.push(of("Z", [3]))))
        => pages_hold_only_what_was_asked_for says "page 1 has bars of Z, which was not asked for";
    bars_of_a_symbol_that_has_none: answering(8, |_, page| with(page, |bars| {
            let made_up = (bars.len() == 2).then(|| of("B", [3]));
            bars.splice(1..1, made_up).for_each(drop);
        }))
        => the_pages_together_are_the_truth says "B has 1 bars too many";
    a_token_that_comes_again: answering(8, |_, page| Ok(Page { next: PageToken::new("8"), ..page }))
        => tokens_lead_to_an_end says "page 2 leads to the token \"8\", as a page before";
    bars_out_of_order: answering(8, |_, page| with(page, |bars| bars[0].bars.reverse()))
        => pages_are_sorted_by_symbol_then_time says "page 1 is not sorted by symbol, then by time: A at";
    symbols_out_of_order: answering(8, |_, page| with(page, |bars| bars.reverse()))
        => pages_are_sorted_by_symbol_then_time says "is not sorted by symbol, then by time: A at";
    // Pages on which no two symbols meet, but for short ranges.
    symbols_out_of_order_on_short_pages: answering(10, |_, page| with(page, |bars| bars.reverse()))
        => pages_are_sorted_by_symbol_then_time says "is not sorted by symbol, then by time: A at";
    a_bar_lost_between_pages: answering(8, |_, page| with(page, |bars| bars[0].bars.retain(|bar| bar.start != at(8))))
        => the_pages_together_are_the_truth says "A lacks 1 of 10 bars, the first at 2024-03-08 00:08:00 UTC";
    the_last_symbol_of_a_page_lost: answering(8, |_, page| with(page, |bars| drop((bars.len() > 1).then(|| bars.pop()))))
        => the_pages_together_are_the_truth says "C lacks 6 of 10 bars";
    the_last_symbol_of_a_short_page_lost: answering(10, |_, page| with(page, |bars| bars.truncate(1)))
        => the_pages_together_are_the_truth says "C lacks 1 of 1 bars";
    starts_that_are_no_minutes: answering(8, |_, page| with(page, |bars| bars[0].bars[0].start += TimeDelta::seconds(1)))
        => pages_hold_only_what_was_asked_for says "which is no whole minute";
    labels_by_the_end: answering(8, |_, page| with(page, |all| {
            all.iter_mut().flat_map(|of| &mut of.bars).for_each(|bar| bar.start += TimeDelta::minutes(1));
        }))
        => pages_hold_only_what_was_asked_for says "page 2 has A at 2024-03-08 00:10:00 UTC, outside of";
    other_values: answering(8, |_, page| with(page, |bars| bars[0].bars[0].volume = 7.0))
        => the_pages_together_are_the_truth says "A has another bar at 2024-03-08 00:00:00 UTC than it should";
    a_page_larger_than_the_limit: answering(8, |_, page| with(page, |bars| bars[0].bars.insert(0, bar(0))))
        => pages_keep_to_the_limit says "page 1 has 9 bars, but the limits say at most 8";
    an_answer_that_changes: answering(8, |count, page| with(page, |bars| bars[0].bars[0].volume = count as f64))
        => the_same_question_has_the_same_answer says "is another when it is asked for again";
    an_error_on_the_way: answering(8, |count, page| match count % 3 {
            2 => Err(Error::Rejected { answer: Answer::new(400, b"no more") }),
            _ => Ok(page),
        })
        => tokens_lead_to_an_end says "there is no page 2, but an error: the vendor rejects the request";
    a_refusal_of_a_symbol_that_has_bars: subject(vendor(8).with_refused(symbol("C"), Refusal::Named))
        => the_pages_together_are_the_truth says "the provider refuses C, of which the truth has bars";
    a_truth_outside_of_the_request: async {
            drop(Subject::new(vendor(8), request(&["A", "B", "C"], 9), vec![of("A", 0..10), of("C", 0..9)]));
        }
        => std::convert::identity says "the truth has bars of A outside of the request's range";
    a_truth_of_one_symbol: async { drop(Subject::new(vendor(8), request(&["A", "B"], 10), vec![of("A", 0..10)])) }
        => std::convert::identity says "the truth must have bars of two symbols or more, but has some of 1";
}

/// A provider need not leave out what it does not know: it may say so.
mod a_refusal_by_name {
    use super::*;

    crate::provider_conformance!(subject(vendor(8).with_refused(symbol("B"), Refusal::Named)));
}

/// Pages on which symbols meet nowhere are pages as well.
mod a_symbol_a_page {
    use super::*;

    crate::provider_conformance!(subject(vendor(10)));
}
