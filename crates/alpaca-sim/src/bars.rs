//! The endpoints for bars.

use barkeep_types::Symbol;
use serde_json::json;

use crate::answer::Answer;
use crate::candle::Candle;
use crate::faults::Fault;
use crate::market::{Order, Venue, View};
use crate::options::{DefaultFeed, Options};
use crate::page::{Page, PageRequest};
use crate::query::{BarsQuery, bad};
use crate::stamp::{self, DAY};
use crate::token::Token;
use crate::zone::Zone;

/// How long the consolidated feed is withheld from those without the right to it.
const SIP_DELAY: i64 = 15 * 60;

/// How bars are wrapped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"bars": {"AAPL": [..]}}`.
    BySymbol,
    /// `{"bars": [..], "symbol": "AAPL"}`.
    Single,
}

/// A page of bars as JSON, with what `fault` does to it.
pub(crate) fn answer(
    options: &Options,
    query: &BarsQuery,
    zone: Zone,
    shape: Shape,
    now: i64,
    fault: Option<&Fault>,
) -> Result<Answer, Answer> {
    let request = request(options, query, zone, now)?;
    let mut page = request.page(&options.market, options.pages);
    if let Some(Fault::Page(fault)) = fault {
        fault.bend(&mut page, &request);
    }
    let body = body(&page, query, shape);
    Ok(Answer::json(match fault {
        Some(Fault::Page(fault)) => fault.rewrite(body),
        Some(Fault::Number(fault)) => fault.apply(body),
        _ => body,
    }))
}

/// What is asked for, with the defaults that depend on the plan and the time.
fn request<'query>(
    options: &Options,
    query: &'query BarsQuery,
    zone: Zone,
    now: i64,
) -> Result<PageRequest<'query>, Answer> {
    let delay = if options.plan.recent_sip || zone == Zone::Utc { 0 } else { SIP_DELAY };
    let to = query.end.unwrap_or(now - delay);
    let from = query.start.unwrap_or_else(|| zone.midnight(zone.date(now)).min(now - delay));
    if from > to {
        let (from, to) = (stamp::text(from), stamp::text(to));
        return Err(bad(&format!("end should not be before start: {from} is after {to}")));
    }
    if query.currency.as_deref().is_some_and(|currency| currency != "USD") {
        return Err(bad("only bars in USD are simulated"));
    }
    Ok(PageRequest {
        query,
        view: View {
            venue: venue(options, query, to > now - delay)?,
            adjustment: query.adjustment,
            asof: query.asof,
            now,
            settling: options.settling,
        },
        from: from.max(0),
        // A century is as good as for ever, and keeps calendar arithmetic within bounds.
        to: to.min(now + 100 * 366 * DAY),
        resume: resume(query)?,
    })
}

/// Whether both ends are stated, and no bar within can change any more.
pub(crate) fn is_settled(options: &Options, query: &BarsQuery, zone: Zone, now: i64) -> bool {
    let ends = query.start.and(query.end);
    // Years beyond all calendars are beyond now, too.
    let ends = ends.filter(|end| *end < now).map(|end| query.span.last_second(end, zone));
    ends.is_some_and(|last| last.saturating_add(options.settling) < now)
}

fn venue(options: &Options, query: &BarsQuery, is_recent: bool) -> Result<Venue, Answer> {
    let is_recent = is_recent && !options.plan.recent_sip;
    match (query.feed.as_deref(), options.default_feed) {
        (Some("iex"), _) => Ok(Venue::IEX),
        (None, DefaultFeed::BestAllowed) if is_recent => Ok(Venue::IEX),
        (None | Some("sip"), _) if is_recent => {
            Err(Answer::refusal(403, "subscription does not permit querying recent SIP data"))
        }
        (None | Some("sip"), _) => Ok(Venue::SIP),
        (Some(feed @ ("otc" | "boats")), _) => {
            Err(Answer::refusal(403, &format!("subscription does not permit querying {feed} data")))
        }
        (Some(feed), _) => Err(bad(&format!("invalid feed: {feed}"))),
    }
}

fn resume(query: &BarsQuery) -> Result<Option<Token>, Answer> {
    let Some(text) = &query.token else { return Ok(None) };
    let descending = query.order == Order::Descending;
    let token = Token::decode(text, descending).filter(|token| token.source == query.span.source());
    token.map(Some).ok_or_else(|| bad("invalid page_token"))
}

/// The page as JSON.
fn body(page: &Page, query: &BarsQuery, shape: Shape) -> Vec<u8> {
    let bars: usize = page.bars.iter().map(|(_, bars)| bars.len()).sum();
    let mut text = Vec::with_capacity(bars * 128 + 128);
    text.extend_from_slice(b"{\"bars\":");
    match shape {
        Shape::BySymbol => write_by_symbol(&mut text, page),
        // A single symbol without bars has null.
        Shape::Single => match page.bars.first() {
            Some((_, bars)) => write_array(&mut text, bars),
            None => text.extend_from_slice(b"null"),
        },
    }
    if let Some(currency) = &query.currency {
        text.extend_from_slice(format!(",\"currency\":{}", json!(currency)).as_bytes());
    }
    let descending = query.order == Order::Descending;
    let token = page.next.as_ref().map(|token| token.encode(descending));
    text.extend_from_slice(format!(",\"next_page_token\":{}", json!(token)).as_bytes());
    if shape == Shape::Single {
        let symbol = query.symbols.first().map(Symbol::as_str);
        text.extend_from_slice(format!(",\"symbol\":{}", json!(symbol)).as_bytes());
    }
    text.push(b'}');
    text
}

fn write_by_symbol(text: &mut Vec<u8>, page: &Page) {
    text.push(b'{');
    for (index, (symbol, bars)) in page.bars.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        text.extend_from_slice(format!("{comma}\"{symbol}\":").as_bytes());
        write_array(text, bars);
    }
    text.push(b'}');
}

fn write_array(text: &mut Vec<u8>, bars: &[Candle]) {
    text.push(b'[');
    for (index, bar) in bars.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        bar.write_json(text);
    }
    text.push(b']');
}
