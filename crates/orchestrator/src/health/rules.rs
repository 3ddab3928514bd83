//! Every rule: a name, how urgent it is, what to do first, and a pure function of what was seen.

use std::time::Duration;

use barkeep_notify::Severity::{Info, Page, Ticket};
use barkeep_types::Timeframe;

use super::Rule;
use crate::look::{History, Look};
use crate::{StoppedBy, Thresholds, Totals};

/// Every rule there is.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "DatabaseDown",
        severity: Page,
        first_action: "look whether the database runs and has space; slices wait and lose nothing",
        finds: database_down,
    },
    Rule {
        name: "AuthFailed",
        severity: Page,
        first_action: "replace the vendor's key, then start the processes again",
        finds: auth_failed,
    },
    Rule {
        name: "StorageFull",
        severity: Page,
        first_action: "free space or enlarge the disk; what runs goes on by itself, what has stopped is to be started again",
        finds: storage_full,
    },
    Rule {
        name: "DatabaseUnusable",
        severity: Page,
        first_action: "put back what the reason names, from a backup if need be, then start the processes again",
        finds: database_unusable,
    },
    Rule {
        name: "PoolExhausted",
        severity: Page,
        first_action: "look for long transactions and locks in the database, then give the pool more connections",
        finds: pool_exhausted,
    },
    Rule {
        name: "TickMissing",
        severity: Page,
        first_action: "look whether a process that ticks is alive, and read the last lines of its log",
        finds: tick_missing,
    },
    Rule {
        name: "BackfillStalled",
        severity: Page,
        first_action: "look for running workers, then for a request budget that is blocked",
        finds: stalled,
    },
    Rule {
        name: "JobsStuck",
        severity: Page,
        first_action: "look for workers that crash again and again, and restart what hangs",
        finds: stuck,
    },
    Rule {
        name: "CoverageLag",
        severity: Page,
        first_action: "explain the worst series, then look at the vendor's status page",
        finds: lag,
    },
    Rule {
        name: "CoverageRegressed",
        severity: Ticket,
        first_action: "find out who deletes or suspects what was covered; what is missing is being fetched again",
        finds: regressed,
    },
    Rule {
        name: "DeadJobs",
        severity: Ticket,
        first_action: "read the failures by code, mend the cause, then retry what failed",
        finds: dead,
    },
    Rule { name: "ErrorRateHigh", severity: Ticket, first_action: "read the failures by code", finds: error_rate },
    Rule {
        name: "QueueLatencyHigh",
        severity: Ticket,
        first_action: "add workers, or raise the request limit with the vendor",
        finds: latency,
    },
    Rule {
        name: "QueueDeep",
        severity: Info,
        first_action: "nothing, while slices are being done; otherwise as for BackfillStalled",
        finds: deep,
    },
    Rule {
        name: "RateLimited429",
        severity: Ticket,
        first_action: "look for another program that uses the same key, or share the budget under one name",
        finds: limited,
    },
    Rule {
        name: "RateLimitSaturated",
        severity: Info,
        first_action: "nothing; a plan with a higher request limit would be faster",
        finds: saturated,
    },
    Rule {
        name: "InvalidData",
        severity: Ticket,
        first_action: "read the quarantine, and tell the vendor with the request ids",
        finds: invalid,
    },
    Rule {
        name: "ClockSkew",
        severity: Ticket,
        first_action: "let this host's clock be set over the network",
        finds: skew,
    },
];

fn database_down(history: &History, _: &Thresholds) -> Option<String> {
    let look = history.latest()?;
    let code = look.outage?;
    Some(match &look.outage_reason {
        Some(reason) => format!("the database does not answer: {code}: {reason}"),
        None => format!("the database does not answer: {code}"),
    })
}

fn auth_failed(history: &History, _: &Thresholds) -> Option<String> {
    stopped_by(history, StoppedBy::Credentials)
}

fn storage_full(history: &History, _: &Thresholds) -> Option<String> {
    let full = history.latest()?.outage.filter(|code| *code == "STORAGE_FULL");
    let full = full.map(|_| "the database has no space left".to_owned());
    full.or_else(|| waits_for_space(history.latest()?)).or_else(|| stopped_by(history, StoppedBy::StorageFull))
}

fn database_unusable(history: &History, _: &Thresholds) -> Option<String> {
    stopped_by(history, StoppedBy::Database)
}

