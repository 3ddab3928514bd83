//! Alpaca's refusals, as errors by what the caller can do.

use std::time::Duration;

use barkeep_provider::{Answer, BarsRequest, Error, PageToken};
use barkeep_types::Symbol;
use reqwest::StatusCode;
use serde::Deserialize;

use crate::headers;
use crate::http::Refused;

/// How old SIP data must be without a subscription.
pub(crate) const RECENT: Duration = Duration::from_secs(15 * 60);

/// The texts by which Alpaca has refused recent data over the years.
const TOO_RECENT: [&str; 4] = ["recent sip data", "querying recent", "past 15 minutes", "too late for subscription"];

#[derive(Deserialize)]
struct Words {
    message: String,
}

/// Says what a refusal of a request for bars means.
pub(crate) fn of_bars(refused: Refused, request: &BarsRequest, token: Option<&PageToken>) -> Error {
    let message = message(&refused.bytes);
    match refused.status {
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY
            if TOO_RECENT.iter().any(|text| message.contains(text)) =>
        {
            Error::TooRecent { delay: RECENT, answer: refused.answer() }
        }
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            invalid(&message, request, token, refused.answer())
        }
        StatusCode::NOT_FOUND => {
            let symbol = match request.symbols() {
                [symbol] => Some(symbol.clone()),
                _ => None,
            };
            Error::SymbolNotFound { symbol, answer: refused.answer() }
        }
        _ => error(refused),
    }
}

/// Says what a refusal means, whatever was asked for.
pub(crate) fn error(refused: Refused) -> Error {
    let (answer, headers) = (refused.answer(), &refused.headers);
    match refused.status {
        StatusCode::UNAUTHORIZED => Error::Unauthenticated { answer },
        // Wrong keys get this as well; what a subscription lacks is always named.
        StatusCode::FORBIDDEN if matches!(message(&refused.bytes).trim_end_matches('.'), "" | "forbidden") => {
            Error::Unauthenticated { answer }
        }
        StatusCode::FORBIDDEN => Error::Forbidden { answer },
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            Error::RequestTooLarge { answer }
        }
        StatusCode::TOO_MANY_REQUESTS => {
            Error::RateLimited { retry_after: headers::retry_after(headers), quota: headers::quota(headers), answer }
        }
        status if status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() => {
            Error::Unavailable { retry_after: headers::retry_after(headers), answer: Some(answer), source: None }
        }
        status if status.is_client_error() => Error::Rejected { answer },
        _ => Error::BadResponse { detail: "no status of this API".to_owned(), answer, source: None },
    }
}

fn invalid(message: &str, request: &BarsRequest, token: Option<&PageToken>, answer: Answer) -> Error {
    if token.is_some() && message.contains("token") {
        Error::TokenRefused { answer }
    } else if message.contains("symbol") {
        Error::InvalidSymbol { symbol: named(message, request), answer }
    } else if message.contains("timeframe") {
        Error::InvalidTimeframe { timeframe: request.timeframe() }
    } else {
        Error::Rejected { answer }
    }
}

/// The symbol of the request that the vendor named after a colon: `invalid symbol: BRK-B`.
fn named(message: &str, request: &BarsRequest) -> Option<Symbol> {
    let (_, names) = message.rsplit_once(':')?;
    let is_part = |character: char| character.is_ascii_alphanumeric() || ".-/".contains(character);
    let mut names = names.split(|character| !is_part(character));
    names.find_map(|name| {
        let symbol: Symbol = name.trim_end_matches('.').parse().ok()?;
        request.symbols().contains(&symbol).then_some(symbol)
    })
}

/// What the vendor says, in lower case. Bodies may be JSON, plain text or a page of HTML.
fn message(bytes: &[u8]) -> String {
    let text = match serde_json::from_slice::<Words>(bytes) {
        Ok(words) => words.message,
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    };
    text.to_lowercase()
}

#[cfg(test)]
mod tests;
