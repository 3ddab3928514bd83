use std::num::NonZeroU32;
use std::time::Duration;

use barkeep_queue::Backoff;
use chrono::TimeDelta;

use crate::{Clock, Error, Result, Schedule, Thresholds};

/// How an orchestrator works. Every setting has a default that does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How many slices this process works on at once, at the most: 5. From 1 to 10,000.
    pub workers: u16,
    /// How many slices run at once over all processes that share the queue: 5. From 1 to 10,000. Who ticks last with another
    /// number has its way, unless it is set for all by [`Tunable::Concurrency`](crate::Tunable::Concurrency).
    pub concurrency: u32,
    /// The most pages of a slice: 50. Long, because each slice wastes half a page at its end, and nothing is lost with a
    /// slice: it is resumed by the page. The planner makes slices shorter where workers would be idle.
    pub longest_slice: NonZeroU32,
    /// The most slices that one tick makes for a timeframe of a definition, earliest first; the next tick makes the next.
    /// `None`, as by default, makes them all at once.
    pub slices_a_tick: Option<NonZeroU32>,
    /// How long a claimed slice, or the planner's lock, stays this process' without a sign of life: 60 s. A process that is
    /// killed holds its slices back for this long, so the shorter the sooner others take over; a third of it must suffice
    /// for a heartbeat. From 1 s to a day.
    pub lease: Duration,
    /// How long an idle worker waits before it looks again, at the most: 1 s.
    pub poll: Duration,
    /// How long a slice that failed waits for its next try.
    pub backoff: Backoff,
    /// When an unattended orchestrator looks for gaps: every 60 s.
    pub schedule: Schedule,
    /// After how long an unattended orchestrator tries a slice again that failed for good: an hour.
    pub retry_failed_after: TimeDelta,
    /// How long after the end of a session, after-hours included, its bars are taken to be final: 8 hours, that is with the
    /// next early open in New York. Until then they are provisional, and once more fetched afterwards.
    pub settle: TimeDelta,
    /// How long what was answered with nothing, or looked suspicious, is left alone before it is asked for once more: a day.
    pub recheck_after: TimeDelta,
    /// Which part of the settled time an unattended orchestrator asks for again within a week though nothing looks wrong with it,
    /// so that late revisions are found: 5 in a thousand. 0, none; up to 1000, all of it. It is drawn in pieces of about a page.
    pub reverify_per_thousand: u32,
    /// How often an unattended orchestrator looks how everything is doing: every 15 s. Who asks more often than three times
    /// as often is told what was seen last.
    pub look_every: Duration,
    /// From when on something is wrong.
    pub thresholds: Thresholds,
    /// What tells the time.
    pub clock: Clock,
    /// Who this process is, in the queue's tables: the process id.
    pub name: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 5,
            concurrency: 5,
            longest_slice: NonZeroU32::new(50).expect("not zero"),
            slices_a_tick: None,
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            backoff: Backoff::default(),
            schedule: Schedule::default(),
            retry_failed_after: TimeDelta::hours(1),
            settle: TimeDelta::hours(8),
            recheck_after: TimeDelta::days(1),
            reverify_per_thousand: 5,
            look_every: Duration::from_secs(15),
            thresholds: Thresholds::default(),
            clock: Clock::Database,
            name: format!("barkeep-{}", std::process::id()),
        }
    }
}

impl Settings {
    /// Lets up to `concurrency` slices run at once, over all processes.
    #[must_use]
    pub fn with_concurrency(self, concurrency: u32) -> Self {
        Self { concurrency, ..self }
    }

    /// Works on up to `workers` slices at once.
    #[must_use]
    pub fn with_workers(self, workers: u16) -> Self {
        Self { workers, ..self }
    }

    /// Makes no slice longer than so many pages.
    #[must_use]
    pub fn with_longest_slice(self, pages: NonZeroU32) -> Self {
        Self { longest_slice: pages, ..self }
    }

    /// Makes no more slices at a tick for a timeframe of a definition.
    #[must_use]
    pub fn with_slices_a_tick(self, slices: NonZeroU32) -> Self {
        Self { slices_a_tick: Some(slices), ..self }
    }

    /// Holds claimed slices for `lease` without a sign of life.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Waits otherwise before a failed slice is tried again.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Looks for gaps at other times.
    #[must_use]
    pub fn with_schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }

    /// Takes bars to be final so long after their session.
    #[must_use]
    pub fn with_settle(self, settle: TimeDelta) -> Self {
        Self { settle, ..self }
    }

    /// Asks again so long after an empty or suspicious answer.
    #[must_use]
    pub fn with_recheck_after(self, recheck_after: TimeDelta) -> Self {
        Self { recheck_after, ..self }
    }

    /// Asks for so many thousandths of the settled time again within a week.
    #[must_use]
    pub fn with_reverify_per_thousand(self, reverify_per_thousand: u32) -> Self {
        Self { reverify_per_thousand, ..self }
    }

    /// Looks otherwise often how everything is doing; at most every 10 ms.
    #[must_use]
    pub fn with_look_every(self, look_every: Duration) -> Self {
        Self { look_every: look_every.max(Duration::from_millis(10)), ..self }
    }

    /// Finds something wrong earlier or later.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Thresholds) -> Self {
        Self { thresholds, ..self }
    }

    /// Lives by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Tells whether one can work so. Whatever begins to work asks first.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`], for the first setting that is out of its range.
    pub fn check(&self) -> Result<()> {
        const DAY: Duration = Duration::from_secs(86_400);
        const LONGEST: TimeDelta = TimeDelta::days(365);
        let in_a_year = |delta: TimeDelta| (TimeDelta::zero()..=LONGEST).contains(&delta);
        let rules = [
            (!(1..=10_000).contains(&self.workers), "workers", "from 1 to 10000"),
            (!(1..=10_000).contains(&self.concurrency), "concurrency", "from 1 to 10000"),
            (!(Duration::from_secs(1)..=DAY).contains(&self.lease), "lease", "from 1 s to a day"),
            (!(Duration::from_millis(1)..=DAY).contains(&self.poll), "poll", "from 1 ms to a day"),
            (!in_a_year(self.retry_failed_after), "retry_failed_after", "up to a year"),
            (!in_a_year(self.settle), "settle", "up to a year"),
            (!in_a_year(self.recheck_after), "recheck_after", "up to a year"),
            (self.reverify_per_thousand > 1000, "reverify_per_thousand", "from 0 to 1000"),
            (!(1..=128).contains(&self.name.len()), "name", "1 to 128 bytes"),
        ];
        match rules.into_iter().find(|(is_broken, ..)| *is_broken) {
            Some((_, name, expected)) => Err(Error::Setting { name, expected }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let usual = Settings::default;
        usual().check().unwrap();
        for (settings, name) in [
            (usual().with_workers(0), "workers"),
            (usual().with_workers(10_001), "workers"),
            (usual().with_concurrency(0), "concurrency"),
            (usual().with_lease(Duration::ZERO), "lease"),
            (usual().with_lease(Duration::from_secs(86_401)), "lease"),
            (Settings { poll: Duration::ZERO, ..usual() }, "poll"),
            (usual().with_settle(TimeDelta::seconds(-1)), "settle"),
            (usual().with_recheck_after(TimeDelta::days(366)), "recheck_after"),
            (usual().with_reverify_per_thousand(1001), "reverify_per_thousand"),
            (Settings { name: String::new(), ..usual() }, "name"),
        ] {
            let error = settings.check().unwrap_err();
            assert_eq!(error.code(), "VALIDATION_ERROR");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
