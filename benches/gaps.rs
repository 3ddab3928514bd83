//! Gaps of 20,000 series (5,000 symbols x 4 timeframes) over ten years, beside the time to read and write the spans
//! once, and beside what people use today.
//!
//!     cargo bench -p benches --bench gaps

use std::hint::black_box;
use std::time::Duration;

use barkeep_planner::{SeriesSlots, Slots, gaps, gaps_of_each};
use benches::universe::Dice;
use benches::{is_measuring, print_ratio, shortest};
use criterion::{BenchmarkId, Criterion, Throughput};

const SESSIONS: u32 = 2_515;
const SLOTS_A_SESSION: u32 = 16;
const WINDOW: Slots = 0..SESSIONS * SLOTS_A_SESSION;

/// How a series is covered.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    make: fn(&mut Dice) -> Vec<Slots>,
}

const SHAPES: [Shape; 3] = [
    Shape { name: "none", make: |_| Vec::new() },
    Shape { name: "few_long", make: few_long },
    Shape { name: "every_second_session", make: |_| every_second(SESSIONS) },
];

fn few_long(dice: &mut Dice) -> Vec<Slots> {
    (0..3).map(|third| third * 13_000 + dice.below(2_000) as u32).map(|start| start..start + 9_000).collect()
}

fn every_second(sessions: u32) -> Vec<Slots> {
    (0..sessions).step_by(2).map(|session| session * SLOTS_A_SESSION..(session + 1) * SLOTS_A_SESSION).collect()
}

fn universe(series: usize, shape: Shape) -> SeriesSlots {
    let mut dice = Dice::new(3);
    let mut universe = SeriesSlots::default();
    (0..series).for_each(|_| universe.push((shape.make)(&mut dice)));
    universe
}

/// The number of gaps of all series, found one series after another with one buffer.
fn gaps_by(universe: &SeriesSlots, find: impl Fn(&[Slots], &mut Vec<Slots>)) -> usize {
    let mut found = Vec::new();
    let count = |covered: &[Slots]| {
        find(black_box(covered), &mut found);
        black_box(&found).len()
    };
    universe.iter().map(count).sum()
}

/// The least that finding gaps can do: reads where each series ends and its spans, and writes as much as there are gaps.
#[derive(Default)]
struct ReadAndWrite {
    slots: Vec<Slots>,
    ends: Vec<usize>,
}

impl ReadAndWrite {
    fn once(&mut self, universe: &SeriesSlots) {
        self.slots.resize(universe.slots() + universe.len(), 0..0);
        self.ends.resize(universe.len(), 0);
        let mut free = &mut self.slots[..];
        let mut written = 0;
        for (spans, end) in universe.iter().zip(&mut self.ends) {
            let (spans_written, rest) = free.split_at_mut(spans.len() + 1);
            let (last, copied) = spans_written.split_last_mut().expect("one more than there are spans");
            for (to, from) in copied.iter_mut().zip(spans) {
                *to = from.clone();
            }
            *last = WINDOW;
            written += spans.len() + 1;
            *end = written;
            free = rest;
        }
    }
}

fn nanoseconds_a_span(time: Duration, spans: usize) -> f64 {
    time.as_secs_f64() * 1e9 / spans.max(1) as f64
}

/// Bytes read and written in a second by a copy of more memory than the caches hold.
fn bandwidth(runs: usize) -> f64 {
    let from = vec![1_u64; if is_measuring() { 1 << 24 } else { 1 << 10 }];
    let mut to = vec![0; from.len()];
    let copied = shortest(runs, || black_box(&mut to).copy_from_slice(black_box(&from)));
    2.0 * size_of_val(&from[..]) as f64 / copied.as_secs_f64()
}

fn main() {
    let (series, runs) = if is_measuring() { (20_000, 9) } else { (20, 1) };
    let bandwidth = bandwidth(runs);
    println!("memory is read and written at {:.1} GB/s", bandwidth / 1e9);
    for shape in SHAPES {
        compare(shape, series, runs, bandwidth);
    }
    growth(runs);
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    measure(&mut criterion, series / 10);
    criterion.final_summary();
}

