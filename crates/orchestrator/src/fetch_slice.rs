//! A slice, from the vendor into the store, page by page.

use std::collections::HashSet;

use barkeep_provider::{BarsRequest, Fetch, Fetched, ProvenPage, ProviderExt};
use barkeep_store::{Commit, Committed, State, covered};
use barkeep_types::{Series, Symbol};
use futures::StreamExt;
use serde::Serialize;

use crate::remaining::remaining;
use crate::{Error, Orchestrator, ProgressEvent, Result, SliceJob, in_one_line};

/// What fetching a slice came to.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) bars_written: u64,
    pub(crate) pages: u64,
    pub(crate) requests: u64,
    pub(crate) rejected: Vec<Rejected>,
}

/// A symbol that was set aside, kept with the job's result.
#[derive(Debug, Serialize)]
pub(crate) struct Rejected {
    symbol: Symbol,
    code: &'static str,
    reason: String,
}

/// Why fetching a slice ended early. Pages committed before stay.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The job is not one of ours.
    Payload(serde_json::Error),
    /// The vendor.
    Provider(barkeep_provider::Error),
    /// Our own database.
    Backend(Error),
}

impl Failed {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Payload(_) => "VALIDATION_ERROR",
            Self::Provider(error) => error.code(),
            Self::Backend(error) => error.code(),
        }
    }

    /// The vendor's id of the request, for its support.
    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Provider(error) => error.request_id(),
            Self::Payload(_) | Self::Backend(_) => None,
        }
    }

    /// The error and its causes, in one line.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Payload(error) => in_one_line(error),
            Self::Provider(error) => in_one_line(error),
            Self::Backend(error) => in_one_line(error),
        }
    }
}

impl From<barkeep_store::Error> for Failed {
    fn from(error: barkeep_store::Error) -> Self {
        Self::Backend(error.into())
    }
}

/// Fetches what the slice still lacks: a worker before us may have died in the middle of it.
/// `done` tells how far it came, also where it fails.
pub(crate) async fn fetch_slice(orchestrator: &Orchestrator, slice: &SliceJob, done: &mut Done) -> Result<(), Failed> {
    let (symbols, timeframe, range) = (slice.symbols.len(), slice.timeframe, slice.range);
    orchestrator.progress().tell(ProgressEvent::SliceStarted { symbols, timeframe, range });
    let provider = orchestrator.provider();
    for request in requests(orchestrator, slice).await? {
        let mut fetch = provider.fetch(request);
        let mut told = 0;
        while let Some(fetched) = next(orchestrator, &mut fetch, &mut told, done).await? {
            match fetched {
                Fetched::Page(page) => {
                    let committed = commit(orchestrator, slice, page).await?;
                    done.bars_written += committed.written();
                    done.pages += 1;
                    orchestrator.progress().tell(committed_event(slice, &committed));
                }
                Fetched::Rejected { symbol, error } => {
                    done.rejected.push(set_aside(orchestrator, slice, symbol, &error).await?);
                }
            }
        }
    }
    Ok(())
}

/// The next thing the vendor gives, with the requests it took counted, whether it came to an end or to an error.
async fn next(
    orchestrator: &Orchestrator,
    fetch: &mut Fetch<'_>,
    told: &mut u64,
    done: &mut Done,
) -> Result<Option<Fetched>, Failed> {
    let fetched = fetch.next().await;
    let requests = fetch.calls() - *told;
    if requests > 0 {
        *told += requests;
        done.requests += requests;
        orchestrator.progress().tell(ProgressEvent::Requested { requests });
    }
    fetched.transpose().map_err(Failed::Provider)
}

/// What the slice lacks, as requests. What was refused before is not asked for again.
async fn requests(orchestrator: &Orchestrator, slice: &SliceJob) -> Result<Vec<BarsRequest>, Failed> {
    let backend = orchestrator.backend();
    let refused = backend.rejections.rejections().await.map_err(|error| Failed::Backend(error.into()))?;
    let refused: HashSet<Series> = refused.into_iter().map(|rejection| rejection.series).collect();
    let is_refused = |symbol: &Symbol| refused.contains(&slice.series_of(symbol.clone()));
    let series: Vec<_> = slice.series().collect();
    let coverage = backend.store.coverage(&series, slice.range).await?;
    let covered: Vec<_> = coverage.iter().map(|spans| covered(spans, |span| span.state == State::Covered)).collect();
    let parts = remaining(slice, &covered).into_iter();
    // A part whose every symbol was refused leaves no request.
    let request = |(symbols, range): (Vec<Symbol>, _)| {
        slice.request(symbols.into_iter().filter(|symbol| !is_refused(symbol)), range).ok()
    };
    Ok(parts.filter_map(request).collect())
}

/// Stores a page with what it proves.
async fn commit(orchestrator: &Orchestrator, slice: &SliceJob, page: ProvenPage) -> Result<Committed, Failed> {
    let mut commit = Commit::new(slice.range);
    if let Some(request) = page.request_id {
        commit = commit.with_request(request);
    }
    for bars in page.bars {
        commit = commit.with_bars(slice.series_of(bars.symbol), bars.bars);
    }
    for proof in page.proofs {
        commit = commit.with_proof(slice.series_of(proof.symbol), proof.range, State::Covered);
    }
    Ok(orchestrator.backend().store.commit(&commit).await?)
}

fn committed_event(slice: &SliceJob, committed: &Committed) -> ProgressEvent {
    ProgressEvent::PageCommitted {
        timeframe: slice.timeframe,
        bars_written: committed.written(),
        revised: committed.revised,
        doubled: committed.doubled,
        dropped: committed.dropped,
        refused: committed.refused,
    }
}

async fn set_aside(
    orchestrator: &Orchestrator,
    slice: &SliceJob,
    symbol: Symbol,
    error: &barkeep_provider::Error,
) -> Result<Rejected, Failed> {
    let (code, reason) = (error.code(), error.to_string());
    let series = slice.series_of(symbol.clone());
    let rejecting = orchestrator.backend().rejections.reject(&series, code, &reason);
    rejecting.await.map_err(|error| Failed::Backend(error.into()))?;
    tracing::warn!(%symbol, code, reason, "symbol set aside");
    orchestrator.progress().tell(ProgressEvent::SymbolRejected {
        symbol: symbol.clone(),
        code,
        reason: reason.clone(),
    });
    Ok(Rejected { symbol, code, reason })
}
