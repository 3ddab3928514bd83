use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Concern, Notice, NoticeState};

/// Decides what is worth saying: each concern once, again after an interval if it stays, and once when it is over.
///
/// Concerns are the same if rule and subject are. Time is an argument, so that a test can let a day pass.
///
/// ```
/// # use barkeep_notify::{Concern, NoticeState, Reminders, Severity};
/// # use std::time::Duration;
/// # let noon = "2026-01-05T12:00:00Z".parse()?;
/// # let dead = Concern { rule: "DeadJobs".into(), subject: String::new(), severity: Severity::Ticket, reason: "3 slices failed".into(), first_action: "read why".into() };
/// let mut reminders = Reminders::every(Duration::from_secs(4 * 3600));
/// let due = reminders.review(noon, "host-1", &[dead.clone()]);
/// assert_eq!(due.len(), 1);
/// reminders.told(&due[0]);
/// assert!(reminders.review(noon, "host-1", &[dead]).is_empty());
/// assert_eq!(reminders.review(noon, "host-1", &[])[0].state, NoticeState::Resolved);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reminders {
    interval: TimeDelta,
    known: BTreeMap<(String, String), Known>,
}

#[derive(Clone, Debug)]
struct Known {
    concern: Concern,
    since: DateTime<Utc>,
    /// When it was last told; never, if nobody was reached yet.
    told_at: Option<DateTime<Utc>>,
}

impl Reminders {
    /// Reminds of what stays wrong at this interval.
    pub fn every(interval: Duration) -> Self {
        Self { interval: TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX), known: BTreeMap::new() }
    }

    /// What is to be said now that these are all the concerns there are. Say of each with [`told`](Self::told) that it
    /// was delivered; what was not is due again at the next review.
    pub fn review(&mut self, now: DateTime<Utc>, source: &str, concerns: &[Concern]) -> Vec<Notice> {
        let key = |concern: &Concern| (concern.rule.clone(), concern.subject.clone());
        for concern in concerns {
            let new = || Known { concern: concern.clone(), since: now, told_at: None };
            self.known.entry(key(concern)).or_insert_with(new).concern = concern.clone();
        }
        let is_firing = |known: &Known| concerns.iter().any(|concern| key(concern) == key(&known.concern));
        // What came and went before anybody was told is not worth a word.
        self.known.retain(|_, known| known.told_at.is_some() || is_firing(known));
        let interval = self.interval;
        let due = |known: &&Known| match known.told_at {
            Some(told_at) if is_firing(known) => now - told_at >= interval,
            Some(_) | None => true,
        };
        let notice = |known: &Known| Notice {
            state: if is_firing(known) { NoticeState::Firing } else { NoticeState::Resolved },
            concern: known.concern.clone(),
            since: known.since,
            at: now,
            source: source.to_owned(),
        };
        self.known.values().filter(due).map(notice).collect()
    }

    /// Remembers that a notice was delivered.
    pub fn told(&mut self, notice: &Notice) {
        let key = (notice.concern.rule.clone(), notice.concern.subject.clone());
        match notice.state {
            NoticeState::Resolved => {
                self.known.remove(&key);
            }
            NoticeState::Firing => {
                if let Some(known) = self.known.get_mut(&key) {
                    known.told_at = Some(notice.at);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    fn concern(rule: &str, subject: &str) -> Concern {
        let (rule, subject) = (rule.to_owned(), subject.to_owned());
        Concern { rule, subject, severity: Severity::Ticket, reason: "why".into(), first_action: "what".into() }
    }

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + 60 * minutes, 0).unwrap()
    }

    /// Delivers everything that is due, and tells which.
    fn delivered(reminders: &mut Reminders, minutes: i64, concerns: &[Concern]) -> Vec<(String, NoticeState)> {
        let due = reminders.review(at(minutes), "here", concerns);
        due.iter().for_each(|notice| reminders.told(notice));
        due.into_iter().map(|notice| (notice.concern.rule + &notice.concern.subject, notice.state)).collect()
    }

    fn hourly() -> Reminders {
        Reminders::every(Duration::from_secs(3600))
    }

    #[test]
    fn a_concern_is_told_once_then_reminded_of_then_resolved_once() {
        let (mut reminders, dead) = (hourly(), [concern("Dead", "")]);
        let told = |state| vec![("Dead".to_owned(), state)];
        assert_eq!(delivered(&mut reminders, 0, &dead), told(NoticeState::Firing));
        for minute in 1..60 {
            assert_eq!(delivered(&mut reminders, minute, &dead), []);
        }
        assert_eq!(delivered(&mut reminders, 60, &dead), told(NoticeState::Firing));
        assert_eq!(delivered(&mut reminders, 61, &[]), told(NoticeState::Resolved));
        assert_eq!(delivered(&mut reminders, 62, &[]), []);
    }

    #[test]
    fn subjects_of_a_rule_are_told_apart() {
        let mut reminders = hourly();
        assert_eq!(delivered(&mut reminders, 0, &[concern("Lag", "a")]).len(), 1);
        let both = [concern("Lag", "a"), concern("Lag", "b")];
        assert_eq!(delivered(&mut reminders, 1, &both), [("Lagb".to_owned(), NoticeState::Firing)]);
    }

    #[test]
    fn what_was_not_delivered_is_due_again_and_what_went_by_unsaid_stays_so() {
        let (mut reminders, dead) = (hourly(), [concern("Dead", "")]);
        for minute in 0..3 {
            let due = reminders.review(at(minute), "here", &dead);
            assert_eq!((due.len(), due[0].since), (1, at(0)));
        }
        assert_eq!(reminders.review(at(3), "here", &[]), []);
    }

    #[test]
    fn a_notice_is_flat_json_with_words_for_states() {
        let notice = hourly().review(at(0), "host-1", &[concern("Dead", "march")]).remove(0);
        let json = serde_json::to_value(&notice).unwrap();
        assert_eq!(
            (&json["rule"], &json["state"], &json["severity"]),
            (&"Dead".into(), &"firing".into(), &"ticket".into())
        );
        assert_eq!(serde_json::from_value::<Notice>(json).unwrap(), notice);
    }
}
