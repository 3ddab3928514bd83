//! What all connections share, and the way from a request to its answer.

use std::sync::{Mutex, MutexGuard};

use chrono::{DateTime, Utc};

use crate::answer::Answer;
use crate::counters::{Counters, Requests};
use crate::faults::{Fault, Script, WireFault};
use crate::kept::{Kept, MOST_BYTES};
use crate::keys::Caller;
use crate::limiter::{Limiter, Quota};
use crate::options::Options;
use crate::query::Parameters;
use crate::routes::Endpoint;
use crate::stamp::http_date;
use crate::trading::identifier;
use crate::wire::{Request, encoded};
use crate::zone::Zone;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    limiter: Mutex<Limiter>,
    counters: Mutex<Counters>,
    faults: Mutex<Script>,
    /// Absent where every answer is made anew.
    kept: Option<Mutex<Kept>>,
}

/// An answer, and what happens to it on its way.
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) fault: Option<WireFault>,
}

/// The limit of the trading API, under every plan.
const TRADING_LIMIT: u32 = 200;

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        let limiter = Mutex::new(Limiter::new(options.window));
        let kept = options.keeps_answers.then(|| Mutex::new(Kept::new(MOST_BYTES)));
        Self { options, limiter, counters: Mutex::default(), faults: Mutex::default(), kept }
    }

    pub(crate) fn requests(&self) -> Requests {
        locked(&self.counters).requests
    }

    pub(crate) fn served(&self) -> Vec<String> {
        locked(&self.counters).served.clone()
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        locked(&self.faults)
    }

    /// Answers a request as the vendor would, or as the script has it.
    pub(crate) fn reply(&self, request: &Request) -> Reply {
        let now = self.options.clock.now_millis();
        let number = locked(&self.counters).arrived(now);
        let endpoint = Endpoint::of(&request.path).filter(|_| request.method == "GET");
        let reply = match endpoint {
            Some(endpoint) => self.limited(request, &endpoint, now),
            None if request.method != "GET" => Answer::refusal(405, "method not allowed").into(),
            None => Answer::refusal(404, "endpoint not found").into(),
        };
        Reply { answer: signed(reply.answer, number, now), ..reply }
    }

    /// The answer to what is no request, or too long to be read. It counts as one.
    pub(crate) fn refuse(&self, refusal: Answer) -> Answer {
        let now = self.options.clock.now_millis();
        let number = locked(&self.counters).arrived(now);
        signed(refusal, number, now)
    }

    /// The answer to a request whose caller is known and within the limit, or a refusal.
    fn limited(&self, request: &Request, endpoint: &Endpoint, now: i64) -> Reply {
        let caller = match self.options.keys.caller(request) {
            Caller::Known(caller) => caller,
            Caller::Nobody if endpoint.is_open() => String::new(),
            Caller::Nobody => return self.options.manner.refuse_nobody().into(),
            Caller::Stranger => return self.options.manner.refuse_stranger().into(),
        };
        let Some(quota) = self.quota(&caller, endpoint, now) else {
            return self.scripted(request, endpoint, now);
        };
        let reply = if quota.allowed {
            self.scripted(request, endpoint, now)
        } else {
            locked(&self.counters).requests.limited += 1;
            self.options.manner.too_many(quota.wait(now)).into()
        };
        Reply { answer: quota.tell(reply.answer), ..reply }
    }

    /// Counts a request against its limit, if there is one.
    fn quota(&self, caller: &str, endpoint: &Endpoint, now: i64) -> Option<Quota> {
        let limit = self.options.plan.requests_a_minute?;
        let mut limiter = locked(&self.limiter);
        Some(if endpoint.is_trading() {
            limiter.request(&format!("trading {caller}"), limit.min(TRADING_LIMIT), now)
        } else {
            limiter.request(&format!("data {caller}"), limit, now)
        })
    }

    /// The true answer, and what the script makes of it.
    fn scripted(&self, request: &Request, endpoint: &Endpoint, now: i64) -> Reply {
        let (target, now) = (request.target(), now.div_euclid(1000));
        let fault = self.script().hit(&target, endpoint.is_bars());
        let answer = match (&fault, &self.kept) {
            (None, Some(kept)) if endpoint.is_bars() => self.kept_or_made(kept, request, endpoint, now),
            _ => self.made(request, endpoint, now, fault.as_ref()),
        };
        let mut counters = locked(&self.counters);
        match fault {
            Some(Fault::Answer(fault)) => {
                counters.requests.faults += 1;
                fault.answer(answer, now).into()
            }
            Some(Fault::Wire(fault)) => {
                counters.requests.faults += 1;
                Reply { answer, fault: Some(fault) }
            }
            Some(Fault::Page(_) | Fault::Number(_)) => {
                counters.requests.faults += 1;
                answer.into()
            }
            None => {
                if endpoint.is_bars() && answer.status == 200 {
                    counters.page_served(target);
                }
                answer.into()
            }
        }
    }
}

