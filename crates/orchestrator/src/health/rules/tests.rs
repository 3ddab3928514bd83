use barkeep_database::PoolWaits;
use barkeep_queue::Vitals;
use barkeep_types::Timeframe;
use chrono::{DateTime, TimeDelta, Utc};

use crate::look::{History, Look, Tick, Trouble};
use crate::{Health, HealthStatus, Standing, Thresholds, TickNote};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// All is well: a tick every minute, slices waiting and being done.
fn well(seconds: i64) -> Look {
    let note =
        TickNote { interval_seconds: 60, standing: [(Timeframe::H1, standing(0, 0))].into(), ..TickNote::default() };
    let mut slices = Vitals::default();
    slices.now = at(seconds);
    slices.counts.ready = 10;
    slices.counts.running = 5;
    slices.counts.succeeded = seconds.unsigned_abs() / 10;
    slices.oldest_ready_at = Some(at(seconds - 60));
    slices.oldest_started_at = Some(at(seconds - 60));
    let tick = Tick { at: at(seconds - seconds.rem_euclid(60)), holder: "one".into(), note };
    let mut look = Look { at: at(seconds), slices, tick: Some(tick), ..Look::default() };
    look.totals.requests = seconds.unsigned_abs();
    look.totals.bars_written = 100 * seconds.unsigned_abs();
    look
}

fn standing(missing_bars: u64, lag_hours: u64) -> Standing {
    let lag = 3600 * lag_hours;
    Standing { series: 5, due_bars: 10_000, missing_bars, worst_lag_seconds: lag, p95_lag_seconds: lag }
}

/// An hour seen every 15 s, with something changed.
fn hour(change: impl Fn(i64, &mut Look)) -> History {
    let mut history = History::default();
    for seconds in (0..=3600).step_by(15) {
        let mut look = well(seconds);
        change(seconds, &mut look);
        history.add(look);
    }
    history
}

/// The rules that find something.
fn found(change: impl Fn(i64, &mut Look)) -> Vec<String> {
    let health = Health::of(&hour(change), &Thresholds::default());
    health.concerns.into_iter().map(|concern| concern.rule).collect()
}

fn budget(spent_today: u64, is_blocked: bool) -> Vec<barkeep_queue::BudgetVitals> {
    let budget = serde_json::json!([{ "name": "account", "interval_us": 300_000, "spent_today": spent_today, "is_blocked": is_blocked }]);
    serde_json::from_value(budget).unwrap()
}

/// Ten waits a second for a connection, of which one is long from an instant on.
fn waits(mut waits: PoolWaits, second: i64, long_from: i64) -> PoolWaits {
    waits.asked = 10 * second.unsigned_abs();
    waits.long = second.saturating_sub(long_from).max(0).unsigned_abs();
    waits
}

#[test]
fn nothing_is_found_when_all_is_well_or_nothing_is_known() {
    assert_eq!(found(|_, _| {}), [""; 0]);
    let health = Health::of(&History::default(), &Thresholds::default());
    assert_eq!((health.status, health.concerns.len()), (HealthStatus::Healthy, 0));
    let mut history = History::default();
    history.add(Look { at: at(0), ..Look::default() });
    assert_eq!(Health::of(&history, &Thresholds::default()).concerns, []);
}

#[test]
fn an_idle_queue_is_no_stalled_one() {
    let idle = found(|_, look| {
        look.slices.counts = Default::default();
        (look.slices.oldest_ready_at, look.slices.oldest_started_at) = (None, None);
    });
    assert_eq!(idle, [""; 0]);
    let paused = found(|_, look| {
        look.slices.counts.succeeded = 0;
        look.slices.counts.running = 0;
        look.slices.paused = look.slices.counts.ready;
        look.slices.oldest_ready_at = None;
    });
    assert_eq!(paused, [""; 0]);
}

/// What happens to the look at a second.
type Change = Box<dyn Fn(i64, &mut Look)>;

/// Another process stopped with this code.
fn stopped_elsewhere(code: &'static str) -> Change {
    Box::new(move |_, look| look.stopped = Some(Trouble { code: code.into(), reason: "elsewhere".into() }))
}

