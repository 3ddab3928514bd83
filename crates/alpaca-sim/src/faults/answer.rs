//! Answers that are not the true one.

use crate::answer::Answer;
use crate::stamp::http_date;

/// Another answer than the true one, in well-formed HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerFault {
    /// 429 before the limit was reached.
    TooManyRequests(RetryAfter),
    /// 429 in plain text.
    TooManyRequestsInText,
    /// A status with the vendor's JSON.
    Status(u16),
    /// A status with a page of the proxy in front of the vendor.
    HtmlStatus(u16),
    /// A status with a message of one's own.
    Refusal(u16, String),
    /// 400 for a page token that is no longer known.
    ExpiredToken,
    /// 200 and a page that asks to log in to the network.
    CaptivePortal,
    /// 200 and a text.
    PlainText,
    /// 200 and nothing.
    EmptyBody,
    /// 200 and `null`.
    NullBody,
    /// 200 and an array instead of an object.
    ArrayBody,
    /// 200 and the true page with a word that JSON does not have.
    InvalidJson,
    /// 200 and the first half of the true page, announced as if it were all.
    TruncatedJson,
    /// 200 and so many arrays within each other.
    DeepNesting(usize),
    /// 200 and the true page with a token of so many bytes.
    LongString(usize),
    /// 302 to another address.
    Redirect(String),
}

/// What a 429 says of when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Nothing, as the vendor is documented to do.
    Absent,
    /// A number of seconds, however absurd.
    Seconds(u64),
    /// An HTTP date so many seconds from now.
    Date(i64),
}

impl AnswerFault {
    /// What is answered at Unix second `now` instead of the truth.
    pub(crate) fn answer(&self, truth: Answer, now: i64) -> Answer {
        let text = |body: &str| Answer::json(body.as_bytes().to_vec());
        match self {
            Self::TooManyRequests(retry_after) => {
                let refusal = Answer::refusal(429, "too many requests.");
                match retry_after {
                    RetryAfter::Absent => refusal,
                    RetryAfter::Seconds(seconds) => refusal.with_header("Retry-After", seconds),
                    RetryAfter::Date(seconds) => refusal.with_header("Retry-After", http_date(now + seconds)),
                }
            }
            Self::TooManyRequestsInText => Answer::text(429, "too many requests."),
            Self::Status(status) => Answer::refusal(*status, &message(*status)),
            Self::HtmlStatus(status) => Answer::html(*status),
            Self::Refusal(status, message) => Answer::refusal(*status, message),
            Self::ExpiredToken => Answer::refusal(400, "invalid page_token"),
            Self::CaptivePortal => Answer { status: 200, ..Answer::html(511) },
            Self::PlainText => Answer::text(200, "upstream says hello"),
            Self::EmptyBody => text(""),
            Self::NullBody => text("null"),
            Self::ArrayBody => text("[]"),
            Self::InvalidJson => Answer { body: [b"{\"bars\":undefined,", &truth.body[1..]].concat(), ..truth },
            Self::TruncatedJson => Answer { body: truth.body[..truth.body.len() / 2].to_vec(), ..truth },
            Self::DeepNesting(depth) => text(&format!("{{\"bars\":{}{}}}", "[".repeat(*depth), "]".repeat(*depth))),
            Self::LongString(bytes) => {
                text(&format!("{{\"bars\":{{}},\"next_page_token\":\"{}\"}}", "A".repeat(*bytes)))
            }
            Self::Redirect(address) => Answer::text(302, "").with_header("Location", address),
        }
    }
}

fn message(status: u16) -> String {
    match status {
        401 => "authentication required".to_owned(),
        403 => "forbidden.".to_owned(),
        404 => "endpoint not found".to_owned(),
        429 => "too many requests.".to_owned(),
        other => crate::answer::reason(other).to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_to_come_back_at_is_written_as_http_does() {
        let answer = AnswerFault::TooManyRequests(RetryAfter::Date(30)).answer(Answer::html(200), 784_111_747);
        assert_eq!(answer.headers, [("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned())]);
    }
}
