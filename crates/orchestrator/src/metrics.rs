//! What is measured, under which names: the `metrics` facade, so that the program chooses where it goes.
//!
//! Counters and histograms are this process' own: sum them over processes. Gauges that tell of the database are the same in
//! every process: take their maximum.

use std::time::Duration;

use barkeep_queue::{Reaped, Vitals};
use chrono::{DateTime, Utc};
use metrics::{Unit, counter, gauge, histogram};

use crate::Health;
use crate::look::Look;
use crate::{ProgressEvent, TickReport};

/// A metric that this library feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name: stable.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only ever rises; of this process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Many values; of this process.
    Histogram,
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident [$($label:literal)*] $help:literal;)*) => {
        $(#[doc = concat!("`", $name, "`: ", $help)] pub const $constant: &str = $name;)*
        /// Every metric there is.
        pub const METRICS: &[Metric] = &[
            $(Metric { name: $name, kind: MetricKind::$kind, labels: &[$($label),*], help: $help },)*
        ];
    };
}

metrics! {
    TICKS "barkeep_ticks_total" Counter ["outcome"] "Ticks, by what came of them: planned, lock_held, nothing_enabled, or failed";
    TICK_DURATION "barkeep_tick_duration_seconds" Histogram [] "How long ticks took";
    REVERIFIED "barkeep_reverified_pieces_total" Counter [] "Pieces of settled time that ticks of this process asked for again as the weekly sample";
    LAST_TICK "barkeep_last_tick_timestamp_seconds" Gauge [] "When any process last ticked";
    LAST_SUCCESS "barkeep_last_success_timestamp_seconds" Gauge [] "When this process last finished a slice";
    JOBS "barkeep_jobs" Gauge ["state"] "Slices by state: waiting, ready, paused, running, succeeded, failed, cancelled";
    OLDEST_RUNNABLE "barkeep_oldest_runnable_job_age_seconds" Gauge [] "How long the slice waits that waits longest for a worker";
    OLDEST_RUNNING "barkeep_oldest_running_job_age_seconds" Gauge [] "How long the slice runs that runs longest";
    JOBS_FINISHED "barkeep_jobs_finished_total" Counter ["outcome" "code"] "Tries at slices that ended: done, retrying, failed, delayed, lost";
    JOB_DURATION "barkeep_job_duration_seconds" Histogram [] "How long slices that were done took";
    JOB_WAIT "barkeep_job_wait_seconds" Histogram [] "How long slices waited for a worker once their time had come";
    LEASES_LAPSED "barkeep_leases_lapsed" Gauge [] "Leases that ran out and were not taken back yet";
    LEASES_EXPIRED "barkeep_leases_expired_total" Counter [] "Leases that ran out and that this process took back";
    LEASES_LOST "barkeep_leases_lost_total" Counter [] "Slices that this process ended too late: their leases had been lost";
    CRASHES "barkeep_live_job_crashes" Gauge [] "How often workers died with the slices that are live";
    WORKERS "barkeep_workers_alive" Gauge [] "Workers that are alive, over all processes";
    JOBS_DEAD "barkeep_jobs_dead" Gauge [] "Slices that failed for good and were not given back";
    PROVIDER_REQUESTS "barkeep_provider_requests_total" Counter ["code"] "Requests sent to the vendor, by the code of the answer; OK is a page";
    PROVIDER_DURATION "barkeep_provider_request_duration_seconds" Histogram [] "How long the vendor took to answer";
    PROVIDER_BYTES "barkeep_provider_response_bytes" Histogram [] "How long pages were, unpacked";
    PROVIDER_429 "barkeep_provider_429_total" Counter [] "Requests that the vendor refused as too many";
    RATELIMIT_USED "barkeep_ratelimit_used_ratio" Gauge ["budget"] "Share of a shared request limit that was used over the last minutes";
    RATELIMIT_WAIT "barkeep_ratelimit_wait_seconds_total" Counter [] "Time spent waiting for the shared request limit";
    BARS_WRITTEN "barkeep_bars_written_total" Counter ["timeframe"] "Bars stored, new or revised";
    BARS_REVISED "barkeep_bars_revised_total" Counter ["timeframe"] "Bars that the vendor changed after they had been stored";
    BARS_REJECTED "barkeep_bars_rejected_total" Counter ["timeframe" "reason"] "Bars not stored: impossible, or outside of what was asked";
    BARS_DUPLICATE "barkeep_bars_duplicate_total" Counter ["timeframe"] "Bars that came twice within a page";
    COVERAGE_RATIO "barkeep_coverage_ratio" Gauge ["timeframe"] "Share of the bars that are due and were fetched";
    MISSING_BARS "barkeep_missing_bars" Gauge ["timeframe"] "Bars that are due and were not fetched";
    COVERAGE_LAG "barkeep_coverage_lag_seconds" Gauge ["timeframe" "series"] "How far the newest fetched bar is behind the newest due: worst series, and the 95th percentile";
    DB_ERRORS "barkeep_db_errors_total" Counter ["code"] "Looks and ticks that the database did not answer";
    POOL_IN_USE "barkeep_db_pool_in_use" Gauge [] "Connections to the database that are in use; of this process";
    POOL_WAIT "barkeep_db_pool_wait_seconds" Histogram [] "How long it took to get a connection";
    CLOCK_SKEW "barkeep_clock_skew_seconds" Gauge [] "How far this host's clock is ahead of the database's";
    STORAGE_FULL "barkeep_storage_full" Gauge [] "1 while this process claims nothing because the database has no space left";
    HEALTH "barkeep_health" Gauge [] "0 healthy, 1 degraded, 2 failing";
    CONCERNS "barkeep_concerns" Gauge ["rule" "severity"] "1 while a rule of the built-in health finds something";
    NOTICES "barkeep_notices_total" Counter ["outcome"] "Notices: delivered, or failed";
    STOPPED "barkeep_stopped_total" Counter ["code"] "Errors that made further work pointless";
    BUILD_INFO "barkeep_build_info" Gauge ["version"] "1, with the version that runs";
}

