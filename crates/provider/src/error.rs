use std::fmt;
use std::time::Duration;

use barkeep_types::{Bar, BarFaults, Symbol, Timeframe};

use crate::{Answer, Quota};

/// A foreign error, so that the API stays the same when a dependency changes.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a provider gives, or why it gave nothing.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a provider gave no bars, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The vendor refuses a symbol as malformed. Leave it out: [`fetch`](crate::ProviderExt::fetch) does.
    #[error("the vendor refuses {}: {answer}", named(.symbol))]
    InvalidSymbol {
        /// The one that the vendor named, if it named one.
        symbol: Option<Symbol>,
        /// What it said.
        answer: Answer,
    },
    /// The vendor has nothing under that name. Leave it out.
    #[error("the vendor does not know {}: {answer}", named(.symbol))]
    SymbolNotFound {
        /// The one it is about, if that is known.
        symbol: Option<Symbol>,
        /// What it said.
        answer: Answer,
    },
    /// The vendor has no bars of that timeframe.
    #[error("the vendor has no bars of timeframe {timeframe}")]
    InvalidTimeframe {
        /// The timeframe asked for.
        timeframe: Timeframe,
    },
    /// Too many requests in too short a time. Wait.
    #[error("the vendor limits the rate of requests: {answer}")]
    RateLimited {
        /// How long to wait, if the vendor said.
        retry_after: Option<Duration>,
        /// What is left of the allowance, if the vendor said.
        quota: Option<Quota>,
        /// What it said.
        answer: Answer,
    },
    /// The credentials are refused. Nothing will work until they are replaced.
    #[error("the vendor refuses the credentials: {answer}")]
    Unauthenticated {
        /// What it said.
        answer: Answer,
    },
    /// The credentials do not permit this request.
    #[error("the vendor does not permit the request: {answer}")]
    Forbidden {
        /// What it said.
        answer: Answer,
    },
    /// The plan does not include data this recent. The credentials are good, and an earlier end of the range works.
    #[error(
        "the plan does not include data this recent; ask for an end at least {} minutes ago, choose another feed, \
         or change the plan: {answer}",
        .delay.as_secs() / 60
    )]
    TooRecent {
        /// How old data must be under the plan.
        delay: Duration,
        /// What the vendor said.
        answer: Answer,
    },
    /// The vendor refuses the request for another reason. Sending it again will not help.
    #[error("the vendor rejects the request: {answer}")]
    Rejected {
        /// What it said.
        answer: Answer,
    },
    /// The request is too long. Ask for fewer symbols: [`fetch`](crate::ProviderExt::fetch) does.
    #[error("the request is too large: {answer}")]
    RequestTooLarge {
        /// What the vendor said; empty if the request was not even sent.
        answer: Answer,
    },
    /// The vendor no longer takes the page token. Start anew from what is not yet proven.
    #[error("the vendor refuses the page token: {answer}")]
    TokenRefused {
        /// What it said.
        answer: Answer,
    },
    /// The vendor could not be reached, did not finish its answer in time, or says that it is out of order.
    #[error("the vendor is unavailable{}", because(.answer))]
    Unavailable {
        /// How long to wait, if the vendor said.
        retry_after: Option<Duration>,
        /// What it said, if it said anything.
        answer: Option<Answer>,
        /// What failed on the way.
        source: Option<BoxError>,
    },
    /// The other side could not prove that it is the vendor, or redirects to somewhere else. Somebody should look.
    #[error("the other side cannot be trusted: {detail}")]
    Untrusted {
        /// What is wrong.
        detail: String,
        /// What failed.
        source: Option<BoxError>,
    },
    /// The answer makes no sense: not what was asked for, cut off, or no answer of this API at all.
    #[error("bad response, {detail}: {answer}")]
    BadResponse {
        /// What is wrong with it.
        detail: String,
        /// The answer.
        answer: Answer,
        /// What failed to read it.
        source: Option<BoxError>,
    },
    /// The answer was dropped because it grew larger than allowed.
    #[error("the response is larger than {limit_bytes} bytes")]
    ResponseTooLarge {
        /// The most bytes that an answer may have once decompressed.
        limit_bytes: u64,
        /// The vendor's id of the request.
        request_id: Option<String>,
    },
    /// Page tokens lead nowhere: round in a circle, back, or on without end.
    #[error("page tokens lead nowhere: {detail}, on page {pages}")]
    PaginationLoop {
        /// What gave it away.
        detail: &'static str,
        /// How many pages were read.
        pages: u32,
    },
    /// Bars that cannot be true.
    #[error("{count} impossible bars of {symbol}, among them {}", list(.offenders))]
    InvalidData {
        /// Whose bars they are.
        symbol: Symbol,
        /// How many there are in the page.
        count: usize,
        /// The first of them, five at most.
        offenders: Vec<Offender>,
    },
}

