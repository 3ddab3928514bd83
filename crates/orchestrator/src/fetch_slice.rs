//! A slice, from the vendor into the store, page by page.

use std::collections::{HashMap, HashSet};

use barkeep_provider::{BarsRequest, Error as ProviderError, Fetched, ProvenPage};
use barkeep_queue::Job;
use barkeep_store::{Commit, Guard, State};
use barkeep_types::{Coverage, Series, Symbol, TimeRange};
use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Moment;
use crate::counted::Counted;
use crate::freshness::{by_state, final_until, held};
use crate::outcome::{Done, Failed, Rejected};
use crate::remaining::remaining;
use crate::space::used_by;
use crate::suspicion::Watch;
use crate::{Error, Orchestrator, ProgressEvent, Result, SliceJob, in_one_line};

/// How often a symbol is asked for around its impossible bars before it is given up.
const ROUNDS: usize = 5;
/// How many bars are read at once to know what is usual.
const AT_ONCE: usize = 10_000;

/// A slice being fetched.
pub(crate) struct Fetching<'a> {
    pub(crate) orchestrator: &'a Orchestrator,
    pub(crate) slice: &'a SliceJob,
    guard: Option<&'a Guard>,
    pub(crate) done: Done,
    /// What its requests are spent on.
    job: &'a Job,
    /// Bars that start before this cannot change any more.
    pub(crate) final_until: DateTime<Utc>,
    /// When it began, by the database's clock.
    now: DateTime<Utc>,
    /// What was known of each symbol before, whatever its state.
    pub(crate) known: HashMap<Symbol, Coverage>,
    /// Those of which an earlier try has fetched a part, and did not come to judge it: fetched no longer ago than it takes
    /// until a session is looked at again.
    begun: HashSet<Symbol>,
    watch: Watch,
}

/// What to do about time in doubt.
#[derive(Clone, Copy, Debug)]
enum Doubt {
    /// It is to be fetched.
    Lacks,
    /// It was, just now, and is left for later.
    Waits,
}

/// Fetches what the slice still lacks: a worker before us may have died in the middle of it.
/// Pages are stored while the lease is held that `guard` names; what is asked of the vendor is spent on the `job`.
pub(crate) async fn fetch_slice(
    orchestrator: &Orchestrator,
    slice: &SliceJob,
    guard: Option<&Guard>,
    job: &Job,
) -> Result<Done, Failed> {
    let (symbols, timeframe, range) = (slice.symbols.len(), slice.timeframe, slice.range);
    orchestrator.progress().tell(ProgressEvent::SliceStarted { symbols, timeframe, range });
    let calendar = orchestrator.calendar_for(slice.hours);
    let now = Moment::now(orchestrator).await?;
    let mut fetching = Fetching {
        orchestrator,
        slice,
        guard,
        done: Done::new(slice),
        job,
        final_until: final_until(calendar, timeframe, now.market, orchestrator.settings().settle),
        now: now.database,
        known: HashMap::new(),
        begun: HashSet::new(),
        watch: Watch::new(calendar, slice),
    };
    let requests = fetching.lacking(&slice.symbols, Doubt::Lacks).await?;
    let mut spoiled = fetching.fetch(requests).await?;
    for round in 1.. {
        if spoiled.is_empty() {
            break;
        }
        // Around the bars that cannot be true are others that can.
        let symbols: Vec<Symbol> = spoiled.keys().cloned().collect();
        for (symbol, error) in spoiled {
            if !fetching.quarantine(&symbol, &error).await? || round > ROUNDS {
                fetching.set_aside(symbol, error.code(), error.to_string()).await?;
            }
        }
        let requests = fetching.lacking(&symbols, Doubt::Waits).await?;
        spoiled = fetching.fetch(requests).await?;
    }
    fetching.set_aside_unknown().await?;
    fetching.done.suspicious = fetching.doubt_suspicious().await?;
    Ok(fetching.done)
}

/// A commit that is stored only while a lease is held.
pub(crate) fn guarded(commit: Commit, guard: Option<&Guard>) -> Commit {
    match guard {
        Some(guard) => commit.with_guard(guard.clone()),
        None => commit,
    }
}