/// Tells the installed recorder what every metric means. Call it once, after the recorder was installed.
pub fn describe_metrics() {
    for metric in METRICS {
        let unit = match metric.name {
            name if name.contains("_seconds") => Unit::Seconds,
            name if name.ends_with("_bytes") => Unit::Bytes,
            _ => Unit::Count,
        };
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, unit, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, unit, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, unit, metric.help),
        }
    }
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Counts what happened.
pub(crate) fn happened(event: &ProgressEvent) {
    let finished = |outcome: &'static str, code: &str| {
        counter!(JOBS_FINISHED, "outcome" => outcome, "code" => code.to_owned()).increment(1);
    };
    match event {
        ProgressEvent::PageCommitted { timeframe, bars_written, bars_revised, quarantined, doubled, dropped } => {
            let timeframe = timeframe.to_string();
            counter!(BARS_WRITTEN, "timeframe" => timeframe.clone()).increment(*bars_written);
            counter!(BARS_REVISED, "timeframe" => timeframe.clone()).increment(*bars_revised);
            counter!(BARS_DUPLICATE, "timeframe" => timeframe.clone()).increment(*doubled);
            for (reason, bars) in [("impossible", quarantined), ("out_of_range", dropped)] {
                counter!(BARS_REJECTED, "timeframe" => timeframe.clone(), "reason" => reason).increment(*bars);
            }
        }
        ProgressEvent::SliceDone { elapsed, .. } => {
            finished("done", "OK");
            histogram!(JOB_DURATION).record(elapsed.as_secs_f64());
        }
        ProgressEvent::SliceRetrying { code, .. } => finished("retrying", code),
        ProgressEvent::SliceFailed { code, .. } => finished("failed", code),
        ProgressEvent::SliceDelayed { code, .. } => finished("delayed", code),
        ProgressEvent::SliceLost => finished("lost", "LEASE_LOST"),
        ProgressEvent::Stopped { code, .. } => counter!(STOPPED, "code" => code.clone()).increment(1),
        ProgressEvent::StorageFull { .. } => gauge!(STORAGE_FULL).set(1.0),
        ProgressEvent::StorageFreed { .. } => gauge!(STORAGE_FULL).set(0.0),
        ProgressEvent::HealthChanged(_)
        | ProgressEvent::Planned { .. }
        | ProgressEvent::Requested { .. }
        | ProgressEvent::SliceStarted { .. }
        | ProgressEvent::SymbolRejected { .. } => {}
    }
}

pub(crate) fn succeeded_at(now: DateTime<Utc>) {
    gauge!(LAST_SUCCESS).set(now.timestamp_millis() as f64 / 1000.0);
}

pub(crate) fn ticked(outcome: &'static str, report: &TickReport) {
    counter!(TICKS, "outcome" => outcome).increment(1);
    histogram!(TICK_DURATION).record(report.duration.as_secs_f64());
    counter!(REVERIFIED).increment(report.reverified);
}