fn compare(shape: Shape, series: usize, runs: usize, bandwidth: f64) {
    let all = universe(series, shape);
    // Of series without coverage there is nothing to read but the series themselves.
    let spans = all.slots().max(series);
    // The quadratic tree would take minutes for all.
    let few = universe(series.div_ceil(200), shape);
    check_that_answers_agree(&few);

    let mut copy = ReadAndWrite::default();
    let bound = shortest(runs, || black_box(&mut copy).once(black_box(&all)));
    let mut found = SeriesSlots::default();
    let sweep = shortest(runs, || gaps_of_each(black_box(WINDOW), black_box(&all), black_box(&mut found)));
    let one_by_one = shortest(runs, || {
        black_box(gaps_by(&all, |covered, found| gaps(WINDOW, covered, &[], found)));
    });
    let few_sweep = shortest(runs, || gaps_of_each(black_box(WINDOW), black_box(&few), black_box(&mut found)));
    let by_map = |covered: &[Slots], found: &mut Vec<Slots>| peers::rangemap(WINDOW, covered, found);
    let map = shortest(runs.min(3), || {
        black_box(gaps_by(&all, by_map));
    });
    let by_tree = |covered: &[Slots], found: &mut Vec<Slots>| peers::interval_tree(WINDOW, covered, found);
    let tree = shortest(runs.min(3), || {
        black_box(gaps_by(&few, by_tree));
    });

    let name = shape.name;
    println!("{name}: {series} series, {spans} spans");
    for (who, time, spans) in [
        ("read and write once", bound, spans),
        ("sweep of all", sweep, spans),
        ("one by one", one_by_one, spans),
        ("rangemap", map, spans),
        ("tree", tree, few.slots().max(few.len())),
    ] {
        println!("  {who:20} {:8.2} ns a span", nanoseconds_a_span(time, spans));
    }
    // Read: spans and ends; written: one gap more than spans a series, and ends.
    let bytes = 8 * (2 * all.slots() + 3 * series);
    println!("  read and written at {:.1} GB/s", bytes as f64 / bound.as_secs_f64() / 1e9);
    print_ratio(&format!("gaps/{name}/bandwidth"), sweep.as_secs_f64() / (bytes as f64 / bandwidth));
    print_ratio(&format!("gaps/{name}/bound"), sweep.as_secs_f64() / bound.as_secs_f64());
    print_ratio(&format!("gaps/{name}/rangemap"), map.as_secs_f64() / sweep.as_secs_f64());
    print_ratio(&format!("gaps/{name}/interval_tree"), tree.as_secs_f64() / few_sweep.as_secs_f64());
}

fn check_that_answers_agree(universe: &SeriesSlots) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut each = SeriesSlots::default();
    gaps_of_each(WINDOW, universe, &mut each);
    assert_eq!(each.len(), universe.len());
    for (covered, found) in universe.iter().zip(each.iter()) {
        gaps(WINDOW, covered, &[], &mut left);
        assert_eq!(left, found, "one by one as all at once");
        peers::rangemap(WINDOW, covered, &mut right);
        assert_eq!(left, right, "as rangemap finds them");
        peers::interval_tree(WINDOW, covered, &mut right);
        assert_eq!(left, right, "as an interval tree finds them");
    }
}

/// Cost grows with the spans: the same time a span for a year, ten years and a hundred.
fn growth(runs: usize) {
    let time = |sessions: u32| {
        let covered = every_second(sessions);
        let window = 0..sessions * SLOTS_A_SESSION;
        let mut found = Vec::new();
        let once = shortest(runs, || gaps(black_box(window.clone()), black_box(&covered), &[], &mut found));
        assert_eq!(found.len(), covered.len());
        nanoseconds_a_span(once, covered.len())
    };
    let year = time(250);
    println!("growth: {year:.2} ns a span for a year");
    print_ratio("gaps/growth/10x", time(2_500) / year);
    print_ratio("gaps/growth/100x", time(25_000) / year);
}

fn measure(criterion: &mut Criterion, series: usize) {
    let mut group = criterion.benchmark_group("gaps");
    for shape in SHAPES {
        let universe = universe(series.max(2), shape);
        let mut found = SeriesSlots::default();
        group.throughput(Throughput::Elements(universe.slots().max(series) as u64));
        group.bench_function(BenchmarkId::new(shape.name, series), |bench| {
            bench.iter(|| gaps_of_each(WINDOW, black_box(&universe), &mut found));
        });
    }
    group.finish();
}
