use async_trait::async_trait;

use super::DatabaseQueue;
use crate::rows::SelectRow;
use crate::statements::Statements;
use crate::{Cancelled, Control, Pause, Result, Scope, Select, check};

/// Far more than it takes, unless somebody has edited the tables by hand.
const LOOKS: u32 = 100;

#[async_trait]
impl<D: Statements> Control for DatabaseQueue<D> {
    async fn cancel(&self, which: &Select) -> Result<Cancelled> {
        let row = SelectRow::from(which);
        let mut cancelled = Cancelled::default();
        // A job that is being claimed at this moment is seen neither in its old place nor in its new one. The next look
        // finds it.
        for _ in 0..LOOKS {
            let (more, between) = self.database.cancel(self.clock.moved_us(), &row).await?;
            cancelled.ended += more.ended;
            cancelled.asked = more.asked;
            if between == 0 {
                break;
            }
        }
        Ok(cancelled)
    }

    async fn reprioritise(&self, which: &Select, priority: i16) -> Result<u64> {
        check::priority("priority", priority)?;
        let changed = self.database.reprioritise(&SelectRow::from(which), -priority).await;
        self.floors.clear();
        changed
    }

    async fn retry_failed(&self, which: &Select) -> Result<u64> {
        let retried = self.database.retry_failed(self.clock.moved_us(), &SelectRow::from(which)).await;
        self.floors.clear();
        retried
    }

    async fn pause(&self, what: &Pause) -> Result<()> {
        let (kind, group) = columns(what)?;
        self.database.pause(kind, group).await
    }

    async fn resume(&self, what: &Pause) -> Result<bool> {
        let (kind, group) = columns(what)?;
        let resumed = self.database.resume(kind, group).await;
        self.floors.clear();
        resumed
    }

    async fn paused(&self) -> Result<Vec<Pause>> {
        let pauses = self.database.paused().await?;
        let pause =
            |(kind, group): (String, String)| if group.is_empty() { Pause::Kind(kind) } else { Pause::Group(group) };
        let mut pauses: Vec<Pause> = pauses.into_iter().map(pause).collect();
        pauses.sort();
        Ok(pauses)
    }

    async fn set_cap(&self, scope: &Scope, limit: Option<u32>) -> Result<()> {
        let (kind, group) = check::scope(scope)?;
        let set = self.database.set_cap(kind, group, check::cap(limit)?).await;
        self.floors.clear();
        set
    }
}

/// Kind and group as they are stored: the one that is not meant is empty.
fn columns(what: &Pause) -> Result<(&str, &str)> {
    match what {
        Pause::Kind(kind) => check::kind("kind", kind).map(|()| (kind.as_str(), "")),
        Pause::Group(group) => check::group("group", group).map(|()| ("", group.as_str())),
    }
}
