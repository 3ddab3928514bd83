use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::example::{at, of, request};

fn page(bars: impl IntoIterator<Item = SymbolBars>, token: Option<&str>) -> Page {
    let next = token.and_then(PageToken::new);
    Page { bars: bars.into_iter().collect(), next, ..Page::default() }
}

/// Minute bars of A, B and C over the first ten minutes.
fn paging() -> Paging {
    Paging::new(request(&["A", "B", "C"], 10), &Limits::new(100))
}

/// What a page gives and proves, as `A 0,1 | A 0-1`.
fn told(page: &ProvenPage) -> String {
    let minute = |instant: DateTime<Utc>| (instant - at(0)).num_minutes();
    let bars = page.bars.iter().map(|of| {
        let minutes: Vec<_> = of.bars.iter().map(|bar| minute(bar.start).to_string()).collect();
        format!("{} {}", of.symbol, minutes.join(","))
    });
    let proofs = page
        .proofs
        .iter()
        .map(|proof| format!("{} {}-{}", proof.symbol, minute(proof.range.start()), minute(proof.range.end())));
    let (bars, proofs): (Vec<_>, Vec<_>) = (bars.collect(), proofs.collect());
    format!("{} | {}", bars.join(" "), proofs.join(" "))
}

fn accept(paging: &mut Paging, page: Page) -> String {
    let checked = paging.accept(page).unwrap();
    assert!(checked.impossible.is_empty());
    told(&checked.page)
}

fn refuse(paging: &mut Paging, page: Page) -> String {
    let error = paging.accept(page).unwrap_err();
    format!("{}: {error}", error.code())
}

#[test]
fn a_page_proves_the_symbols_that_passed_and_the_last_up_to_its_last_bar() {
    let mut paging = paging();
    assert_eq!(accept(&mut paging, page([of("A", [0, 1]), of("B", [2, 3])], Some("x"))), "A 0,1 B 2 | A 0-10 B 0-3");
    assert_eq!(accept(&mut paging, page([of("B", [5])], Some("y"))), "B 3 | B 3-5");
    assert_eq!(accept(&mut paging, page([], None)), "B 5 | B 5-10 C 0-10");
    assert!(paging.is_finished());
}

#[test]
fn a_symbol_that_was_not_seen_is_empty_only_on_the_last_page() {
    let mut paging = paging();
    assert_eq!(accept(&mut paging, page([of("C", [0, 4])], Some("x"))), "C 0 | C 0-4");
    assert_eq!(accept(&mut paging, page([of("C", [5])], None)), "C 4,5 | A 0-10 B 0-10 C 4-10");
}

#[test]
fn nothing_is_proven_by_an_empty_page_with_a_token() {
    let mut paging = paging();
    assert_eq!(accept(&mut paging, page([], Some("x"))), " | ");
    assert_eq!(accept(&mut paging, page([], None)), " | A 0-10 B 0-10 C 0-10");
}

#[test]
fn the_later_word_on_a_bar_counts() {
    let mut paging = paging();
    accept(&mut paging, page([of("A", [0, 1])], Some("x")));
    let mut again = of("A", [1, 2]);
    again.bars[0].close = 9.5;
    let page = paging.accept(page([again], None)).unwrap().page;
    assert_eq!((page.bars[0].bars[0].close, page.repeated), (9.5, 1));
}

#[test]
fn disordered_and_doubled_bars_are_put_in_order() {
    let mut paging = paging();
    let bars = [of("B", [3, 1, 3]), of("A", [2, 2, 0]), of("B", [2])];
    let page = paging.accept(page(bars, None)).unwrap().page;
    assert_eq!(told(&page), "A 0,2 B 1,2,3 | A 0-10 B 0-10 C 0-10");
    assert_eq!(page.repeated, 2);
}

#[test]
fn a_bar_that_starts_within_a_minute_is_dropped() {
    for shift in [TimeDelta::seconds(30), TimeDelta::milliseconds(500), TimeDelta::nanoseconds(1)] {
        let mut bars = of("A", 0..10);
        let shifted = Bar { start: at(3) + shift, ..bars.bars[3] };
        bars.bars.insert(4, shifted);
        let page = paging().accept(page([bars, of("B", 0..10)], None)).unwrap().page;
        assert_eq!((page.bar_count(), page.dropped), (20, 1), "{shift}");
    }
}

#[test]
fn a_few_bars_that_nobody_asked_for_are_dropped_and_counted() {
    let mut paging = paging();
    let bars = [of("A", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), of("B", [0, 1, 2, 3, 4, 5, 6, 7, 8, 10])];
    let page = paging.accept(page(bars, None)).unwrap().page;
    assert_eq!((page.bar_count(), page.dropped), (19, 1));
}

