use tokio::sync::watch;

/// Wakes workers that wait for jobs, at once instead of at their next poll. A clone is the same bell.
///
/// It says only that it is worth looking: a ring too many costs a claim that finds nothing, a lost one costs a poll. Ring it
/// yourself, or have it rung by whatever knows of new jobs: [`DatabaseQueue::ringing`](crate::DatabaseQueue::ringing) in
/// this process, `PostgresQueue::listen` for those that others add.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    rings: watch::Sender<()>,
}

impl Bell {
    /// A bell that nobody rings yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes every worker that waits, and keeps those from waiting that have claimed nothing since before it.
    pub fn ring(&self) {
        self.rings.send_replace(());
    }

    pub(crate) fn hear(&self) -> Ear {
        Ear { rings: self.rings.subscribe() }
    }
}

/// Hears one bell, from now on.
#[derive(Debug)]
pub(crate) struct Ear {
    rings: watch::Receiver<()>,
}

impl Ear {
    /// Forgets the rings so far: what they told of is about to be looked for.
    pub(crate) fn forget(&mut self) {
        self.rings.mark_unchanged();
    }

    /// Waits for a ring since; whether one can still come.
    pub(crate) async fn rung(&mut self) -> bool {
        self.rings.changed().await.is_ok()
    }
}
