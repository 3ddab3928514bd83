//! Gaps of 20,000 series (5,000 symbols x 4 timeframes) over ten years, beside the time to read and write the spans
//! once, and beside what people use today.
//!
//!     cargo bench -p benches --bench gaps

use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;

use barkeep_planner::{Slots, gaps};
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

/// The coverage of all series, one after another in memory, so that nothing is read twice.
struct Universe {
    spans: Vec<Slots>,
    series: Vec<Range<usize>>,
}

impl Universe {
    fn new(series: usize, shape: Shape) -> Self {
        let mut dice = Dice::new(3);
        let mut universe = Self { spans: Vec::new(), series: Vec::new() };
        for _ in 0..series {
            let start = universe.spans.len();
            universe.spans.extend((shape.make)(&mut dice));
            universe.series.push(start..universe.spans.len());
        }
        universe
    }

    fn covered(&self) -> impl Iterator<Item = &[Slots]> {
        self.series.iter().map(|series| &self.spans[series.clone()])
    }

    /// Of all series, with one buffer; the number of gaps.
    fn gaps_by(&self, find: impl Fn(&[Slots], &mut Vec<Slots>)) -> usize {
        let mut found = Vec::new();
        let count = |covered: &[Slots]| {
            find(black_box(covered), &mut found);
            black_box(&found).len()
        };
        self.covered().map(count).sum()
    }
}

fn ours(covered: &[Slots], found: &mut Vec<Slots>) {
    gaps(WINDOW, covered, &[], found);
}

fn nanoseconds_a_span(time: Duration, spans: usize) -> f64 {
    time.as_secs_f64() * 1e9 / spans.max(1) as f64
}

fn main() {
    let (series, runs) = if is_measuring() { (20_000, 9) } else { (20, 1) };
    for shape in SHAPES {
        compare(shape, series, runs);
    }
    growth(runs);
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    measure(&mut criterion, series / 10);
    criterion.final_summary();
}

fn compare(shape: Shape, series: usize, runs: usize) {
    let universe = Universe::new(series, shape);
    // Of series without coverage there is nothing to read but the series themselves.
    let spans = universe.spans.len().max(series);
    // The quadratic tree would take minutes for all.
    let few = Universe::new(series.div_ceil(200), shape);
    let few_spans = few.spans.len().max(few.series.len());
    check_that_answers_agree(&few);

    let mut copy = universe.spans.clone();
    let bound = shortest(runs, || {
        for range in &universe.series {
            black_box(&mut copy[range.clone()]).clone_from_slice(black_box(&universe.spans[range.clone()]));
        }
    });
    let sweep = shortest(runs, || {
        black_box(universe.gaps_by(ours));
    });
    let few_sweep = shortest(runs, || {
        black_box(few.gaps_by(ours));
    });
    let by_map = |covered: &[Slots], found: &mut Vec<Slots>| peers::rangemap(WINDOW, covered, found);
    let map = shortest(runs.min(3), || {
        black_box(universe.gaps_by(by_map));
    });
    let by_tree = |covered: &[Slots], found: &mut Vec<Slots>| peers::interval_tree(WINDOW, covered, found);
    let tree = shortest(runs.min(3), || {
        black_box(few.gaps_by(by_tree));
    });

    let name = shape.name;
    println!("{name}: {series} series, {spans} spans");
    for (who, time, spans) in [
        ("read and write once", bound, spans),
        ("sweep", sweep, spans),
        ("rangemap", map, spans),
        ("tree", tree, few_spans),
    ] {
        println!("  {who:20} {:8.2} ns a span", nanoseconds_a_span(time, spans));
    }
    print_ratio(&format!("gaps/{name}/bound"), sweep.as_secs_f64() / bound.as_secs_f64());
    print_ratio(&format!("gaps/{name}/rangemap"), map.as_secs_f64() / sweep.as_secs_f64());
    print_ratio(&format!("gaps/{name}/interval_tree"), tree.as_secs_f64() / few_sweep.as_secs_f64());
}

fn check_that_answers_agree(universe: &Universe) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for covered in universe.covered() {
        ours(covered, &mut left);
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
        let universe = Universe::new(series.max(2), shape);
        group.throughput(Throughput::Elements(universe.spans.len().max(series) as u64));
        group.bench_function(BenchmarkId::new(shape.name, series), |bench| bench.iter(|| universe.gaps_by(ours)));
    }
    group.finish();
}
