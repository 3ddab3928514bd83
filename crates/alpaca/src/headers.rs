//! What response headers say about waiting. Instants are told by the vendor's clock, and so compared with its `Date`:
//! ours is never asked.

use std::time::Duration;

use barkeep_provider::Quota;
use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that a header is believed to mean.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The allowance of requests that is left.
pub(crate) fn quota(headers: &HeaderMap) -> Option<Quota> {
    let number = |name: &str| text(headers, name)?.parse::<u32>().ok();
    let (limit, remaining) = (number("x-ratelimit-limit")?, number("x-ratelimit-remaining")?);
    let reset = text(headers, "x-ratelimit-reset").and_then(|reset| reset.parse().ok());
    let resets_in = reset.and_then(|reset| until(headers, reset));
    Some(Quota { limit, remaining, resets_in })
}

/// How long to wait before the next request: `Retry-After` in seconds or as a date, or else the reset of the allowance.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, RETRY_AFTER.as_str()).and_then(|value| {
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
        }
        until(headers, DateTime::parse_from_rfc2822(value).ok()?.timestamp())
    });
    asked.or_else(|| quota(headers).filter(|quota| quota.remaining == 0)?.resets_in)
}

/// The vendor's id of the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    text(headers, "x-request-id")
}

fn until(headers: &HeaderMap, unix_seconds: i64) -> Option<Duration> {
    let now = DateTime::parse_from_rfc2822(text(headers, DATE.as_str())?).ok()?.timestamp();
    let seconds = u64::try_from(unix_seconds.saturating_sub(now)).unwrap_or(0);
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    const DATED: (&str, &str) = ("date", "Tue, 21 Mar 2023 15:13:07 GMT");

    #[test]
    fn the_reset_is_measured_by_the_vendors_own_clock() {
        let pairs = [
            DATED,
            ("x-ratelimit-limit", "200"),
            ("x-ratelimit-remaining", "195"),
            ("x-ratelimit-reset", "1679411617"),
        ];
        let resets_in = Some(Duration::from_secs(30));
        assert_eq!(quota(&headers(&pairs)), Some(Quota { limit: 200, remaining: 195, resets_in }));
        let undated = quota(&headers(&pairs[1..])).unwrap();
        assert_eq!((undated.remaining, undated.resets_in), (195, None));
        assert_eq!(quota(&headers(&pairs[..2])), None);
    }

    #[test]
    fn every_kind_of_retry_after_is_understood_and_none_is_endless() {
        for (value, seconds) in [
            ("2", Some(2)),
            ("0", Some(0)),
            ("1000000000", Some(900)),
            ("Tue, 21 Mar 2023 15:13:17 GMT", Some(10)),
            ("Tue, 21 Mar 2023 15:13:00 GMT", Some(0)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some(900)),
            ("-1", None),
            ("soon", None),
            ("99999999999999999999999", None),
        ] {
            let wait = retry_after(&headers(&[DATED, ("retry-after", value)]));
            assert_eq!(wait, seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn without_retry_after_a_used_up_allowance_tells_how_long_to_wait() {
        let pairs = |remaining| {
            headers(&[
                DATED,
                ("x-ratelimit-limit", "200"),
                ("x-ratelimit-remaining", remaining),
                ("x-ratelimit-reset", "1679411590"),
            ])
        };
        assert_eq!(retry_after(&pairs("0")), Some(Duration::from_secs(3)));
        assert_eq!(retry_after(&pairs("5")), None);
        assert_eq!(retry_after(&headers(&[])), None);
    }
}