/// A process that waits for space: this one, or any other that could still say so.
fn waits_for_space(look: &Look) -> Option<String> {
    let there = look.full.as_ref().map(|trouble| trouble.reason.as_str());
    let here = look.totals.storage_full.then_some("the database has no space left");
    there.or(here).map(|reason| format!("nothing is claimed until there is space: {reason}"))
}

fn pool_exhausted(history: &History, thresholds: &Thresholds) -> Option<String> {
    let (asked, long) = history.pool_waits(thresholds.pool_waits_within)?;
    let is_exhausted = long >= thresholds.pool_waits_long && long * 1000 > asked * thresholds.pool_waits_per_thousand;
    is_exhausted.then(|| format!("{long} of {asked} waits for a connection took longer than a second"))
}

/// A process that stopped for a reason: this one, or any other that could still say so.
fn stopped_by(history: &History, reason: StoppedBy) -> Option<String> {
    let trouble = history.latest()?.stopped.as_ref()?;
    (StoppedBy::of(&trouble.code) == reason).then(|| trouble.reason.clone())
}

fn tick_missing(history: &History, thresholds: &Thresholds) -> Option<String> {
    let look = known(history)?;
    let tick = look.tick.as_ref()?;
    // Nothing, where the schedule has come to its end.
    let interval = Some(tick.note.interval_seconds).filter(|seconds| *seconds > 0)?;
    let patience = thresholds.ticks_missed * Duration::from_secs(interval);
    let silence = (look.at - tick.at).to_std().ok()?;
    (silence > patience).then(|| format!("nobody has ticked for {}", words(silence)))
}

fn stalled(history: &History, thresholds: &Thresholds) -> Option<String> {
    let looks = history.last(thresholds.stalled_after)?;
    let done = |look: &Look| look.slices.counts.succeeded;
    let waits = looks.iter().all(|look| look.slices.counts.ready + look.slices.counts.running > look.slices.paused);
    let (first, last) = (looks.first()?, looks.last()?);
    let is_stalled = waits && done(first) == done(last);
    is_stalled.then(|| {
        format!(
            "{} slices are due and none was done for {}",
            last.slices.runnable() + last.slices.counts.running,
            words(thresholds.stalled_after)
        )
    })
}

fn stuck(history: &History, thresholds: &Thresholds) -> Option<String> {
    let look = known(history)?;
    if look.oldest_running() > thresholds.stuck_after {
        return Some(format!("a slice has been running for {}", words(look.oldest_running())));
    }
    let recent = history.recent(thresholds.stuck_after);
    let crashes = look.slices.crashes.saturating_sub(recent.first()?.slices.crashes);
    (crashes > thresholds.crashes).then(|| format!("workers died {crashes} times in {}", words(thresholds.stuck_after)))
}

fn lag(history: &History, thresholds: &Thresholds) -> Option<String> {
    let looks = history.last(thresholds.lag_after)?;
    let (before, now) = (looks.first()?.tick.as_ref()?, looks.last()?.tick.as_ref()?);
    now.note.standing.iter().find_map(|(timeframe, standing)| {
        let bar = length(*timeframe);
        let tolerated = (bar * thresholds.lag_bars).as_secs();
        let lag = standing.worst_lag_seconds;
        let was = before.note.standing.get(timeframe)?.worst_lag_seconds;
        let is_late = lag > tolerated && was > tolerated && lag >= was;
        is_late.then(|| format!("the newest {timeframe} bar is {} behind", words(Duration::from_secs(lag))))
    })
}

fn regressed(history: &History, thresholds: &Thresholds) -> Option<String> {
    let recent = history.recent(Duration::from_secs(1800));
    let now = &recent.last()?.tick.as_ref()?.note.standing;
    now.iter().find_map(|(timeframe, standing)| {
        let before = recent.iter().filter_map(|look| look.tick.as_ref()?.note.standing.get(timeframe));
        // More series or longer windows lack bars that nobody had yet.
        let alike = before.filter(|before| before.due_bars.abs_diff(standing.due_bars) * 100 <= standing.due_bars);
        let least = alike.map(|before| before.missing_bars).min()?;
        let lost = standing.missing_bars.saturating_sub(least);
        let is_more = lost * 1000 > standing.due_bars * thresholds.regressed_per_thousand;
        is_more.then(|| format!("{lost} {timeframe} bars that were covered are missing"))
    })
}

