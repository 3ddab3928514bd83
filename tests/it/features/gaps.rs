//! What is missing, and what is not: F11 to F17.

use std::num::NonZeroU32;

use barkeep_alpaca_sim::{AnswerFault, Injection};
use barkeep_orchestrator::Settings;
use barkeep_orchestrator::calendar::{CalendarExt, Nyse};
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::planner::Reason;
use barkeep_orchestrator::store::{State, covered};
use barkeep_orchestrator::types::{Hours, TimeRange, Timeframe};
use tests::{Kind, check};

use super::{Stage, definition, march, on_both_databases, series, span};

on_both_databases!(
    f11_a_covered_middle_leaves_the_two_outer_gaps,
    f12_interior_holes_are_found_and_filled,
    f14_an_answer_cut_short_leaves_the_rest_uncovered,
    f15_nothing_is_asked_of_closed_time_and_complete_is_reached,
    f16_slices_are_sized_by_pages_and_may_be_made_shorter,
    f17_a_long_gap_is_taken_in_parts_by_tick,
);

/// The runs of bars of AAPL's days in March, by why they are there or not.
async fn runs(stage: &Stage, definition: &Definition) -> Vec<(u32, Reason)> {
    let explained = stage.orchestrator.explain(definition, &series("AAPL", Timeframe::D1)).await.unwrap();
    explained.into_iter().map(|run| (run.bars, run.reason)).collect()
}

fn in_window(definition: &Definition, window: TimeRange) -> Definition {
    Definition { window: Window::Fixed(window), ..definition.clone() }
}

async fn f11_a_covered_middle_leaves_the_two_outer_gaps(kind: Kind) {
    let stage = Stage::on(kind).await;
    let month = definition(&["AAPL"], Timeframe::D1);
    let middle = span("2024-03-11T00:00:00Z", "2024-03-16T00:00:00Z");
    assert!(stage.fill(&in_window(&month, middle)).await.complete);
    // 20 sessions: 6 before, 5 in, 9 after the middle (the 29th was Good Friday).
    assert_eq!(runs(&stage, &month).await, [(6, Reason::Missing), (5, Reason::Covered), (9, Reason::Missing)]);
}

async fn f12_interior_holes_are_found_and_filled(kind: Kind) {
    let stage = Stage::on(kind).await;
    let month = definition(&["AAPL"], Timeframe::D1);
    for part in
        [span("2024-03-01T00:00:00Z", "2024-03-09T00:00:00Z"), span("2024-03-18T00:00:00Z", "2024-04-01T00:00:00Z")]
    {
        assert!(stage.fill(&in_window(&month, part)).await.complete);
    }
    // The slice between them fails, and fails at each further try.
    let middle = in_window(&month, span("2024-03-09T00:00:00Z", "2024-03-18T00:00:00Z"));
    stage.simulator.inject(Injection::of(AnswerFault::Status(503)).times(5));
    assert!(!stage.fill(&middle).await.complete);
    let hole = [(6, Reason::Covered), (5, Reason::Missing), (9, Reason::Covered)];
    assert_eq!(runs(&stage, &month).await, hole);
    assert!(stage.fill(&month).await.complete);
    assert_eq!(runs(&stage, &month).await, [(20, Reason::Covered)]);
}

async fn f14_an_answer_cut_short_leaves_the_rest_uncovered(kind: Kind) {
    let stage = Stage::with(kind, barkeep_alpaca_sim::AlpacaSim::options().with_source_bars_a_page(Some(300))).await;
    let month = definition(&["AAPL"], Timeframe::H1);
    // The second page never comes.
    stage.simulator.inject(Injection::of(AnswerFault::Status(503)).when("page_token=").times(usize::MAX));
    assert!(!stage.fill(&month).await.complete);
    let stored = &stage.orchestrator.backend().store;
    let hours = series("AAPL", Timeframe::H1);
    let spans = stored.coverage(std::slice::from_ref(&hours), march()).await.unwrap();
    let covered = covered(&spans[0], |span| span.state == State::Covered);
    let last = stored.latest(std::slice::from_ref(&hours)).await.unwrap()[0].unwrap();
    assert!(!covered.is_empty() && !covered.covers(&march()), "{covered:?}");
    assert!(covered.ranges().iter().all(|range| range.end() <= last.start + chrono::TimeDelta::hours(1)));
    stage.simulator.clear_faults();
    assert!(stage.fill(&month).await.complete);
    check(&stage.scene, stage.simulator.market(), &month, march()).await;
}

async fn f15_nothing_is_asked_of_closed_time_and_complete_is_reached(kind: Kind) {
    let stage = Stage::on(kind).await;
    // Weekends, a half day (3 July), a holiday (the 4th), and the change to summer time before that.
    for window in [march(), span("2024-06-28T00:00:00Z", "2024-07-09T00:00:00Z")] {
        let hours = in_window(&definition(&["AAPL", "MSFT"], Timeframe::H1), window);
        stage.keep(&Definition { name: format!("from-{}", window.start().date_naive()), ..hours.clone() }).await;
        stage.orchestrator.tick().await.unwrap();
        for slice in stage.live().await {
            let open = Nyse.spans(slice.timeframe, Hours::Extended, slice.range);
            assert!(!open.is_empty(), "{} lies in closed time", slice.range);
        }
        assert!(stage.fill(&hours).await.complete);
        for series in hours.series() {
            let explained = stage.orchestrator.explain(&hours, &series).await.unwrap();
            assert!(explained.iter().all(|run| run.reason == Reason::Covered), "{explained:?}");
        }
    }
}

/// A year of one symbol's hours, in slices of a page.
fn year() -> Definition {
    in_window(&definition(&["AAPL"], Timeframe::H1), span("2023-01-03T00:00:00Z", "2024-01-03T00:00:00Z"))
}

async fn f16_slices_are_sized_by_pages_and_may_be_made_shorter(kind: Kind) {
    let mut made = Vec::new();
    for longest in [50, 1] {
        let longest = NonZeroU32::new(longest).unwrap();
        let stage = Stage::tuned(kind, |settings| settings.with_workers(1).with_longest_slice(longest)).await;
        stage.keep(&year()).await;
        stage.orchestrator.tick().await.unwrap();
        let slices = stage.live().await;
        assert!(slices.iter().all(|slice| slice.expected_requests <= longest.get().into()), "{slices:?}");
        made.push(slices.len());
    }
    assert!(made[0] * 5 < made[1], "{made:?}");
}

async fn f17_a_long_gap_is_taken_in_parts_by_tick(kind: Kind) {
    let few = |settings: Settings| {
        settings.with_longest_slice(NonZeroU32::MIN).with_slices_a_tick(NonZeroU32::new(4).unwrap())
    };
    let stage = Stage::tuned(kind, few).await;
    stage.keep(&year()).await;
    let mut made = Vec::new();
    while made.last() != Some(&0) {
        made.push(stage.orchestrator.tick().await.unwrap().slices_created);
    }
    // Four at each tick from the first on, and what is left at the last.
    let (last, full) = made[..made.len() - 1].split_last().unwrap();
    assert!(full.len() > 1 && full.iter().all(|slices| *slices == 4) && (1..=4).contains(last), "{made:?}");
    let mut slices = stage.live().await;
    slices.sort_by_key(|slice| slice.range);
    assert!(slices.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start()), "{slices:?}");
    assert!(stage.fill(&year()).await.complete);
}