#[test]
fn a_page_of_other_symbols_or_other_days_is_no_answer() {
    let mut off_the_grid = of("A", [1, 2]);
    off_the_grid.bars[1].start += chrono::TimeDelta::seconds(17);
    for bars in [of("D", [1]), of("A", [-1, 2]), of("C", [10, 11]), off_the_grid] {
        let text = refuse(&mut paging(), page([bars], None));
        assert!(text.contains("BAD_RESPONSE") && text.contains("not asked for"), "{text}");
    }
}

#[test]
fn a_page_that_goes_back_is_a_loop() {
    let first = || page([of("B", [4, 5])], Some("x"));
    for bars in [of("A", [6]), of("B", [3, 4])] {
        let mut paging = paging();
        paging.accept(first()).unwrap();
        let text = refuse(&mut paging, page([bars], Some("y")));
        assert!(text.contains("PAGINATION_LOOP") && text.contains("bars that came before"), "{text}");
    }
}

#[test]
fn tokens_that_come_again_are_a_loop() {
    for tokens in [&["x", "x"][..], &["x", "y", "x"]] {
        let mut paging = paging();
        let (last, before) = tokens.split_last().unwrap();
        for (minute, token) in before.iter().enumerate() {
            paging.accept(page([of("A", [minute as i64])], Some(token))).unwrap();
        }
        let text = refuse(&mut paging, page([of("A", [9])], Some(last)));
        assert!(text.contains("PAGINATION_LOOP"), "{text}");
    }
}

#[test]
fn fresh_tokens_without_anything_new_are_a_loop() {
    for bars in [vec![], vec![of("A", [1])]] {
        let mut paging = paging();
        let error = (0..100).find_map(|n| paging.accept(page(bars.clone(), Some(&n.to_string()))).err()).unwrap();
        assert!(matches!(error, Error::PaginationLoop { pages: ..=9, .. }), "{error}");
    }
}

#[test]
fn more_pages_than_bars_can_explain_are_a_loop() {
    let year = TimeRange::new(at(0), at(365 * 24 * 60)).unwrap();
    let request = paging().request().over(year);
    let mut paging = Paging::new(request, &Limits::new(1_000_000));
    let error = (0..).find_map(|n| paging.accept(page([of("A", [n])], Some(&n.to_string()))).err());
    assert!(matches!(error, Some(Error::PaginationLoop { pages: 192, .. })), "{error:?}");
}

#[test]
fn a_symbol_with_an_impossible_bar_is_set_aside_and_nothing_more_of_it_proven() {
    let mut paging = paging();
    accept(&mut paging, page([of("A", [0, 1])], Some("x")));
    let mut bad = of("A", [2, 3]);
    bad.bars[1].high = 1.0;
    let checked = paging.accept(page([bad, of("B", [0])], Some("y"))).unwrap();
    assert_eq!(told(&checked.page), " | ");
    let [Error::InvalidData { symbol, count: 1, offenders }] = &checked.impossible[..] else {
        panic!("{:?}", checked.impossible);
    };
    assert_eq!((symbol.as_str(), offenders[0].bar.start), ("A", at(3)));
    assert_eq!(accept(&mut paging, page([of("B", [2])], None)), "B 0,2 | B 0-10 C 0-10");
}

/// Hourly bars, made of minutes, of A over the first ten hours.
fn derived() -> Paging {
    let range = TimeRange::new(at(0), at(600)).unwrap();
    let request =
        BarsRequest::new(["A".parse().unwrap()], barkeep_types::Timeframe::H1, barkeep_types::Feed::SIP, range)
            .unwrap();
    let native_timeframes = vec![barkeep_types::Timeframe::M1];
    Paging::new(request, &Limits { native_timeframes, ..Limits::new(100) })
}

fn closing_at(mut of: SymbolBars, close: f64) -> SymbolBars {
    of.bars[0].close = close;
    of
}

#[test]
fn a_derived_bar_that_came_in_pieces_is_asked_for_alone() {
    let mut paging = derived();
    assert_eq!(accept(&mut paging, page([of("A", [0, 60])], Some("x"))), "A 0 | A 0-60");
    let rest = closing_at(of("A", [60, 120, 180]), 10.5);
    let checked = paging.accept(page([rest], Some("y"))).unwrap();
    assert_eq!(told(&checked.page), "A 120 | A 120-180");
    let torn = checked.torn.unwrap();
    assert_eq!((torn.range().start(), torn.range().end()), (at(60), at(120)));
    assert_eq!(accept(&mut paging, page([], None)), "A 180 | A 180-600");
}

