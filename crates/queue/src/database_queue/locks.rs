use std::time::Duration;

use async_trait::async_trait;

use super::DatabaseQueue;
use crate::rows::LockRow;
use crate::statements::Statements;
use crate::{Lock, Locks, Result, Token, check};

#[async_trait]
impl<D: Statements> Locks for DatabaseQueue<D> {
    async fn lock(&self, name: &str, holder: &str, lease: Duration) -> Result<Option<Lock>> {
        check::text("name", name, 128)?;
        check::text("holder", holder, 128)?;
        let lease_us = check::lease("lease", lease)?;
        let token = Token::random();
        let row = LockRow { name, holder, token: token.0, lease_us };
        let until = self.database.lock(self.clock.moved_us(), &row).await?;
        Ok(until.map(|until| Lock { name: name.to_owned(), token, until }))
    }

    async fn extend_lock(&self, lock: &Lock, lease: Duration) -> Result<bool> {
        let lease_us = check::lease("lease", lease)?;
        let row = LockRow { name: &lock.name, holder: "", token: lock.token.0, lease_us };
        self.database.extend_lock(self.clock.moved_us(), &row).await
    }

    async fn unlock(&self, lock: &Lock) -> Result<bool> {
        let row = LockRow { name: &lock.name, holder: "", token: lock.token.0, lease_us: 0 };
        self.database.unlock(&row).await
    }
}