impl Shared {
    fn made(&self, request: &Request, endpoint: &Endpoint, now: i64, fault: Option<&Fault>) -> Answer {
        endpoint
            .answer(&self.options, &Parameters::parse(&request.query), now, fault)
            .unwrap_or_else(|refusal| self.options.manner.refusal(refusal))
    }

    /// The body that was given to the same request on the same day, or a new one, which is kept if time will not change it.
    fn kept_or_made(&self, kept: &Mutex<Kept>, request: &Request, endpoint: &Endpoint, now: i64) -> Answer {
        let (day, asked) = (Zone::NewYork.date(now), (request.target(), request.accepts_gzip()));
        if let Some(body) = locked(kept).get(day, &asked) {
            return Answer::encoded(body);
        }
        let answer = self.made(request, endpoint, now, None);
        if answer.status != 200 || !endpoint.is_settled(&self.options, &Parameters::parse(&request.query), now) {
            return answer;
        }
        let body = encoded(answer.body, request.accepts_gzip());
        locked(kept).keep(day, asked, body.clone());
        Answer::encoded(body)
    }

    /// Moves the time, before or after which other answers are true.
    pub(crate) fn set_now(&self, now: DateTime<Utc>) {
        self.options.clock.set(now);
        if let Some(kept) = &self.kept {
            locked(kept).forget();
        }
    }
}

/// Every answer has an id, and tells the time by which its other instants are meant.
fn signed(answer: Answer, number: u64, now: i64) -> Answer {
    let id = identifier(&number.to_string(), None);
    answer.with_header("X-Request-ID", id).with_header("Date", http_date(now.div_euclid(1000)))
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, fault: None }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of a lock panics")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NASTY: [&str; 22] = [
        "",
        "-",
        "0",
        "-1",
        "9999-12-31",
        "0000-01-01",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00%2B14:00",
        "2024-03-04",
        "AAPL",
        "AAPL,MSFT",
        "%00",
        "%FF%FE",
        "BTC%2FUSD",
        "1Min",
        "12Month",
        "23Hour",
        "desc",
        "sip",
        "all",
        "QUFQTHxNfC05MjIzMzcyMDM2ODU0Nzc1ODA4", // AAPL|M|-9223372036854775808
        "QUFQTHxEfDkyMjMzNzIwMzY4NTQ3NzU4MDc=", // AAPL|D|9223372036854775807
    ];
    const NAMES: [&str; 14] = [
        "symbols",
        "timeframe",
        "start",
        "end",
        "limit",
        "sort",
        "page_token",
        "feed",
        "adjustment",
        "asof",
        "currency",
        "types",
        "date_type",
        "x",
    ];
    const PATHS: [&str; 8] = [
        "/v2/stocks/bars",
        "/v2/stocks/AAPL/bars",
        "/v1beta3/crypto/us/bars",
        "/v1/corporate-actions",
        "/v2/calendar",
        "/v2/assets",
        "/v2/assets/%2F%3D",
        "/v2/clock",
    ];

    proptest! {
        #[test]
        fn whatever_is_asked_is_answered_in_json(
            path in proptest::sample::select(&PATHS[..]),
            parameters in proptest::collection::vec(
                (proptest::sample::select(&NAMES[..]), proptest::sample::select(&NASTY[..])), 0..6,
            ),
            good_start: bool,
        ) {
            let shared = Shared::new(Options::default());
            let start = if good_start { "symbols=AAPL&timeframe=1Day&limit=10&" } else { "" };
            let parameters: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let query = format!("{start}{}", parameters.join("&"));
            let answer = shared.reply(&Request::get(path, &query)).answer;
            prop_assert!([200, 400, 403, 404].contains(&answer.status), "{} {query}", answer.status);
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok());
        }
    }
}