#[test]
fn a_derived_bar_in_three_pieces_is_asked_for_alone_too() {
    for last_page in [of("A", [180]), of("A", [60]), of("A", [])] {
        let mut paging = derived();
        paging.accept(page([of("A", [60])], Some("x"))).unwrap();
        let piece = closing_at(of("A", [60]), 10.5);
        assert_eq!(accept(&mut paging, page([piece], Some("y"))), " | ");
        let checked = paging.accept(page([last_page.clone()], None)).unwrap();
        let given = if last_page.bars.iter().any(|bar| bar.start == at(180)) { "A 180" } else { "" };
        assert_eq!(told(&checked.page), format!("{given} | A 120-600"));
        assert_eq!(checked.torn.unwrap().range().start(), at(60));
    }
}

#[test]
fn a_derived_bar_that_comes_again_as_it_was_is_whole() {
    let mut paging = derived();
    paging.accept(page([of("A", [0, 60])], Some("x"))).unwrap();
    let checked = paging.accept(page([of("A", [60, 120])], None)).unwrap();
    assert_eq!((told(&checked.page).as_str(), checked.torn), ("A 60,120 | A 60-600", None));
}

#[test]
fn a_bar_that_fits_on_no_page_is_no_answer() {
    let mut paging = derived();
    let alone = paging.request().over(TimeRange::new(at(60), at(120)).unwrap());
    paging = Paging { request: alone, ..paging };
    paging.progress[0].proven_until = at(60);
    paging.accept(page([of("A", [60])], Some("x"))).unwrap();
    let text = refuse(&mut paging, page([closing_at(of("A", [60]), 10.5)], None));
    assert!(text.contains("BAD_RESPONSE") && text.contains("does not fit"), "{text}");
}

#[test]
fn what_remains_is_the_symbol_paging_stopped_in_and_those_not_reached() {
    let mut paging = paging();
    accept(&mut paging, page([of("A", [0]), of("B", [2, 3])], Some("x")));
    let remaining: Vec<_> = paging
        .remaining()
        .iter()
        .map(|request| (format!("{:?}", request.symbols()), request.range().start()))
        .collect();
    assert_eq!(remaining, [("[B]".to_owned(), at(3)), ("[C]".to_owned(), at(0))]);
}

const MINUTES: i64 = 12;

/// Which minutes have a bar, for four symbols, and how many bars go on each page in turn.
fn any_truth_and_pages() -> impl Strategy<Value = (Vec<Vec<i64>>, Vec<usize>)> {
    let minutes = proptest::sample::subsequence((0..MINUTES).collect::<Vec<_>>(), 0..=MINUTES as usize);
    (proptest::collection::vec(minutes, 4), proptest::collection::vec(0..6_usize, 1..8))
}

proptest! {
    #[test]
    fn whatever_the_pages_their_union_is_the_truth_and_proofs_never_claim_too_much(
        (truth, sizes) in any_truth_and_pages()
    ) {
        let names = ["A", "B", "C", "D"];
        let mut paging = Paging::new(request(&names, MINUTES), &Limits::new(1));
        let all: Vec<(usize, i64)> =
            truth.iter().enumerate().flat_map(|(index, of)| of.iter().map(move |minute| (index, *minute))).collect();
        // Never two empty pages in a row, so that no patience is tried.
        let mut sizes = sizes.into_iter().chain([1]).cycle();
        let (mut rest, mut given, mut proven) = (&all[..], Vec::new(), HashSet::new());
        for number in 0.. {
            let (now, later) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
            rest = later;
            let bars = now.iter().map(|(index, minute)| of(names[*index], [*minute]));
            let token = (!rest.is_empty()).then(|| number.to_string());
            let page = paging.accept(page(bars, token.as_deref())).unwrap().page;
            for of in &page.bars {
                let index = names.iter().position(|name| *name == of.symbol.as_str()).unwrap();
                given.extend(of.bars.iter().map(|bar| (index, (bar.start - at(0)).num_minutes())));
            }
            for proof in &page.proofs {
                let index = names.iter().position(|name| *name == proof.symbol.as_str()).unwrap();
                let mut minutes = (0..MINUTES).filter(|minute| proof.range.contains(at(*minute)));
                prop_assert!(minutes.all(|minute| proven.insert((index, minute))));
            }
            let claimed: Vec<_> = all.iter().filter(|bar| proven.contains(*bar)).copied().collect();
            prop_assert_eq!(&given, &claimed);
            if token.is_none() {
                break;
            }
        }
        prop_assert!(paging.is_finished());
        prop_assert_eq!(given, all);
        prop_assert_eq!(proven.len(), names.len() * MINUTES as usize);
    }
}
