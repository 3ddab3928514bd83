use stateright::{Model, Property};

use super::HOLDER;
use super::table::Rows;

const JOBS: usize = 2;
const WORKERS: usize = 2;
/// Histories with more claims show nothing new, and are many.
const MOST_CLAIMS: u8 = 4;

/// The protocol, with a fence that is to be judged.
#[derive(Clone, Debug)]
pub(super) struct Protocol {
    pub(super) fence: Fence,
    pub(super) claims: Commit,
}

/// What a lease is known by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fence {
    /// Drawn at random by whoever claims: never the same again.
    Token,
    /// How often the job was claimed, as its row says.
    Attempt,
    /// How often the job's tries went wrong, as people count attempts: giving a job back uses up none.
    Failures,
}

/// Whether a claim is on disk when it is answered. Everything else always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commit {
    Synchronous,
    Asynchronous,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    rows: [Rows; JOBS],
    /// What a server that crashes now comes back with.
    on_disk: [Rows; JOBS],
    workers: [Option<Held>; WORKERS],
    claims: u8,
    server_crashes: u8,
    /// Who has each job in truth, whatever is written anywhere: the last claim that was not taken back, ended or forgotten.
    holders: [Option<u8>; JOBS],
    /// Which ends somebody was told of.
    told: [bool; JOBS],
    wrongly_accepted: bool,
    rightly_refused: bool,
}

/// What a worker believes to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Held {
    job: usize,
    fence: u8,
    /// The number of its claim, which nobody writes down.
    claim: u8,
}

/// What may happen next. Where a worker is not `answered`, the server did it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Claim {
        worker: usize,
        job: usize,
        answered: bool,
    },
    Complete {
        worker: usize,
        answered: bool,
    },
    Extend {
        worker: usize,
        answered: bool,
    },
    Release {
        worker: usize,
        answered: bool,
    },
    /// Time passes.
    RunOut {
        job: usize,
    },
    Reap {
        job: usize,
    },
    /// It forgets what it had; another takes its place.
    CrashWorker {
        worker: usize,
    },
    /// It forgets what was not on disk.
    CrashServer,
    /// What was committed reaches the disk.
    Flush,
}

impl Step {
    /// Who asks, if it is one that has a lease, or believes to.
    pub(super) fn worker(self) -> Option<usize> {
        match self {
            Self::Complete { worker, .. } | Self::Extend { worker, .. } | Self::Release { worker, .. } => Some(worker),
            _ => None,
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            rows: [Rows::added(); JOBS],
            on_disk: [Rows::added(); JOBS],
            workers: [None; WORKERS],
            claims: 0,
            server_crashes: 0,
            holders: [None; JOBS],
            told: [false; JOBS],
            wrongly_accepted: false,
            rightly_refused: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.wrongly_accepted {
            return;
        }
        for worker in 0..WORKERS {
            for answered in [true, false] {
                steps.extend(state.steps_of(worker, answered));
            }
            if state.workers[worker].is_some() {
                steps.push(Step::CrashWorker { worker });
            }
        }
        for job in 0..JOBS {
            match state.rows[job].has_run_out() {
                true => steps.push(Step::Reap { job }),
                false if state.rows[job].lease.is_some() => steps.push(Step::RunOut { job }),
                false => {}
            }
        }
        if state.on_disk != state.rows {
            steps.push(Step::Flush);
        }
        if state.server_crashes == 0 {
            steps.push(Step::CrashServer);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        next.take(self, step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(HOLDER, |_, state: &State| !state.wrongly_accepted),
            Property::always("no job is lost or ends twice", |_, state: &State| state.rows.iter().all(Rows::are_whole)),
            Property::always("an end that somebody was told of stays", |_, state: &State| {
                state.told.iter().zip(&state.rows).all(|(told, rows)| !told || rows.ends == 1)
            }),
            Property::always("every job ends once nothing fails any more", |protocol: &Self, state: &State| {
                state.clone().worked_through(protocol).rows.iter().all(|rows| rows.ends == 1)
            }),
            // The model would be no proof if these never happened.
            Property::sometimes("a worker that lost its lease is refused", |_, state: &State| state.rightly_refused),
            Property::sometimes("every job has ended", |_, state: &State| state.rows.iter().all(|rows| rows.ends == 1)),
        ]
    }
}

impl State {
    fn steps_of(&self, worker: usize, answered: bool) -> Vec<Step> {
        if self.workers[worker].is_some() {
            return vec![
                Step::Complete { worker, answered },
                Step::Extend { worker, answered },
                Step::Release { worker, answered },
            ];
        }
        let can_claim = |job: &usize| self.rows[*job].is_ready && self.claims < MOST_CLAIMS;
        (0..JOBS).filter(can_claim).map(|job| Step::Claim { worker, job, answered }).collect()
    }

    fn take(&mut self, protocol: &Protocol, step: Step) {
        match step {
            Step::Claim { worker, job, answered } => self.claim(protocol, worker, job, answered),
            Step::Complete { worker, answered } => self.ask(worker, answered, Rows::complete, true),
            Step::Release { worker, answered } => self.ask(worker, answered, Rows::release, true),
            Step::Extend { worker, answered } => self.ask(worker, answered, Rows::extend, false),
            Step::RunOut { job } => self.rows[job].run_out(),
            Step::Reap { job } => {
                self.rows[job].reap();
                self.holders[job] = None;
                self.flush();
            }
            Step::CrashWorker { worker } => self.workers[worker] = None,
            Step::CrashServer => {
                self.rows = self.on_disk;
                self.server_crashes += 1;
            }
            Step::Flush => self.flush(),
        }
    }

    fn claim(&mut self, protocol: &Protocol, worker: usize, job: usize, answered: bool) {
        self.claims += 1;
        let fence = match protocol.fence {
            Fence::Token => self.claims,
            Fence::Attempt => self.rows[job].claims + 1,
            Fence::Failures => self.rows[job].crashes + 1,
        };
        self.rows[job].claim(fence);
        self.holders[job] = Some(self.claims);
        if answered {
            self.workers[worker] = Some(Held { job, fence, claim: self.claims });
        }
        if protocol.claims == Commit::Synchronous {
            self.flush();
        }
    }

    /// A statement that names job and fence: it changes rows where the lease stands, and nothing otherwise.
    fn ask(&mut self, worker: usize, answered: bool, change: fn(&mut Rows), ends_lease: bool) {
        let Some(held) = self.workers[worker] else { return };
        let stands = self.rows[held.job].stands(held.fence);
        if stands {
            self.wrongly_accepted |= self.holders[held.job] != Some(held.claim);
            change(&mut self.rows[held.job]);
            if ends_lease {
                self.holders[held.job] = None;
            }
            self.flush();
        } else {
            self.rightly_refused = true;
        }
        // A worker that was not answered asks again, and is told then that its lease is gone.
        if answered && (ends_lease || !stands) {
            self.workers[worker] = None;
            self.told[held.job] |= self.rows[held.job].ends > 0;
        }
    }

    fn flush(&mut self) {
        self.on_disk = self.rows;
    }

    /// Every worker dies, every lease runs out and is taken back, and then a worker works as it should.
    fn worked_through(mut self, protocol: &Protocol) -> Self {
        self.workers = [None; WORKERS];
        for job in 0..JOBS {
            if self.rows[job].lease.is_some() {
                self.rows[job].run_out();
                self.take(protocol, Step::Reap { job });
            }
            if self.rows[job].is_ready {
                self.take(protocol, Step::Claim { worker: 0, job, answered: true });
                self.take(protocol, Step::Complete { worker: 0, answered: true });
            }
        }
        self
    }
}
