//! Which endpoint answers what.

use std::sync::Mutex;

use crate::answer::Answer;
use crate::bars::{self, Shape};
use crate::counters::{Counters, Requests};
use crate::days::Calendar;
use crate::limiter::Limiter;
use crate::options::{Keys, Options};
use crate::query::{BarsQuery, Parameters};
use crate::wire::Request;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) counters: Mutex<Counters>,
}

const POISONED: &str = "no holder of this lock panics";

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        let limiter = Mutex::new(Limiter::new(options.window));
        Self { options, limiter, counters: Mutex::default() }
    }

    pub(crate) fn requests(&self) -> Requests {
        self.counters.lock().expect(POISONED).requests
    }

    /// Answers a request as the vendor would.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let now = self.options.clock.now_millis();
        self.counters.lock().expect(POISONED).arrived(now);
        let Some(endpoint) = Endpoint::of(&request.path) else {
            return Answer::refusal(404, "endpoint not found");
        };
        let key = match self.authenticate(request, &endpoint) {
            Ok(key) => key,
            Err(refusal) => return refusal,
        };
        let quota = self
            .options
            .plan
            .requests_a_minute
            .map(|limit| self.limiter.lock().expect(POISONED).request(&key, limit, now));
        let answer = if quota.is_none_or(|quota| quota.allowed) {
            endpoint
                .answer(self, &Parameters::parse(&request.query), now.div_euclid(1000))
                .unwrap_or_else(|refusal| refusal)
        } else {
            self.counters.lock().expect(POISONED).requests.limited += 1;
            Answer::refusal(429, "too many requests.")
        };
        match quota {
            Some(quota) => quota.tell(answer),
            None => answer,
        }
    }

    fn authenticate(&self, request: &Request, endpoint: &Endpoint) -> Result<String, Answer> {
        let (id, secret) = (request.header("apca-api-key-id"), request.header("apca-api-secret-key"));
        if matches!(endpoint, Endpoint::Bars { calendar: Calendar::Always, .. }) && id.is_none() {
            return Ok(String::new()); // Historical crypto needs no credentials.
        }
        match (id, secret, &self.options.keys) {
            (Some(id), Some(_), Keys::Any) => Ok(id.to_owned()),
            (Some(id), Some(secret), Keys::Only { id: known, secret: kept }) if id == known && secret == kept => {
                Ok(id.to_owned())
            }
            (Some(_), Some(_), Keys::Only { .. }) => Err(Answer::refusal(403, "forbidden.")),
            _ => Err(Answer::refusal(401, "authentication required")),
        }
    }
}

enum Endpoint {
    Bars { calendar: Calendar, single: Option<String> },
}

impl Endpoint {
    fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts[..] {
            ["v2", "stocks", "bars"] => Some(Self::Bars { calendar: Calendar::NewYork, single: None }),
            ["v2", "stocks", symbol, "bars"] => {
                Some(Self::Bars { calendar: Calendar::NewYork, single: Some(symbol.to_owned()) })
            }
            ["v1beta3", "crypto", "us" | "us-1" | "us-2" | "eu-1" | "bs-1", "bars"] => {
                Some(Self::Bars { calendar: Calendar::Always, single: None })
            }
            _ => None,
        }
    }

    fn answer(&self, shared: &Shared, parameters: &Parameters, now: i64) -> Result<Answer, Answer> {
        match self {
            Self::Bars { calendar, single } => {
                let query = BarsQuery::read(parameters, *calendar, single.as_deref())?;
                let page = bars::page(&shared.options, &query, *calendar, now)?;
                shared.counters.lock().expect(POISONED).requests.bars += 1;
                let shape = if single.is_some() { Shape::Single } else { Shape::BySymbol };
                Ok(Answer::json(bars::body(&page, &query, shape)))
            }
        }
    }
}
