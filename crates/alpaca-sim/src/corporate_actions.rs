//! `/v1/corporate-actions`: splits, dividends, spin-offs and renames, by the day they were processed.

use barkeep_types::Symbol;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::market::{Action, Event, Market};
use crate::query::{Parameters, bad};
use crate::trading::identifier;
use crate::zone::Zone;

const PARAMETERS: [&str; 10] =
    ["symbols", "cusips", "types", "start", "end", "ids", "region", "limit", "page_token", "sort"];

/// What the vendor knows, singular as asked for and plural as answered.
const TYPES: [(&str, &str); 15] = [
    ("forward_split", "forward_splits"),
    ("reverse_split", "reverse_splits"),
    ("unit_split", "unit_splits"),
    ("stock_dividend", "stock_dividends"),
    ("cash_dividend", "cash_dividends"),
    ("spin_off", "spin_offs"),
    ("cash_merger", "cash_mergers"),
    ("stock_merger", "stock_mergers"),
    ("stock_and_cash_merger", "stock_and_cash_mergers"),
    ("redemption", "redemptions"),
    ("name_change", "name_changes"),
    ("worthless_removal", "worthless_removals"),
    ("rights_distribution", "rights_distributions"),
    ("partial_call", "partial_calls"),
    ("reorganization", "reorganizations"),
];

struct Announcement {
    date: NaiveDate,
    kind: &'static str,
    symbols: Vec<Symbol>,
    body: Value,
}

/// The actions processed from `start` to `end`, both inclusive and today by default; those of the last `late` days are
/// not known yet.
pub(crate) fn answer(market: &Market, parameters: &Parameters, now: i64, late: Option<u64>) -> Result<Answer, Answer> {
    parameters.only(|name| PARAMETERS.contains(&name))?;
    let today = Zone::NewYork.date(now);
    let start = parameters.date("start")?.unwrap_or(today);
    let end = parameters.date("end")?.unwrap_or(today);
    if start > end {
        return Err(bad("end should not be before start"));
    }
    let limit = parameters.limit(100, 1000)?;
    let kinds = kinds(parameters)?;
    let symbols: Option<Vec<String>> = list(parameters, "symbols");
    let ids = list(parameters, "ids");
    let cusips = list(parameters, "cusips");
    let known = |date: NaiveDate| {
        late.is_none_or(|days| date.checked_add_days(Days::new(days)).is_some_and(|known| known <= today))
    };
    let asked = |action: &Announcement| {
        (start..=end).contains(&action.date)
            && known(action.date)
            && kinds.as_ref().is_none_or(|kinds| kinds.contains(&action.kind))
            && symbols.as_ref().is_none_or(|names| {
                action.symbols.iter().any(|symbol| names.iter().any(|name| name == symbol.as_str()))
            })
            && ids.as_ref().is_none_or(|ids| ids.iter().any(|id| action.body["id"] == id.as_str()))
            && cusips.is_none()
    };
    let mut actions: Vec<Announcement> = announcements(market).filter(asked).collect();
    actions.sort_by(|left, right| (left.date, &left.symbols).cmp(&(right.date, &right.symbols)));
    if parameters.get("sort") == Some("desc") {
        actions.reverse();
    }
    let served = offset(parameters)?;
    let more = actions.len() > served + limit;
    let page = actions.into_iter().skip(served).take(limit);
    let token = more.then(|| STANDARD.encode((served + limit).to_string()));
    let body = json!({ "corporate_actions": grouped(page), "next_page_token": token });
    Ok(Answer::json(body.to_string().into_bytes()))
}

fn list(parameters: &Parameters, name: &str) -> Option<Vec<String>> {
    parameters.get(name).map(|text| text.split(',').map(str::to_owned).collect())
}

fn kinds(parameters: &Parameters) -> Result<Option<Vec<&'static str>>, Answer> {
    let Some(names) = list(parameters, "types") else { return Ok(None) };
    let plural = |name: &String| {
        let found = TYPES.iter().find(|(singular, _)| singular == name);
        found.map(|(_, plural)| *plural).ok_or_else(|| bad(&format!("invalid type: {name}")))
    };
    names.iter().map(plural).collect::<Result<_, _>>().map(Some)
}

/// How many actions the pages before held.
fn offset(parameters: &Parameters) -> Result<usize, Answer> {
    let Some(token) = parameters.get("page_token") else { return Ok(0) };
    let decoded = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.and_then(|text| text.parse().ok()).ok_or_else(|| bad("invalid page_token"))
}

fn grouped(actions: impl Iterator<Item = Announcement>) -> Value {
    let mut groups = Map::new();
    for action in actions {
        let group = groups.entry(action.kind).or_insert_with(|| json!([]));
        group.as_array_mut().expect("a group is an array").push(action.body);
    }
    Value::Object(groups)
}

fn announcements(market: &Market) -> impl Iterator<Item = Announcement> {
    market
        .listings()
        .flat_map(|listing| listing.events.iter().map(|event| announcement(&listing.name_on(event.date), event)))
}

fn announcement(symbol: &Symbol, event: &Event) -> Announcement {
    let (date, next) = (event.date, event.date + Days::new(1));
    let id = identifier(symbol.as_str(), Some(date));
    let cusip = |symbol: &Symbol| identifier(symbol.as_str(), None)[..8].to_ascii_uppercase() + "0";
    let (kind, symbols, mut body) = match &event.action {
        Action::Split { new, old } if new >= old => (
            "forward_splits",
            vec![symbol.clone()],
            json!({ "symbol": symbol, "cusip": cusip(symbol), "new_rate": new, "old_rate": old, "due_bill_redemption_date": next }),
        ),
        Action::Split { new, old } => (
            "reverse_splits",
            vec![symbol.clone()],
            json!({ "symbol": symbol, "old_cusip": cusip(symbol), "new_cusip": cusip(symbol), "new_rate": new, "old_rate": old }),
        ),
        Action::Dividend { cash } => (
            "cash_dividends",
            vec![symbol.clone()],
            json!({ "symbol": symbol, "cusip": cusip(symbol), "rate": cash, "special": false, "foreign": false }),
        ),
        Action::SpinOff { spun_off, .. } => (
            "spin_offs",
            vec![symbol.clone(), spun_off.clone()],
            json!({
                "source_symbol": symbol, "source_cusip": cusip(symbol), "source_rate": 1,
                "new_symbol": spun_off, "new_cusip": cusip(spun_off), "new_rate": 1,
            }),
        ),
        Action::Rename { old } => (
            "name_changes",
            vec![old.clone(), symbol.clone()],
            json!({ "old_symbol": old, "old_cusip": cusip(old), "new_symbol": symbol, "new_cusip": cusip(symbol) }),
        ),
    };
    body["id"] = json!(id);
    body["process_date"] = json!(date);
    if kind != "name_changes" {
        body["ex_date"] = json!(date);
        body["record_date"] = json!(date);
        body["payable_date"] = json!(date);
    }
    Announcement { date, kind, symbols, body }
}