/// A bar that cannot be true, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Offender {
    /// The bar.
    pub bar: Bar,
    /// What is wrong with it.
    pub faults: BarFaults,
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Do not send the same request again.
    Never,
    /// Send it again later, and later each time.
    Backoff,
    /// Send it again after this long, and not before.
    After(Duration),
}

impl Error {
    /// The stable code of this error, for logs, tables and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidSymbol { .. } => "INVALID_SYMBOL",
            Self::SymbolNotFound { .. } => "SYMBOL_NOT_FOUND",
            Self::InvalidTimeframe { .. } => "INVALID_TIMEFRAME",
            Self::RateLimited { .. } => "RATE_LIMIT_EXCEEDED",
            Self::Unauthenticated { .. } => "AUTHENTICATION_ERROR",
            Self::Forbidden { .. } | Self::TooRecent { .. } => "PERMISSION_DENIED",
            Self::Rejected { .. } | Self::RequestTooLarge { .. } | Self::TokenRefused { .. } => "VALIDATION_ERROR",
            Self::Unavailable { .. } | Self::Untrusted { .. } => "SERVICE_UNAVAILABLE",
            Self::BadResponse { .. } => "BAD_RESPONSE",
            Self::ResponseTooLarge { .. } => "RESPONSE_TOO_LARGE",
            Self::PaginationLoop { .. } => "PAGINATION_LOOP",
            Self::InvalidData { .. } => "INVALID_DATA",
        }
    }

    /// Whether the same request may succeed later, and when.
    pub fn retry(&self) -> Retry {
        match self {
            Self::RateLimited { retry_after: Some(wait), .. } | Self::Unavailable { retry_after: Some(wait), .. } => {
                Retry::After(*wait)
            }
            Self::RateLimited { .. } | Self::Unavailable { .. } | Self::BadResponse { .. } => Retry::Backoff,
            Self::InvalidSymbol { .. }
            | Self::SymbolNotFound { .. }
            | Self::InvalidTimeframe { .. }
            | Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::TooRecent { .. }
            | Self::Rejected { .. }
            | Self::RequestTooLarge { .. }
            | Self::TokenRefused { .. }
            | Self::Untrusted { .. }
            | Self::ResponseTooLarge { .. }
            | Self::PaginationLoop { .. }
            | Self::InvalidData { .. } => Retry::Never,
        }
    }

    /// The vendor's answer, if it gave one.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::InvalidSymbol { answer, .. }
            | Self::SymbolNotFound { answer, .. }
            | Self::RateLimited { answer, .. }
            | Self::Unauthenticated { answer }
            | Self::Forbidden { answer }
            | Self::TooRecent { answer, .. }
            | Self::Rejected { answer }
            | Self::RequestTooLarge { answer }
            | Self::TokenRefused { answer }
            | Self::BadResponse { answer, .. } => Some(answer),
            Self::Unavailable { answer, .. } => answer.as_ref(),
            Self::InvalidTimeframe { .. }
            | Self::Untrusted { .. }
            | Self::ResponseTooLarge { .. }
            | Self::PaginationLoop { .. }
            | Self::InvalidData { .. } => None,
        }
    }

    /// The vendor's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::ResponseTooLarge { request_id, .. } => request_id.as_deref(),
            _ => self.answer().and_then(Answer::request_id),
        }
    }
}

fn named(symbol: &Option<Symbol>) -> String {
    symbol.as_ref().map_or_else(|| "a symbol".to_owned(), |symbol| format!("symbol {symbol}"))
}

fn because(answer: &Option<Answer>) -> String {
    answer.as_ref().map(|answer| format!(": {answer}")).unwrap_or_default()
}

fn list(offenders: &[Offender]) -> String {
    offenders.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for Offender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.bar.start.to_rfc3339(), self.faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_told_only_where_the_vendor_told_it() {
        let limited = |retry_after| Error::RateLimited {
            retry_after,
            quota: None,
            answer: Answer::new(429, b"too many requests."),
        };
        let wait = Duration::from_secs(2);
        assert_eq!(limited(Some(wait)).retry(), Retry::After(wait));
        assert_eq!(limited(None).retry(), Retry::Backoff);
    }

    #[test]
    fn recent_data_is_not_a_matter_of_credentials_and_tells_its_cure() {
        let delay = Duration::from_secs(15 * 60);
        let error = Error::TooRecent { delay, answer: Answer::new(403, b"") };
        assert_eq!(error.code(), "PERMISSION_DENIED");
        assert!(error.to_string().contains("an end at least 15 minutes ago"), "{error}");
    }
}
