//! Which endpoint answers what.

use crate::answer::Answer;
use crate::bars::{self, Shape};
use crate::faults::Fault;
use crate::options::Options;
use crate::query::{BarsQuery, Parameters, bad};
use crate::zone::{PLACES, Zone};
use crate::{corporate_actions, trading};

pub(crate) enum Endpoint {
    Bars {
        zone: Zone,
        single: Option<String>,
    },
    /// Crypto bars of a place there is none.
    NoLocation(String),
    CorporateActions,
    Calendar,
    Clock,
    Assets,
    Asset(String),
}

impl Endpoint {
    pub(crate) fn of(path: &str) -> Option<Self> {
        let parts: Vec<String> = path.trim_matches('/').split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Some(match parts[..] {
            ["v2", "stocks", "bars"] => Self::Bars { zone: Zone::NewYork, single: None },
            ["v2", "stocks", symbol, "bars"] => Self::Bars { zone: Zone::NewYork, single: Some(symbol.to_owned()) },
            ["v1beta3", "crypto", place, "bars"] if PLACES.contains(&place) => {
                Self::Bars { zone: Zone::Utc, single: None }
            }
            ["v1beta3", "crypto", location, "bars"] => Self::NoLocation(location.to_owned()),
            ["v1", "corporate-actions"] => Self::CorporateActions,
            ["v2", "calendar"] => Self::Calendar,
            ["v2", "clock"] => Self::Clock,
            ["v2", "assets"] => Self::Assets,
            ["v2", "assets", name] => Self::Asset(name.to_owned()),
            _ => return None,
        })
    }

    /// The true answer, but for what `fault` does to a page of bars.
    pub(crate) fn answer(
        &self,
        options: &Options,
        parameters: &Parameters,
        now: i64,
        fault: Option<&Fault>,
    ) -> Result<Answer, Answer> {
        let market = &options.market;
        match self {
            Self::Bars { zone, single } => {
                let days = if options.manner.days_in_utc { Zone::Utc } else { *zone };
                let query = BarsQuery::read(parameters, *zone, days, single.as_deref())?;
                let shape = if single.is_some() { Shape::Single } else { Shape::BySymbol };
                bars::answer(options, &query, *zone, shape, now, fault)
            }
            Self::NoLocation(location) => Err(bad(&format!("Invalid location: {location}"))),
            Self::CorporateActions => corporate_actions::answer(market, parameters, now, options.late_actions),
            Self::Calendar => trading::calendar(market, parameters),
            Self::Clock => trading::clock(market, parameters, now),
            Self::Assets => trading::assets(market, parameters, now),
            Self::Asset(name) => trading::asset(market, name, now),
        }
    }

    /// Whether the bars that are asked for have ended, and changed for the last time.
    pub(crate) fn is_settled(&self, options: &Options, parameters: &Parameters, now: i64) -> bool {
        let Self::Bars { zone, single } = self else { return false };
        let days = if options.manner.days_in_utc { Zone::Utc } else { *zone };
        let query = BarsQuery::read(parameters, *zone, days, single.as_deref());
        query.is_ok_and(|query| bars::is_settled(options, &query, *zone, now))
    }

    pub(crate) fn is_bars(&self) -> bool {
        matches!(self, Self::Bars { .. })
    }

    /// Historical crypto bars are for everybody.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Bars { zone: Zone::Utc, .. } | Self::NoLocation(_))
    }

    /// Whether it belongs to the trading API, which has a limit of its own.
    pub(crate) fn is_trading(&self) -> bool {
        matches!(self, Self::Calendar | Self::Clock | Self::Assets | Self::Asset(_))
    }
}

/// A part of a path, percent-decoded; what separates parameters in a query stands for itself there.
fn decoded(part: &str) -> String {
    let part = part.replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
    url::form_urlencoded::parse(part.as_bytes()).next().map_or_else(String::new, |(name, _)| name.into_owned())
}
