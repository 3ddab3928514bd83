use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn range((start, length): (i64, i64)) -> TimeRange {
    TimeRange::new(at(start), at(start + length)).unwrap()
}

#[derive(Clone, Debug)]
enum Event {
    Page { proofs: Vec<(TimeRange, State)>, bars: BTreeSet<i64> },
    Doubt(TimeRange),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let ranges = || (0..40_i64, 1..12_i64).prop_map(range);
    let states = prop::sample::select(vec![State::Covered, State::Provisional, State::Suspect]);
    let proofs = prop::collection::vec((ranges(), states), 0..3);
    let bars = prop::collection::btree_set(0..52_i64, 0..6);
    prop::collection::vec(
        prop_oneof![
            3 => (proofs, bars).prop_map(|(proofs, bars)| Event::Page { proofs, bars }),
            1 => ranges().prop_map(Event::Doubt),
        ],
        1..8,
    )
}

/// A ledger with its bars, as a database would hold them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Books {
    spans: Vec<Span>,
    bars: BTreeSet<i64>,
}

impl Books {
    fn apply(&mut self, event: &Event) {
        let mut ledger = Ledger::new(&self.spans);
        let inserted: Vec<_> = match event {
            Event::Page { proofs, bars } => {
                for (range, word) in Ledger::of_proofs(proofs) {
                    ledger.lay(range, word);
                }
                bars.difference(&self.bars).map(|second| at(*second)).collect()
            }
            Event::Doubt(range) => {
                ledger.lay(*range, Word::Doubted);
                Vec::new()
            }
        };
        let stored: Vec<_> = self.bars.iter().map(|second| at(*second)).collect();
        ledger.count(&inserted, |range| Some(count_within(&stored, range)));
        self.bars.extend(inserted.iter().map(DateTime::timestamp));
        let written = |new: NewSpan| Span {
            range: new.range,
            state: new.state,
            rows: new.rows,
            empty_checks: new.empty_checks,
            fetched_at: new.fetched_at.unwrap_or(at(1)),
        };
        self.spans = ledger.spans().into_iter().map(written).collect();
    }

    fn state(&self, second: i64) -> Option<State> {
        self.spans.iter().find(|span| span.range.contains(at(second))).map(|span| span.state)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for span in &self.spans {
            let rows = self.bars.iter().filter(|second| span.range.contains(at(**second))).count();
            prop_assert_eq!(span.rows, rows as u64, "{:?}", self);
            prop_assert_eq!(span.empty_checks == 0, rows > 0, "{:?}", self);
        }
        for pair in self.spans.windows(2) {
            prop_assert!(pair[0].range.end() <= pair[1].range.start(), "{:?}", self);
            let touch = pair[0].range.end() == pair[1].range.start();
            let alike = (pair[0].state, pair[0].empty_checks) == (pair[1].state, pair[1].empty_checks);
            prop_assert!(!(touch && alike), "not coalesced: {:?}", self);
        }
        Ok(())
    }
}

/// What every second's state should be: the rules, one second at a time.
fn expected(states: &mut BTreeMap<i64, State>, event: &Event) {
    match event {
        Event::Page { proofs, .. } => {
            // Within a page the later proof counts, but for provisional after covered; then the page is laid over the rest.
            let mut page = BTreeMap::new();
            let lay = |states: &mut BTreeMap<i64, State>, second, state| {
                let keeps = state == State::Provisional && states.get(&second) == Some(&State::Covered);
                if !keeps {
                    states.insert(second, state);
                }
            };
            for (range, state) in proofs {
                for second in range.start().timestamp()..range.end().timestamp() {
                    lay(&mut page, second, *state);
                }
            }
            for (second, state) in page {
                lay(states, second, state);
            }
        }
        Event::Doubt(range) => {
            for (_, state) in states.range_mut(range.start().timestamp()..range.end().timestamp()) {
                *state = State::Suspect;
            }
        }
    }
}

proptest! {
    #[test]
    fn the_ledger_agrees_with_its_bars_and_with_the_rules_told_second_by_second(events in events()) {
        let (mut books, mut states) = (Books::default(), BTreeMap::new());
        for event in &events {
            books.apply(event);
            expected(&mut states, event);
            books.check()?;
            for second in 0..60 {
                prop_assert_eq!(books.state(second), states.get(&second).copied(), "{} after {:?}", second, event);
            }
        }
    }

    #[test]
    fn the_same_event_again_changes_nothing(events in events()) {
        let mut books = Books::default();
        for event in &events {
            books.apply(event);
            let before = books.clone();
            books.apply(event);
            prop_assert_eq!(&books, &before, "after {:?}", event);
        }
    }
}

#[test]
fn starts_are_counted_half_open() {
    let starts = [at(1), at(2), at(3)];
    assert_eq!(count_within(&starts, &range((1, 2))), 2);
    assert_eq!(count_within(&starts, &range((4, 2))), 0);
    assert_eq!(count_within(&[], &range((0, 9))), 0);
}