impl Fetching<'_> {
    /// What these symbols lack, as requests. What was refused before is not asked for again.
    async fn lacking(&mut self, symbols: &[Symbol], doubt: Doubt) -> Result<Vec<BarsRequest>, Failed> {
        let (slice, backend) = (self.slice, self.orchestrator.backend());
        let refused = backend.rejections.rejections().await.map_err(|error| Failed::Backend(error.into()))?;
        let refused: HashSet<Series> = refused.into_iter().map(|rejection| rejection.series).collect();
        let series: Vec<Series> = symbols.iter().map(|symbol| slice.series_of(symbol.clone())).collect();
        let coverage = backend.store.coverage(&series, slice.range).await?;
        let recheck_after = self.orchestrator.settings().recheck_after;
        let mut lacking = Vec::new();
        for (series, spans) in series.into_iter().zip(coverage) {
            let known: Coverage = spans.iter().map(|span| span.range).collect();
            let held = match doubt {
                Doubt::Lacks if slice.is_sample => Coverage::default(),
                Doubt::Lacks => held(&spans, self.final_until),
                Doubt::Waits => known.clone(),
            };
            if !self.known.contains_key(&series.symbol) {
                if spans.iter().any(|span| self.now - span.fetched_at < recheck_after) {
                    self.begun.insert(series.symbol.clone());
                }
                self.known.insert(series.symbol.clone(), known);
            }
            if !refused.contains(&series) {
                lacking.push((series.symbol, held));
            }
        }
        let parts = remaining(slice, &lacking).into_iter();
        Ok(parts.filter_map(|(symbols, range)| slice.request(symbols, range).ok()).collect())
    }

    /// Fetches and stores; returns the symbols of which bars came that cannot be true.
    async fn fetch(&mut self, requests: Vec<BarsRequest>) -> Result<HashMap<Symbol, ProviderError>, Failed> {
        let mut spoiled = HashMap::new();
        for request in requests {
            self.watch.asks(&request);
            let mut fetch = Counted::new(self.orchestrator, self.job, request);
            while let Some(fetched) = fetch.next(&mut self.done).await? {
                match fetched {
                    Fetched::Page(page) => {
                        self.commit(page).await?;
                        self.done.pages += 1;
                    }
                    Fetched::Rejected { symbol, error: error @ ProviderError::InvalidData { .. } } => {
                        spoiled.insert(symbol, error);
                    }
                    Fetched::Rejected { symbol, error } => {
                        self.set_aside(symbol, error.code(), error.to_string()).await?;
                    }
                }
            }
        }
        Ok(spoiled)
    }

    /// Stores a page with what it proves.
    async fn commit(&mut self, page: ProvenPage) -> Result<(), Failed> {
        let slice = self.slice;
        let mut commit = Commit::new(slice.range);
        if let Some(request) = page.request_id {
            commit = commit.with_request(request);
        }
        for bars in page.bars {
            self.watch.sees(&bars.symbol, &bars.bars);
            self.done.received(&bars.symbol, bars.bars.len());
            commit = commit.with_bars(slice.series_of(bars.symbol), bars.bars);
        }
        for proof in &page.proofs {
            for (range, state) in by_state(proof.range, self.final_until) {
                commit = commit.with_proof(slice.series_of(proof.symbol.clone()), range, state);
            }
        }
        let committed = self.store(commit).await?;
        if committed > 0 {
            self.doubt_derived(&page.proofs).await?;
        }
        Ok(())
    }

    /// Stores a commit, and counts; returns how many bars it wrote.
    pub(crate) async fn store(&mut self, commit: Commit) -> Result<u64, Failed> {
        let commit = guarded(commit, self.guard);
        let committed = self.orchestrator.backend().store.commit(&commit).await?;
        let (bars_written, bars_revised) = (committed.written(), committed.revised);
        self.done.bars_written += bars_written;
        self.done.bars_revised += bars_revised;
        self.done.quarantined += committed.refused;
        if bars_written > 0 {
            used_by(self.orchestrator, self.job.key()).await;
        }
        self.orchestrator.progress().tell(ProgressEvent::committed(self.slice.timeframe, &committed));
        Ok(bars_written)
    }

    /// Notes that the vendor has nothing good under a symbol, so that it is asked for no more.
    async fn set_aside(&mut self, symbol: Symbol, code: &'static str, reason: String) -> Result<(), Failed> {
        let series = self.slice.series_of(symbol.clone());
        let rejecting = self.orchestrator.backend().rejections.reject(&series, code, &reason);
        rejecting.await.map_err(|error| Failed::Backend(error.into()))?;
        tracing::warn!(%symbol, code, reason, "symbol set aside");
        let event = ProgressEvent::SymbolRejected { symbol: symbol.clone(), code, reason: reason.clone() };
        self.orchestrator.progress().tell(event);
        self.done.rejected.push(Rejected { symbol, code, reason });
        Ok(())
    }

    /// Sets aside what brought nothing and, so the vendor says if it can tell, does not exist.
    async fn set_aside_unknown(&mut self) -> Result<(), Failed> {
        let Some(reference) = self.orchestrator.reference() else { return Ok(()) };
        let silent: Vec<Symbol> = {
            let listed = self.orchestrator.listed();
            let is_silent = |symbol: &&Symbol| self.done.is_silent(symbol) && !listed.contains(*symbol);
            self.slice.symbols.iter().filter(is_silent).cloned().collect()
        };
        if silent.is_empty() {
            return Ok(());
        }
        let unknown = match reference.unknown(&silent).await {
            Ok(unknown) => unknown,
            Err(error) => {
                // Nothing is lost: the next slice that brings nothing asks again.
                tracing::warn!(
                    code = error.code(),
                    error = in_one_line(&error),
                    "the vendor did not say what it lists"
                );
                return Ok(());
            }
        };
        self.orchestrator.listed().extend(silent.into_iter().filter(|symbol| !unknown.contains(symbol)));
        for symbol in unknown {
            let error = Error::UnknownSymbol(symbol.clone());
            self.set_aside(symbol, "SYMBOL_NOT_FOUND", error.to_string()).await?;
        }
        Ok(())
    }

    /// Recalls what is stored of a symbol, but for what is in doubt already.
    async fn recall(&mut self, symbol: &Symbol, history: TimeRange) -> Result<(), Failed> {
        let (series, store) = (self.slice.series_of(symbol.clone()), &self.orchestrator.backend().store);
        let spans = store.coverage(std::slice::from_ref(&series), history).await?;
        let spans = spans.into_iter().flatten().filter(|span| span.state != State::Suspect);
        // A span may reach beyond what is recalled.
        let known: Coverage = spans.filter_map(|span| span.range.intersection(&history)).collect();
        let mut unread = Some(history);
        while let Some(range) = unread {
            let bars = store.bars(&series, range, AT_ONCE).await?;
            let last = bars.last().filter(|_| bars.len() == AT_ONCE);
            unread = last.and_then(|last| range.from(last.start + TimeDelta::nanoseconds(1)));
            self.watch.recalls(symbol, &bars, &known);
        }
        Ok(())
    }

    /// Doubts what looks suspicious and was not looked at again already; returns what is to be looked at later.
    async fn doubt_suspicious(&mut self) -> Result<Vec<SliceJob>, Failed> {
        // Nor what was judged when it was first fetched.
        if self.slice.is_recheck || self.slice.is_sample {
            return Ok(Vec::new());
        }
        for symbol in &self.begun {
            self.watch.goes_on(symbol);
        }
        for (symbol, history) in self.watch.in_need_of_history() {
            self.recall(&symbol, history).await?;
        }
        let findings = self.watch.findings();
        for finding in &findings {
            for symbol in &finding.symbols {
                let series = self.slice.series_of(symbol.clone());
                self.orchestrator.backend().store.suspect(&series, finding.range).await?;
            }
            let (symbols, range) = (finding.symbols.len(), finding.range);
            tracing::warn!(symbols, %range, why = %finding.why, timeframe = %self.slice.timeframe, "suspicious session");
        }
        let again = findings.into_iter().map(|finding| SliceJob {
            range: finding.range,
            symbols: finding.symbols,
            expected_requests: 1,
            ..self.slice.clone()
        });
        Ok(again.collect())
    }
}
