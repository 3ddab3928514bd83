use std::time::Duration;

use async_trait::async_trait;

use super::MemoryQueue;
use crate::{Lock, Locks, Result, Token, check};

#[async_trait]
impl Locks for MemoryQueue {
    async fn lock(&self, name: &str, holder: &str, lease: Duration) -> Result<Option<Lock>> {
        check::text("name", name, 128)?;
        check::text("holder", holder, 128)?;
        check::lease("lease", lease)?;
        let mut state = self.state();
        if state.locks.get(name).is_some_and(|held| held.until > state.now) {
            return Ok(None);
        }
        let lock = Lock { name: name.to_owned(), token: Token::random(), until: state.now + lease };
        state.locks.insert(name.to_owned(), lock.clone());
        Ok(Some(lock))
    }

    async fn extend_lock(&self, lock: &Lock, lease: Duration) -> Result<bool> {
        check::lease("lease", lease)?;
        let mut state = self.state();
        let until = state.now + lease;
        match state.locks.get_mut(&lock.name).filter(|held| held.token == lock.token) {
            Some(held) => {
                held.until = until;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    async fn unlock(&self, lock: &Lock) -> Result<bool> {
        let mut state = self.state();
        let is_mine = state.locks.get(&lock.name).is_some_and(|held| held.token == lock.token);
        if is_mine {
            state.locks.remove(&lock.name);
        }
        Ok(is_mine)
    }
}
