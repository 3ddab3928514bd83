/// A job's rows, as the statements of `sql/` leave them: which tables it is in, and what is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rows {
    /// In `queue_job`.
    pub(super) is_live: bool,
    /// In `queue_ready`.
    pub(super) is_ready: bool,
    /// In `queue_lease`.
    pub(super) lease: Option<Lease>,
    /// How often it is in `queue_done`.
    pub(super) ends: u8,
    /// How often it was claimed, and how often a lease was taken back.
    pub(super) claims: u8,
    pub(super) crashes: u8,
}

/// What stands in `queue_lease`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lease {
    pub(super) fence: u8,
    pub(super) has_run_out: bool,
}

/// The crash that ends a job. In truth it is the fifth.
const LAST_CRASH: u8 = 2;

impl Rows {
    /// Just added.
    pub(super) fn added() -> Self {
        Self { is_live: true, is_ready: true, lease: None, ends: 0, claims: 0, crashes: 0 }
    }

    /// `claim.sql`; the caller has drawn the fence.
    pub(super) fn claim(&mut self, fence: u8) {
        self.is_ready = false;
        self.claims += 1;
        self.lease = Some(Lease { fence, has_run_out: false });
    }

    /// Whether a statement that names this fence finds its lease.
    pub(super) fn stands(&self, fence: u8) -> bool {
        self.lease.is_some_and(|lease| lease.fence == fence)
    }

    /// `complete.sql`, where the lease stands.
    pub(super) fn complete(&mut self) {
        self.lease = None;
        self.is_live = false;
        self.ends += 1;
    }

    /// `extend.sql`, where the lease stands. One that ran out but was not taken back is held again.
    pub(super) fn extend(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.has_run_out = false;
        }
    }

    /// `settle.sql` for a release, where the lease stands.
    pub(super) fn release(&mut self) {
        self.lease = None;
        self.is_ready = true;
    }

    pub(super) fn run_out(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.has_run_out = true;
        }
    }

    pub(super) fn has_run_out(&self) -> bool {
        self.lease.is_some_and(|lease| lease.has_run_out)
    }

    /// `settle.sql` for a lease that ran out.
    pub(super) fn reap(&mut self) {
        self.lease = None;
        self.crashes += 1;
        if self.crashes < LAST_CRASH {
            self.is_ready = true;
        } else {
            self.is_live = false;
            self.ends += 1;
        }
    }

    /// A live job waits or is leased, and has not ended; any other has ended, once.
    pub(super) fn are_whole(&self) -> bool {
        match self.is_live {
            true => self.is_ready != self.lease.is_some() && self.ends == 0,
            false => !self.is_ready && self.lease.is_none() && self.ends == 1,
        }
    }
}
