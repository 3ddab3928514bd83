//! A fetch whose requests are spent on a job, also where it is dropped while one is under way.

use barkeep_provider::{BarsRequest, Fetch, Fetched, ProviderExt};
use barkeep_queue::Job;
use futures::StreamExt;

use crate::outcome::{Done, Failed};
use crate::{Orchestrator, ProgressEvent};

/// A fetch under way.
pub(crate) struct Counted<'a> {
    fetch: Fetch<'a>,
    orchestrator: &'a Orchestrator,
    job: &'a Job,
    counted: u64,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(orchestrator: &'a Orchestrator, job: &'a Job, request: BarsRequest) -> Self {
        Self { fetch: orchestrator.provider().fetch(request), orchestrator, job, counted: 0 }
    }

    /// The next thing the vendor gives, with the requests it took counted, whether it came to an end or to an error.
    pub(crate) async fn next(&mut self, done: &mut Done) -> Result<Option<Fetched>, Failed> {
        let fetched = self.fetch.next().await;
        done.requests += self.count();
        fetched.transpose().map_err(Failed::Provider)
    }

    /// Counts what was asked since it was last counted.
    fn count(&mut self) -> u64 {
        let requests = self.fetch.calls() - self.counted;
        if requests > 0 {
            self.counted += requests;
            self.job.spend(requests);
            self.orchestrator.progress().tell(ProgressEvent::Requested { requests });
        }
        requests
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        // A worker that is stopped does not wait for the vendor's answer: it was asked all the same.
        self.count();
    }
}
