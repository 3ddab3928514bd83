//! The endpoints of the trading API that a backfill needs: calendar, clock and assets.

use barkeep_types::Session;
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::America::New_York;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::market::{Listing, Market, Noise};
use crate::query::{Parameters, bad};
use crate::stamp;
use crate::zone::Zone;

const CALENDAR_START: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
const CALENDAR_END: NaiveDate = NaiveDate::from_ymd_opt(2029, 12, 31).expect("a date");

/// `/v2/calendar`: the trading days from `start` to `end`, both inclusive, by the clock of New York.
pub(crate) fn calendar(market: &Market, parameters: &Parameters) -> Result<Answer, Answer> {
    parameters.only(|name| matches!(name, "start" | "end" | "date_type"))?;
    let start = parameters.date("start")?.map_or(CALENDAR_START, |start| start.max(CALENDAR_START));
    let end = parameters.date("end")?.map_or(CALENDAR_END, |end| end.min(CALENDAR_END));
    let by_settlement = match parameters.get("date_type") {
        None | Some("TRADING") => false,
        Some("SETTLEMENT") => true,
        Some(other) => return Err(bad(&format!("invalid date_type: {other}"))),
    };
    let days = start.checked_sub_days(Days::new(if by_settlement { 14 } else { 0 })).unwrap_or(start);
    let rows = days
        .iter_days()
        .take_while(|date| *date <= end)
        .filter_map(|date| market.session(date))
        .map(|session| (settlement(market, session.date()), session))
        .filter(|(settled, _)| !by_settlement || (start..=end).contains(settled));
    let rows: Vec<Value> = rows.map(|(settled, session)| row(&session, settled)).collect();
    Ok(Answer::json(json!(rows).to_string().into_bytes()))
}

fn row(session: &Session, settled: NaiveDate) -> Value {
    let clock = |instant: DateTime<Utc>, format| instant.with_timezone(&New_York).format(format).to_string();
    json!({
        "date": session.date(),
        "open": clock(session.open(), "%H:%M"),
        "close": clock(session.close(), "%H:%M"),
        "session_open": clock(session.pre_open(), "%H%M"),
        "session_close": clock(session.post_close(), "%H%M"),
        "settlement_date": settled,
    })
}

/// The day on which a trade settles: one, two or three trading days later, by the rule of its time.
fn settlement(market: &Market, date: NaiveDate) -> NaiveDate {
    let days = match (date.year(), date.month(), date.day()) {
        later if later >= (2024, 5, 28) => 1,
        later if later >= (2017, 9, 5) => 2,
        _ => 3,
    };
    let later = date.iter_days().skip(1).take(30).filter(|later| market.session(*later).is_some());
    later.take(days).last().unwrap_or(date)
}

/// `/v2/clock`: whether regular trading is on, and when it next starts and ends.
pub(crate) fn clock(market: &Market, parameters: &Parameters, now: i64) -> Result<Answer, Answer> {
    parameters.only(|_| false)?;
    let now = DateTime::from_timestamp_secs(now).unwrap_or_default();
    let today = now.with_timezone(&New_York).date_naive();
    let sessions = || today.iter_days().take(14).filter_map(|date| market.session(date));
    let local = |instant: DateTime<Utc>| instant.with_timezone(&New_York).to_rfc3339();
    let body = json!({
        "timestamp": local(now),
        "is_open": sessions().any(|session| session.open() <= now && now < session.close()),
        "next_open": sessions().map(|session| session.open()).find(|open| *open > now).map(local),
        "next_close": sessions().map(|session| session.close()).find(|close| *close > now).map(local),
    });
    Ok(Answer::json(body.to_string().into_bytes()))
}

/// `/v2/assets`: what can be traded, all in one answer.
pub(crate) fn assets(market: &Market, parameters: &Parameters, now: i64) -> Result<Answer, Answer> {
    parameters.only(|name| matches!(name, "status" | "asset_class" | "exchange" | "attributes"))?;
    let class = parameters.get("asset_class").unwrap_or("us_equity");
    let asked = |asset: &Value| {
        asset["class"] == class
            && parameters.get("status").is_none_or(|status| asset["status"] == status)
            && parameters.get("exchange").is_none_or(|exchange| asset["exchange"] == exchange)
            && parameters.get("attributes").is_none()
    };
    let assets: Vec<Value> = all_assets(market, now).filter(asked).collect();
    Ok(Answer::json(json!(assets).to_string().into_bytes()))
}

/// `/v2/assets/{symbol_or_id}`.
pub(crate) fn asset(market: &Market, name: &str, now: i64) -> Result<Answer, Answer> {
    let found = all_assets(market, now).find(|asset| asset["symbol"] == name || asset["id"] == name);
    let missing = || {
        let body = json!({ "code": 40_410_000, "message": format!("asset not found for {name}") });
        Answer { status: 404, ..Answer::json(body.to_string().into_bytes()) }
    };
    found.map(|asset| Answer::json(asset.to_string().into_bytes())).ok_or_else(missing)
}

fn all_assets(market: &Market, now: i64) -> impl Iterator<Item = Value> {
    let mut listings: Vec<Listing> = market.listings().cloned().collect();
    listings.extend(market.recorded_symbols().cloned().map(Listing::new));
    listings.sort_by(|left, right| left.symbol.cmp(&right.symbol));
    listings.into_iter().map(move |listing| describe(&listing, now))
}

fn describe(listing: &Listing, now: i64) -> Value {
    let zone = Zone::of(&listing.symbol);
    let active = listing.last.is_none_or(|last| zone.date(now) <= last);
    let class = if zone == Zone::Utc { "crypto" } else { "us_equity" };
    let tradable = active && listing.exchange != "OTC";
    let mut asset = json!({
        "id": identifier(listing.symbol.as_str(), listing.first),
        "class": class,
        "cusip": null,
        "exchange": listing.exchange,
        "symbol": listing.symbol,
        "name": listing.name,
        "status": if active { "active" } else { "inactive" },
        "tradable": tradable,
        "marginable": tradable && zone == Zone::NewYork,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "shortable": tradable && zone == Zone::NewYork,
        "easy_to_borrow": tradable && zone == Zone::NewYork,
        "fractionable": tradable,
        "attributes": [],
    });
    if zone == Zone::Utc {
        asset["min_order_size"] = json!("0.0001");
        asset["min_trade_increment"] = json!("0.000000001");
        asset["price_increment"] = json!("0.01");
    }
    asset
}

/// A UUID that is the same in every run.
pub(crate) fn identifier(name: &str, date: Option<NaiveDate>) -> String {
    let noise = Noise::new(0).named(name).at(date.map_or(0, |date| date.to_epoch_days().into()));
    let (high, low) = (noise.at(0).bits(), noise.at(1).bits());
    let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
    let (fourth, fifth) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
    format!("{first:08x}-{second:04x}-4{third:03x}-{fourth:04x}-{fifth:012x}")
}

impl Parameters {
    /// A date, where no time is taken.
    pub(crate) fn date(&self, name: &str) -> Result<Option<NaiveDate>, Answer> {
        let Some(text) = self.get(name) else { return Ok(None) };
        // An instant is cut to its date, as clients send it.
        let date = text.get(..10).and_then(stamp::date);
        date.map(Some).ok_or_else(|| bad(&format!("invalid {name}: {text}")))
    }
}
