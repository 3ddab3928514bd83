use std::time::Duration;

use tokio::time::Instant;

use crate::Error;

/// How often an outage that goes on is worth a line in the log.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// How long to wait between tries at what the database does not do: twice as long each time, up to a longest.
#[derive(Debug)]
pub(super) struct Patience {
    next: Duration,
    longest: Duration,
    said_at: Option<Instant>,
}

impl Patience {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest, said_at: None }
    }

    /// How long to wait after this error; says so in the log, the first time and once a minute.
    pub(super) fn after(&mut self, error: &Error, what: &str) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        if self.said_at.is_none_or(|said_at| said_at.elapsed() >= SAID_EVERY) {
            self.said_at = Some(Instant::now());
            tracing::warn!(code = error.code(), wait_ms = wait.as_millis() as u64, "{what}");
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_the_longest_and_an_outage_is_told_once_a_minute() {
        let error = barkeep_database::Error::TimedOut { limit: Duration::from_secs(1) }.into();
        let mut patience = Patience::new(Duration::from_secs(1), Duration::from_secs(5));
        let (mut waits, mut said) = (Vec::new(), 0);
        for _ in 0..30 {
            let before = patience.said_at;
            let wait = patience.after(&error, "not done yet");
            said += u32::from(patience.said_at != before);
            waits.push(wait.as_secs());
            tokio::time::advance(wait).await;
        }
        assert_eq!(waits[..5], [1, 2, 4, 5, 5]);
        assert_eq!(said, 3, "over {} s", waits.iter().sum::<u64>());
    }
}
