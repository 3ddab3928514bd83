//! What working on a slice came to.

use std::collections::BTreeMap;

use barkeep_types::Symbol;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Error, SliceJob, UnreadableSlice, in_one_line};

/// What came of a slice.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) bars_written: u64,
    /// Bars that were stored before with other numbers.
    pub(crate) bars_revised: u64,
    /// Bars that cannot be true.
    pub(crate) quarantined: u64,
    pub(crate) pages: u64,
    pub(crate) requests: u64,
    pub(crate) expected_requests: u64,
    pub(crate) rejected: Vec<Rejected>,
    /// How many bars came of each symbol.
    symbols: BTreeMap<Symbol, u64>,
    /// What is to be looked at again later.
    pub(crate) suspicious: Vec<SliceJob>,
}

/// A symbol that was set aside, kept with the job's result.
#[derive(Debug, Serialize)]
pub(crate) struct Rejected {
    pub(crate) symbol: Symbol,
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

impl Done {
    pub(crate) fn new(slice: &SliceJob) -> Self {
        let symbols = slice.symbols.iter().map(|symbol| (symbol.clone(), 0)).collect();
        Self { expected_requests: slice.expected_requests, symbols, ..Self::default() }
    }

    pub(crate) fn received(&mut self, symbol: &Symbol, bars: usize) {
        *self.symbols.entry(symbol.clone()).or_default() += bars as u64;
    }

    /// Whether nothing came of a symbol, not even a refusal.
    pub(crate) fn is_silent(&self, symbol: &Symbol) -> bool {
        self.symbols.get(symbol).is_none_or(|bars| *bars == 0)
            && !self.rejected.iter().any(|rejected| rejected.symbol == *symbol)
    }

    /// What is kept with the job: in all, and of each symbol.
    pub(crate) fn result(&self) -> Value {
        json!({
            // The payload is not kept, so what people ask about later stands here.
            "expected_cost": self.expected_requests,
            "bars_written": self.bars_written,
            "bars_revised": self.bars_revised,
            "quarantined": self.quarantined,
            "suspicious": self.suspicious.iter().map(|slice| slice.symbols.len()).sum::<usize>(),
            "symbols": self.symbols,
            "rejected": self.rejected,
        })
    }
}

/// Why working on a slice ended early. Pages committed before stay.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The job is not one of ours.
    Payload(UnreadableSlice),
    /// The vendor.
    Provider(barkeep_provider::Error),
    /// Our own database.
    Backend(Error),
}

impl Failed {
    pub(crate) fn code(&self) -> &str {
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

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Backend(error)
    }
}

impl From<barkeep_store::Error> for Failed {
    fn from(error: barkeep_store::Error) -> Self {
        Self::Backend(error.into())
    }
}
