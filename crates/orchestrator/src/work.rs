//! One worker: claim, fetch, commit page by page, complete.

use std::time::Duration;

use barkeep_provider::Retry;
use barkeep_queue::{Claim, Completion, Failure, Lease, Then, Verdict};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fetch_slice::{Done, Failed, fetch_slice};
use crate::heartbeat::{self, LetGo};
use crate::{Error, Orchestrator, ProgressEvent, Result, SliceJob};

/// How long to stay away from a vendor that limits us and does not say for how long.
const LIMITED: Duration = Duration::from_secs(15);
/// How long to stay away from our own database when it is out.
const OUTAGE: Duration = Duration::from_secs(5);

/// Works until stopped.
///
/// # Errors
///
/// What makes further work pointless: refused credentials, a database that will not recover by itself.
pub(crate) async fn work(orchestrator: &Orchestrator, stop: &CancellationToken) -> Result<()> {
    let longest = orchestrator.settings().poll;
    let shortest = longest.min(Duration::from_millis(50));
    let mut idle = shortest;
    while !stop.is_cancelled() {
        match claim(orchestrator).await {
            Ok(Some(lease)) => {
                work_on(orchestrator, lease, stop).await?;
                idle = shortest;
                continue;
            }
            Ok(None) => {}
            Err(error) if error.is_transient() => {
                tracing::warn!(code = error.code(), %error, "claiming failed; trying again");
            }
            Err(error) => return Err(error),
        }
        let _ = tokio::time::timeout(idle, stop.cancelled()).await;
        idle = (idle * 2).min(longest);
    }
    Ok(())
}

async fn claim(orchestrator: &Orchestrator) -> Result<Option<Lease>> {
    let settings = orchestrator.settings();
    let queue = &orchestrator.backend().queue;
    let claim = Claim::new(SliceJob::KIND, &settings.name).with_lease(settings.lease);
    if let Some(lease) = queue.claim(&claim).await?.pop() {
        return Ok(Some(lease));
    }
    // Nothing to do: look whether somebody died with something to do.
    let reaped = queue.reap().await?;
    if reaped.returned == 0 {
        return Ok(None);
    }
    tracing::info!(jobs = reaped.returned, "took back slices whose workers died");
    Ok(queue.claim(&claim).await?.pop())
}

/// How work on a slice came to its end.
enum End {
    Done(Done),
    Failed(Failed),
    LetGo(LetGo),
    Stopped,
}

async fn work_on(orchestrator: &Orchestrator, lease: Lease, stop: &CancellationToken) -> Result<()> {
    let end = match SliceJob::read(&lease.payload) {
        Ok(slice) => tokio::select! {
            fetched = fetch_slice(orchestrator, &slice) => match fetched {
                Ok(done) => End::Done(done),
                Err(failed) => End::Failed(failed),
            },
            why = heartbeat::keep(orchestrator, &lease) => End::LetGo(why),
            () = stop.cancelled() => End::Stopped,
        },
        Err(error) => End::Failed(Failed::Payload(error)),
    };
    match settle(orchestrator, &lease, end).await {
        // The lease runs out by itself then, and what was committed stays.
        Err(error) if error.is_transient() => {
            tracing::warn!(job = %lease.id, code = error.code(), %error, "could not tell the queue how a slice ended");
            Ok(())
        }
        settled => settled,
    }
}

/// Tells the queue how it ended.
async fn settle(orchestrator: &Orchestrator, lease: &Lease, end: End) -> Result<()> {
    match end {
        End::Done(done) => complete(orchestrator, lease, &done).await,
        End::Failed(failed) => fail(orchestrator, lease, failed).await,
        End::Stopped | End::LetGo(LetGo::Cancelled) => release(orchestrator, lease, Duration::ZERO).await,
        End::LetGo(LetGo::Lost) => {
            tracing::warn!(job = %lease.id, "lease lost; the slice is left to its new holder");
            Ok(())
        }
    }
}

async fn complete(orchestrator: &Orchestrator, lease: &Lease, done: &Done) -> Result<()> {
    let result = json!({ "bars_written": done.bars_written, "rejected": done.rejected });
    let completion = Completion::new(lease.key()).with_result(result).with_cost(done.requests);
    let lost = orchestrator.backend().queue.complete(&[completion]).await?;
    if lost.is_empty() {
        orchestrator.progress().tell(ProgressEvent::SliceDone { expected_requests: done.expected_requests });
        tracing::debug!(job = %lease.id, requests = done.requests, bars = done.bars_written, "slice done");
    } else {
        // Its bars and coverage stand; whoever has the slice now will find nothing left to fetch.
        tracing::warn!(job = %lease.id, "slice done, but its lease was lost meanwhile");
    }
    Ok(())
}

async fn fail(orchestrator: &Orchestrator, lease: &Lease, failed: Failed) -> Result<()> {
    let then = match &failed {
        Failed::Payload(_) => Then::Discard,
        Failed::Provider(error) if is_about_credentials(error) => {
            release(orchestrator, lease, Duration::ZERO).await?;
            let Failed::Provider(error) = failed else { return Ok(()) };
            return Err(Error::Credentials(error));
        }
        Failed::Provider(barkeep_provider::Error::RateLimited { retry_after, .. }) => {
            return release(orchestrator, lease, retry_after.unwrap_or(LIMITED)).await;
        }
        Failed::Provider(error) => match error.retry() {
            Retry::Never => Then::Discard,
            Retry::Backoff => Then::Backoff(orchestrator.settings().backoff),
            Retry::After(wait) => Then::After(wait),
        },
        // Our own outage burns no attempt; what does not pass by itself ends the run, and the slice waits.
        Failed::Backend(error) => {
            let wait = if error.is_transient() { OUTAGE } else { Duration::ZERO };
            release(orchestrator, lease, wait).await?;
            let Failed::Backend(error) = failed else { return Ok(()) };
            return if error.is_transient() { Ok(()) } else { Err(error) };
        }
    };
    let (code, reason) = (failed.code().to_owned(), failed.reason());
    let failure = Failure::new(lease.key(), &code, &reason).then(then);
    let verdicts = orchestrator.backend().queue.fail(&[failure]).await?;
    match verdicts.as_slice() {
        [Verdict::Retrying { .. }] => {
            tracing::warn!(job = %lease.id, attempt = lease.attempt, code, reason, "slice failed; trying again");
            let attempt = lease.attempt;
            orchestrator.progress().tell(ProgressEvent::SliceRetrying { code, reason, attempt });
        }
        _ => {
            tracing::error!(job = %lease.id, attempt = lease.attempt, code, reason, "slice failed for good");
            orchestrator.progress().tell(ProgressEvent::SliceFailed { code, reason });
        }
    }
    Ok(())
}

fn is_about_credentials(error: &barkeep_provider::Error) -> bool {
    matches!(error, barkeep_provider::Error::Unauthenticated { .. })
}

async fn release(orchestrator: &Orchestrator, lease: &Lease, wait: Duration) -> Result<()> {
    orchestrator.backend().queue.release(&[lease.key()], wait).await?;
    Ok(())
}