pub(crate) fn tick_failed(code: &str) {
    counter!(TICKS, "outcome" => "failed").increment(1);
    db_failed(code);
}

/// Leases of others were taken back.
pub(crate) fn reaped(reaped: Reaped) {
    counter!(LEASES_EXPIRED).increment(reaped.returned + reaped.ended);
}

/// Slices ended after their leases had been lost.
pub(crate) fn leases_lost(leases: usize) {
    counter!(LEASES_LOST).increment(leases as u64);
}

pub(crate) fn db_failed(code: &str) {
    counter!(DB_ERRORS, "code" => code.to_owned()).increment(1);
}

/// Counts a request that was answered, under the code of the answer.
pub(crate) fn requested(code: &'static str, took: Duration) {
    counter!(PROVIDER_REQUESTS, "code" => code).increment(1);
    histogram!(PROVIDER_DURATION).record(took.as_secs_f64());
    if code == "RATE_LIMIT_EXCEEDED" {
        counter!(PROVIDER_429).increment(1);
    }
}

/// A slice found a worker.
pub(crate) fn claimed(waited: Duration) {
    histogram!(JOB_WAIT).record(waited.as_secs_f64());
}

/// A page was so long.
pub(crate) fn read(bytes: u64) {
    histogram!(PROVIDER_BYTES).record(bytes as f64);
}

pub(crate) fn waited(wait: Duration) {
    // In whole milliseconds kept as a gauge that only rises: counters of this facade have no fractions.
    gauge!(RATELIMIT_WAIT).increment(wait.as_secs_f64());
}

pub(crate) fn noticed(is_delivered: bool) {
    counter!(NOTICES, "outcome" => if is_delivered { "delivered" } else { "failed" }).increment(1);
}

/// Shows what a look at the database found.
pub(crate) fn looked(look: &Look) {
    gauge!(STORAGE_FULL).set(if look.totals.storage_full { 1.0 } else { 0.0 });
    if let Some(code) = look.outage {
        db_failed(code);
        return;
    }
    let Vitals { counts, paused, lapsed, crashes, workers, .. } = look.slices;
    let states = [
        ("waiting", counts.waiting),
        ("ready", counts.ready),
        ("paused", paused),
        ("running", counts.running),
        ("succeeded", counts.succeeded),
        ("failed", counts.failed),
        ("cancelled", counts.cancelled),
    ];
    for (state, jobs) in states {
        gauge!(JOBS, "state" => state).set(jobs as f64);
    }
    gauge!(WORKERS).set(workers as f64);
    gauge!(JOBS_DEAD).set(counts.failed as f64);
    gauge!(LEASES_LAPSED).set(lapsed as f64);
    gauge!(CRASHES).set(crashes as f64);
    gauge!(OLDEST_RUNNABLE).set(look.oldest_runnable().as_secs_f64());
    gauge!(OLDEST_RUNNING).set(look.oldest_running().as_secs_f64());
    gauge!(CLOCK_SKEW).set(look.clock_skew.as_seconds_f64());
    if let Some(tick) = &look.tick {
        gauge!(LAST_TICK).set(tick.at.timestamp_millis() as f64 / 1000.0);
        for (timeframe, standing) in &tick.note.standing {
            let timeframe = timeframe.to_string();
            gauge!(COVERAGE_RATIO, "timeframe" => timeframe.clone()).set(standing.ratio());
            gauge!(MISSING_BARS, "timeframe" => timeframe.clone()).set(standing.missing_bars as f64);
            for (series, lag) in [("worst", standing.worst_lag_seconds), ("p95", standing.p95_lag_seconds)] {
                gauge!(COVERAGE_LAG, "timeframe" => timeframe.clone(), "series" => series).set(lag as f64);
            }
        }
    }
}

pub(crate) fn budget_used(budget: &str, ratio: f64) {
    gauge!(RATELIMIT_USED, "budget" => budget.to_owned()).set(ratio);
}

/// Shows how it is.
pub(crate) fn healthy(health: &Health) {
    gauge!(HEALTH).set(f64::from(health.status as u8));
    for rule in Health::rules() {
        let is_firing = health.concerns.iter().any(|concern| concern.rule == rule.name);
        let severity = rule.severity_name();
        gauge!(CONCERNS, "rule" => rule.name, "severity" => severity).set(if is_firing { 1.0 } else { 0.0 });
    }
}
