use std::time::Duration;

use barkeep_database::{Listener, Postgres};
use tokio::task::JoinHandle;

use crate::{Bell, DatabaseQueue, Result};

/// One for all schemas of a database, since a name has 63 bytes; the text of a notice is the schema.
const CHANNEL: &str = "barkeep_queue";
/// How long to wait before a server out of reach is asked again, at first and at most.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

impl DatabaseQueue<Postgres> {
    /// Tells those who [`listen`](Self::listen) whenever this handle, or a clone made from now on, has added jobs.
    ///
    /// Off unless asked for: each notice is one more commit, and while it commits no other transaction that notifies can.
    /// So it is no part of the adding, does not wait for the disk, and many that are due at once are one. It is sent in the
    /// background, once jobs have been added: one that is lost costs its hearers a poll.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn with_notices(self) -> Self {
        let added = Bell::new();
        let (mut ear, database) = (added.hear(), self.database.clone());
        // Ends with the last handle, which has the last of this bell.
        tokio::spawn(async move {
            while ear.rung().await {
                if let Err(error) = notify(&database).await {
                    tracing::warn!(code = error.code(), "nobody told of new jobs");
                }
            }
        });
        self.ringing(&added)
    }

    /// Rings the bell when others add jobs to this queue by a handle [`with_notices`](Self::with_notices), until the answer
    /// is dropped.
    ///
    /// It has a connection of its own. If that is lost it is opened again, for as long as it takes, and then the bell is
    /// rung for whatever was missed; until then workers have their polls. A peer that vanishes without a word is noticed
    /// when the system's TCP gives it up.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the server cannot be listened to now, or never behind a transaction
    /// pooler.
    pub async fn listen(&self, bell: &Bell) -> Result<Listening> {
        let listener = self.database.listen(CHANNEL).await?;
        let task = tokio::spawn(pass_on(listener, self.database.schema().to_string(), bell.clone()));
        Ok(Listening { task })
    }
}

/// Listens for as long as it is kept.
#[derive(Debug)]
#[must_use = "dropping it ends the listening"]
pub struct Listening {
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn notify(database: &Postgres) -> Result<u64> {
    let statement = || {
        sqlx::query(database.sql(include_str!("../../sql/postgres/notify.sql")))
            .bind(CHANNEL)
            .bind(database.schema().as_str())
    };
    super::changes(database, statement).await
}

async fn pass_on(mut listener: Listener, schema: String, bell: Bell) {
    let mut wait = WAITS.0;
    loop {
        match listener.heard().await {
            Ok(Some(other)) if other != schema => {}
            Ok(_) => {
                wait = WAITS.0;
                bell.ring();
            }
            Err(error) => {
                tracing::warn!(code = error.code(), wait_ms = wait.as_millis() as u64, "new jobs are not heard of");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(WAITS.1);
            }
        }
    }
}
