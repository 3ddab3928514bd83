use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::{MemoryQueue, State};
use crate::budget::unknown;
use crate::{Block, BudgetState, BudgetVitals, Budgets, Grant, Rate, Result, check};

/// A budget and what it has handed out.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    rate: Rate,
    /// When the tokens handed out so far have been earned.
    earned_at: DateTime<Utc>,
    blocked_until: DateTime<Utc>,
    day: NaiveDate,
    day_spent: u64,
    /// By how much tokens that came back have moved `earned_at` back, ever.
    returned: TimeDelta,
}

impl Budget {
    fn begin_day(&mut self, now: DateTime<Utc>) {
        if self.day != now.date_naive() {
            self.day = now.date_naive();
            self.day_spent = 0;
        }
    }

    fn ahead(&self, now: DateTime<Utc>) -> Duration {
        (self.earned_at - now).to_std().unwrap_or_default()
    }

    fn available(&self, now: DateTime<Utc>) -> u64 {
        let owed = self.ahead(now).as_micros().div_ceil(self.rate.interval().as_micros());
        u64::from(self.rate.burst()).saturating_sub(u64::try_from(owed).unwrap_or(u64::MAX))
    }

    pub(super) fn vitals(&self, name: &str, now: DateTime<Utc>) -> BudgetVitals {
        let mut today = self.clone();
        today.begin_day(now);
        BudgetVitals {
            name: name.to_owned(),
            interval_us: u64::try_from(self.rate.interval().as_micros()).unwrap_or(u64::MAX),
            spent_today: today.day_spent,
            is_blocked: self.blocked_until > now,
        }
    }

    fn left_today(&self) -> u64 {
        self.rate.day_limit().map_or(u64::MAX, |limit| limit.saturating_sub(self.day_spent))
    }

    fn reserve(&mut self, now: DateTime<Utc>, wanted: u32) -> Grant {
        self.begin_day(now);
        let wait = |until: DateTime<Utc>| Grant::Wait { wait: (until - now).to_std().unwrap_or_default() };
        if self.blocked_until > now {
            return wait(self.blocked_until);
        }
        if self.left_today() == 0 {
            return wait((self.day + Days::new(1)).and_time(NaiveTime::MIN).and_utc());
        }
        let tokens = self.available(now).min(self.left_today()).min(wanted.into());
        let interval = TimeDelta::from_std(self.rate.interval()).unwrap_or(TimeDelta::MAX);
        if tokens == 0 {
            let burst = i32::try_from(self.rate.burst()).unwrap_or(i32::MAX);
            return wait(self.earned_at - interval * (burst - 1));
        }
        let tokens = u32::try_from(tokens).unwrap_or(wanted);
        self.earned_at = self.earned_at.max(now) + interval * tokens.cast_signed();
        self.day_spent += u64::from(tokens);
        let ticket = (self.earned_at + self.returned).timestamp_micros();
        Grant::Granted(Block { tokens, hold: self.rate.hold(), ticket })
    }

    /// Takes back tokens that have not been earned since.
    fn give_back(&mut self, now: DateTime<Utc>, block: &Block) {
        self.begin_day(now);
        let unearned = TimeDelta::microseconds(block.ticket - (now + self.returned).timestamp_micros());
        let tokens = TimeDelta::from_std(self.rate.interval() * block.tokens).unwrap_or(TimeDelta::MAX);
        let back = unearned.max(TimeDelta::zero()).min(tokens);
        self.earned_at -= back;
        self.returned += back;
        self.day_spent = self.day_spent.saturating_sub(block.tokens.into());
    }
}

impl State {
    /// The kind's budget, if it is exhausted, and until when.
    pub(super) fn exhausted(&self, kind: &str) -> Option<(String, DateTime<Utc>)> {
        let name = self.budgets_of.get(kind)?;
        let mut budget = self.budgets.get(name)?.clone();
        budget.begin_day(self.now);
        let tomorrow = || (budget.day + Days::new(1)).and_time(NaiveTime::MIN).and_utc();
        let until =
            budget.blocked_until.max(if budget.left_today() == 0 { tomorrow() } else { DateTime::<Utc>::MIN_UTC });
        (until > self.now).then(|| (name.clone(), until))
    }
}

#[async_trait]
impl Budgets for MemoryQueue {
    async fn set_budget(&self, name: &str, rate: &Rate) -> Result<()> {
        check::text("name", name, 128)?;
        let mut state = self.state();
        let now = state.now;
        let new = Budget {
            rate: *rate,
            earned_at: now,
            blocked_until: DateTime::<Utc>::MIN_UTC,
            day: now.date_naive(),
            day_spent: 0,
            returned: TimeDelta::zero(),
        };
        state.budgets.entry(name.to_owned()).or_insert(new).rate = *rate;
        Ok(())
    }

    async fn reserve(&self, name: &str, wanted: u32) -> Result<Grant> {
        check::rule("wanted", wanted > 0, "is none")?;
        let mut state = self.state();
        let now = state.now;
        state.budgets.get_mut(name).map(|budget| budget.reserve(now, wanted)).ok_or_else(unknown)
    }

    async fn give_back(&self, name: &str, block: &Block) -> Result<()> {
        let mut state = self.state();
        let now = state.now;
        state.budgets.get_mut(name).map(|budget| budget.give_back(now, block)).ok_or_else(unknown)
    }

    async fn block(&self, name: &str, time: Duration) -> Result<()> {
        check::wait("time", time)?;
        let mut state = self.state();
        let until = state.now + time;
        let budget = state.budgets.get_mut(name).ok_or_else(unknown)?;
        budget.blocked_until = budget.blocked_until.max(until);
        Ok(())
    }

    async fn set_budget_of(&self, kind: &str, budget: Option<&str>) -> Result<()> {
        check::kind("kind", kind)?;
        let mut state = self.state();
        match budget {
            None => state.budgets_of.remove(kind),
            Some(name) if state.budgets.contains_key(name) => state.budgets_of.insert(kind.to_owned(), name.to_owned()),
            Some(_) => return Err(unknown()),
        };
        Ok(())
    }

    async fn budget(&self, name: &str) -> Result<Option<BudgetState>> {
        let state = self.state();
        Ok(state.budgets.get(name).map(|budget| {
            let mut today = budget.clone();
            today.begin_day(state.now);
            BudgetState {
                available: u32::try_from(budget.available(state.now)).unwrap_or(u32::MAX),
                blocked_until: Some(budget.blocked_until).filter(|until| *until > state.now),
                spent_today: today.day_spent,
                day_limit: budget.rate.day_limit(),
            }
        }))
    }
}