#[test]
fn each_rule_finds_what_it_is_for_and_nothing_else() {
    let now = 3600;
    let drills: Vec<(&str, Change)> = vec![
        ("DatabaseDown", Box::new(move |second, look| look.outage = (second == now).then_some("DATABASE_LOST"))),
        ("AuthFailed", stopped_elsewhere("AUTHENTICATION_ERROR")),
        ("StorageFull", Box::new(|_, look| look.totals.storage_full = true)),
        (
            "StorageFull",
            Box::new(|_, look| {
                look.full = Some(Trouble { code: "STORAGE_FULL".into(), reason: "elsewhere".into() });
            }),
        ),
        ("StorageFull", stopped_elsewhere("STORAGE_FULL")),
        ("DatabaseUnusable", stopped_elsewhere("SCHEMA_DRIFT")),
        ("PoolExhausted", Box::new(move |second, look| look.pool_waits = waits(look.pool_waits, second, now - 200))),
        ("TickMissing", Box::new(move |_, look| look.tick.as_mut().unwrap().at = at(now - 181))),
        ("BackfillStalled", Box::new(|second, look| look.slices.counts.succeeded = second.min(2990).unsigned_abs())),
        ("JobsStuck", Box::new(move |_, look| look.slices.oldest_started_at = Some(at(now - 601)))),
        ("JobsStuck", Box::new(move |second, look| look.slices.crashes = if second > now - 300 { 4 } else { 0 })),
        (
            "CoverageLag",
            Box::new(|second, look| {
                let hours = if second < 600 { 0 } else { 3 };
                look.tick.as_mut().unwrap().note.standing = [(Timeframe::H1, standing(3, hours))].into();
            }),
        ),
        (
            "CoverageLag",
            Box::new(|_, look| {
                look.tick.as_mut().unwrap().note.standing = [(Timeframe::D1, standing(3, 72))].into();
            }),
        ),
        (
            "CoverageRegressed",
            Box::new(|second, look| {
                let missing = if second > 3300 { 150 } else { 0 };
                look.tick.as_mut().unwrap().note.standing = [(Timeframe::H1, standing(missing, 0))].into();
            }),
        ),
        ("DeadJobs", Box::new(|_, look| look.slices.failures = [("INVALID_DATA".to_owned(), 2)].into())),
        ("ErrorRateHigh", Box::new(|second, look| look.slices.counts.failed = second.unsigned_abs() / 60)),
        ("QueueLatencyHigh", Box::new(move |_, look| look.slices.oldest_ready_at = Some(at(now - 3601)))),
        ("QueueDeep", Box::new(|second, look| look.slices.counts.ready = 51 + second.unsigned_abs() / 100)),
        ("RateLimited429", Box::new(|second, look| look.totals.limited = second.unsigned_abs() / 50)),
        ("RateLimited429", Box::new(move |second, look| look.slices.budgets = budget(0, second == now - 300))),
        (
            "RateLimitSaturated",
            Box::new(|second, look| {
                look.slices.budgets = budget((second as f64 / 0.31) as u64, false);
            }),
        ),
        ("InvalidData", Box::new(|second, look| look.totals.quarantined = second.unsigned_abs())),
        ("ClockSkew", Box::new(|_, look| look.clock_skew = TimeDelta::seconds(-6))),
    ];
    for (rule, change) in &drills {
        assert_eq!(found(change), [*rule]);
    }
    let drilled: std::collections::BTreeSet<&str> = drills.iter().map(|(rule, _)| *rule).collect();
    let rules: std::collections::BTreeSet<&str> = Health::rules().iter().map(|rule| rule.name).collect();
    assert_eq!(drilled, rules, "every rule is drilled");
}

#[test]
fn what_is_just_below_a_threshold_is_left_alone() {
    let now = 3600;
    assert_eq!(found(move |_, look| look.tick.as_mut().unwrap().at = at(now - 180)), [""; 0]);
    assert_eq!(found(move |_, look| look.slices.oldest_started_at = Some(at(now - 600))), [""; 0]);
    assert_eq!(found(|second, look| look.slices.counts.failed = second.unsigned_abs() / 100), [""; 0]);
    assert_eq!(found(|second, look| look.slices.counts.ready = 5100 - second.unsigned_abs()), [""; 0], "it falls");
    // One in ten for the last two of five minutes is one in 25.
    let few = found(move |second, look| look.pool_waits = waits(look.pool_waits, second, now - 120));
    assert_eq!(few, [""; 0]);
    let once = found(move |second, look| {
        look.pool_waits.asked = second.unsigned_abs() / 100;
        look.pool_waits.long = u64::from(second > now - 100);
    });
    assert_eq!(once, [""; 0]);
    // Behind, but catching up.
    let catching_up = found(|second, look| {
        let hours = 40 - second.unsigned_abs() / 100;
        look.tick.as_mut().unwrap().note.standing = [(Timeframe::H1, standing(3, hours))].into();
    });
    assert_eq!(catching_up, [""; 0]);
    // More series are due, and lack everything: that is no regression.
    let grown = found(|second, look| {
        let more = if second > 3000 { 5000 } else { 0 };
        let standing = Standing { due_bars: 10_000 + more, ..standing(more, 0) };
        look.tick.as_mut().unwrap().note.standing = [(Timeframe::H1, standing)].into();
    });
    assert_eq!(grown, [""; 0]);
}

#[test]
fn the_worst_concern_is_the_status_and_comes_first() {
    let both = hour(|second, look| {
        look.clock_skew = TimeDelta::seconds(6);
        stopped_elsewhere("AUTHENTICATION_ERROR")(second, look);
    });
    let health = Health::of(&both, &Thresholds::default());
    let rules: Vec<_> = health.concerns.iter().map(|concern| concern.rule.as_str()).collect();
    assert_eq!((health.status, rules), (HealthStatus::Failing, vec!["AuthFailed", "ClockSkew"]));
    let skewed = Health::of(&hour(|_, look| look.clock_skew = TimeDelta::seconds(6)), &Thresholds::default());
    assert_eq!(skewed.status, HealthStatus::Degraded);
    let busy = Health::of(
        &hour(|second, look| look.slices.counts.ready = 51 + second.unsigned_abs() / 100),
        &Thresholds::default(),
    );
    assert_eq!((busy.status, busy.concerns.len()), (HealthStatus::Healthy, 1));
}

#[test]
fn an_hour_is_remembered_and_no_more() {
    let mut history = History::default();
    for seconds in (0..20_000).step_by(15) {
        history.add(well(seconds));
    }
    assert!(history.last(std::time::Duration::from_secs(3600)).is_some());
    assert!(history.last(std::time::Duration::from_secs(3700)).is_none());
}
