use serde_json::json;

use crate::answer::Answer;

/// How refusals look, where the vendor's documentation is silent or its habits have changed.
///
/// ```
/// use barkeep_alpaca_sim::Manner;
///
/// let old = Manner { legacy_codes: true, ..Manner::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The status of a request without credentials: 401 by default.
    pub missing_keys: u16,
    /// The status of a request with the wrong credentials: 403 by default.
    pub wrong_keys: u16,
    /// Whether a 429 is plain text instead of JSON; off by default.
    pub plain_too_many: bool,
    /// Whether a 429 says in `Retry-After` how many seconds to wait; off by default, as it is not documented.
    pub retry_after: bool,
    /// Whether bad parameters and recent data are refused as until about 2022: with 422, and a `code` in the body; off
    /// by default.
    pub legacy_codes: bool,
    /// Whether a date without a time is a day in UTC instead of New York; off by default.
    pub days_in_utc: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            missing_keys: 401,
            wrong_keys: 403,
            plain_too_many: false,
            retry_after: false,
            legacy_codes: false,
            days_in_utc: false,
        }
    }
}

impl Manner {
    pub(crate) fn refuse_nobody(&self) -> Answer {
        Answer::refusal(self.missing_keys, "authentication required")
    }

    pub(crate) fn refuse_stranger(&self) -> Answer {
        Answer::refusal(self.wrong_keys, "forbidden.")
    }

    /// A 429; the quota is free again in so many seconds.
    pub(crate) fn too_many(&self, wait: i64) -> Answer {
        const MESSAGE: &str = "too many requests.";
        let answer = if self.plain_too_many { Answer::text(429, MESSAGE) } else { Answer::refusal(429, MESSAGE) };
        if self.retry_after { answer.with_header("Retry-After", wait) } else { answer }
    }

    /// Dresses a refusal in the codes of its time.
    pub(crate) fn refusal(&self, refusal: Answer) -> Answer {
        if !self.legacy_codes || !matches!(refusal.status, 400 | 403) {
            return refusal;
        }
        let mut body = serde_json::from_slice(&refusal.body).unwrap_or_else(|_| json!({}));
        body["code"] = json!(42_210_000);
        Answer { status: 422, body: body.to_string().into_bytes(), ..refusal }
    }
}