fn dead(history: &History, _: &Thresholds) -> Option<String> {
    let look = known(history)?;
    let failures = &look.slices.failures;
    let slices: u64 = failures.values().sum();
    let codes: Vec<String> = failures.iter().map(|(code, slices)| format!("{code} {slices}")).collect();
    (slices > 0).then(|| format!("{slices} slices failed for good within the hour: {}", codes.join(", ")))
}

fn error_rate(history: &History, thresholds: &Thresholds) -> Option<String> {
    let recent = history.recent(thresholds.failed_within);
    let (first, last) = (recent.first()?.slices.counts, recent.last()?.slices.counts);
    let failed = last.failed.saturating_sub(first.failed);
    let ended = failed + last.succeeded.saturating_sub(first.succeeded);
    let is_high = ended >= thresholds.failed_of && failed * 1000 > ended * thresholds.failed_per_thousand;
    is_high.then(|| format!("{failed} of {ended} slices failed in {}", words(thresholds.failed_within)))
}

fn latency(history: &History, thresholds: &Thresholds) -> Option<String> {
    let waits = known(history)?.oldest_runnable();
    (waits > thresholds.waits_after).then(|| format!("a slice has been waiting for a worker for {}", words(waits)))
}

fn deep(history: &History, thresholds: &Thresholds) -> Option<String> {
    let looks = history.last(thresholds.deep_after)?;
    let waiting = |look: &Look| look.slices.runnable();
    let (first, last) = (waiting(looks.first()?), waiting(looks.last()?));
    let is_deep = looks.iter().all(|look| waiting(look) > thresholds.deep) && last >= first;
    is_deep.then(|| format!("{last} slices wait, no fewer than {} ago", words(thresholds.deep_after)))
}

fn limited(history: &History, thresholds: &Thresholds) -> Option<String> {
    const WITHIN: Duration = Duration::from_secs(600);
    let recent = history.recent(WITHIN);
    let blocked = recent.iter().flat_map(|look| &look.slices.budgets).find(|budget| budget.is_blocked);
    if let Some(budget) = blocked {
        return Some(format!("the vendor blocked the budget {:?} within {}", budget.name, words(WITHIN)));
    }
    let [limited, requests] = grown(&recent, |totals| [totals.limited, totals.requests])?;
    let is_high = limited * 1000 > requests * thresholds.limited_per_thousand;
    is_high.then(|| format!("{limited} of {requests} requests were refused as too many"))
}

fn saturated(history: &History, thresholds: &Thresholds) -> Option<String> {
    let used = history.budgets_used(thresholds.saturated_after).into_iter();
    let (name, ratio) = used.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let is_saturated = ratio * 1000.0 > thresholds.saturated_per_thousand as f64;
    is_saturated.then(|| format!("{:.0} % of the budget {name:?} were used", ratio * 100.0))
}

fn invalid(history: &History, thresholds: &Thresholds) -> Option<String> {
    let recent = history.recent(Duration::from_secs(900));
    let [refused, written] = grown(&recent, |totals| [totals.quarantined, totals.bars_written])?;
    let is_high = refused * 1000 > (refused + written) * thresholds.invalid_per_thousand;
    is_high.then(|| format!("{refused} bars of {} were impossible", refused + written))
}

fn skew(history: &History, thresholds: &Thresholds) -> Option<String> {
    let skew = known(history)?.clock_skew;
    let is_off = skew.abs().to_std().is_ok_and(|skew| skew > thresholds.clock_skew);
    is_off.then(|| format!("this host's clock is {:.1} s off the database's", skew.as_seconds_f64()))
}

/// How much time a bar spans, holidays aside.
fn length(timeframe: Timeframe) -> Duration {
    const DAY: u64 = 24 * 3600;
    let days = match timeframe {
        Timeframe::W1 => 7,
        Timeframe::Mn1 => 31,
        _ => 1,
    };
    timeframe.length().and_then(|length| length.to_std().ok()).unwrap_or(Duration::from_secs(days * DAY))
}

/// The latest look, if the database answered.
fn known(history: &History) -> Option<&Look> {
    history.latest().filter(|look| look.outage.is_none())
}

/// By how much sums of this process have grown.
fn grown<const N: usize>(looks: &[&Look], sums: fn(&Totals) -> [u64; N]) -> Option<[u64; N]> {
    let (first, last) = (sums(&looks.first()?.totals), sums(&looks.last()?.totals));
    Some(std::array::from_fn(|index| last[index].saturating_sub(first[index])))
}

/// A length of time for people.
fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} minutes", seconds / 60),
        seconds @ 7200..172_800 => format!("{} hours", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests;
