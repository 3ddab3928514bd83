use std::fmt;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use crate::Result;

/// Hears what is notified on a channel of a PostgreSQL server; see [`Postgres::listen`](crate::Postgres::listen).
pub struct Listener {
    listener: PgListener,
}

impl Listener {
    pub(crate) async fn open(options: &PgConnectOptions, channel: &str) -> Result<Self> {
        // A pool of its own: it holds its connection for good, and shall not take one from the verbs.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_with(options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(channel).await?;
        Ok(Self { listener })
    }

    /// Waits for the next notice and answers its text. `None`: the connection was lost and is open again, and nobody knows
    /// what was told in the meantime.
    ///
    /// # Errors
    ///
    /// The server is out of reach. Ask again after a while.
    pub async fn heard(&mut self) -> Result<Option<String>> {
        Ok(self.listener.try_recv().await?.map(|notice| notice.payload().to_owned()))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options, which know the password, are left out.
        formatter.debug_struct("Listener").finish_non_exhaustive()
    }
}
