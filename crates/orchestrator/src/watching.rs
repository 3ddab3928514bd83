//! What a process remembers of how things were, to tell how they are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::json;

use crate::look::{History, STARTED, STOPPED, Trouble};
use crate::{Error, Health, Orchestrator, ProgressEvent, Result, in_one_line};

/// What was seen, and what was said of it.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    ticks: AtomicU64,
    pub(crate) looked_at: tokio::sync::Mutex<Option<Instant>>,
    history: Mutex<History>,
    /// The rules that found something when it was last told.
    told: Mutex<Vec<String>>,
    /// The error that ended this process' work, until it begins again.
    stopped: Mutex<Option<Trouble>>,
}

impl Watching {
    /// The number of a tick, by which its lines in the log are found.
    pub(crate) fn next_tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error that ended this process' work, if one did.
    pub(crate) fn stopped(&self) -> Option<Trouble> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_stopped(&self, trouble: Option<Trouble>) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Whether other rules find something than when this was last asked.
    pub(crate) fn has_changed(&self, health: &Health) -> bool {
        let rules: Vec<String> = health.concerns.iter().map(|concern| concern.rule.clone()).collect();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *told, rules.clone()) != rules
    }
}

/// Does `work`, and looks now and then how everything is until it is done. An error that ends it is noted down for those
/// that remain.
pub(crate) async fn watched<T>(orchestrator: &Orchestrator, work: impl Future<Output = Result<T>>) -> Result<T> {
    orchestrator.watching().set_stopped(None);
    note(orchestrator, STARTED, &json!(null)).await;
    let watch = async {
        let mut beat = tokio::time::interval(orchestrator.settings().look_every);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            orchestrator.health().await;
        }
    };
    let done = tokio::select! {
        done = work => done,
        () = watch => unreachable!("watching has no end"),
    };
    if let Err(error) = &done {
        stopped(orchestrator, error).await;
    }
    done
}

async fn stopped(orchestrator: &Orchestrator, error: &Error) {
    let (code, reason) = (error.code().to_owned(), in_one_line(error));
    tracing::error!(code, reason, "stopped");
    orchestrator.progress().tell(ProgressEvent::Stopped { code: code.clone(), reason: reason.clone() });
    let trouble = Trouble { code, reason };
    orchestrator.watching().set_stopped(Some(trouble.clone()));
    note(orchestrator, STOPPED, &json!(trouble)).await;
}

/// Leaves a note for every process, if that can be done.
pub(crate) async fn note(orchestrator: &Orchestrator, name: &str, note: &serde_json::Value) {
    if let Err(error) = orchestrator.backend().watch.beat(name, &orchestrator.settings().name, note).await {
        tracing::warn!(code = error.code(), "no sign of life was left");
    }
}
