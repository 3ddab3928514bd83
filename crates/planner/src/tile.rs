//! Cuts a block of rows over one window into slices within the limits.

use crate::limits::{Limits, whole_pages};
use crate::load::Loads;
use crate::rows::{Row, Spans};

/// The most parts that a window is cut into to make its slices fill their pages.
const MOST_PARTS: u32 = 16;

/// The most lengths of slices that are tried, from the longest down.
const MOST_LENGTHS: usize = 16;

/// A way to cut a block: the window in so many parts, each part's rows so that they fill so many pages.
#[derive(Clone, Copy, Debug)]
struct Cut {
    parts: u32,
    pages: f64,
    requests: f64,
}

/// Cuts `rows` over `window` into tiles that cover both wholly, each with rows in order.
///
/// A tile is longer than the limit only where one span of one row is.
pub(crate) fn tiles<'r, 'a>(
    rows: &'r [&'r Row<'a>],
    window: &Spans,
    loads: &Loads,
    limits: &Limits,
) -> Vec<(Spans, &'r [&'r Row<'a>])> {
    let weight: f64 = rows.iter().map(|row| row.weight).sum();
    let share = weight * loads.pages(window.start, window.end);
    let url_bytes: u32 = rows.iter().map(|row| row.url_bytes()).fold(0, u32::saturating_add);
    let fits = share <= limits.pages && rows.len() <= limits.symbols && url_bytes <= limits.url_bytes;
    if fits || rows.is_empty() {
        return vec![(window.clone(), rows)];
    }
    let cut = best_cut(rows.len(), weight, window, loads, limits);
    let heaviest = rows.iter().map(|row| row.weight).fold(0.0, f64::max);
    let mut parts: Vec<Spans> = (0..cut.parts).rev().map(|part| part_of(window, cut.parts, part)).collect();
    let mut tiles = Vec::new();
    while let Some(part) = parts.pop() {
        let full_row = loads.pages(part.start, part.end);
        if heaviest * full_row > limits.pages && part.len() > 1 {
            // Spans are uneven, or rows: equal parts of the window are not equal in pages.
            parts.extend([part_of(&part, 2, 1), part_of(&part, 2, 0)]);
            continue;
        }
        let mut rest = rows;
        while !rest.is_empty() {
            let (tile, after) = rest.split_at(fitting(rest, full_row, cut.pages, limits));
            tiles.push((part.clone(), tile));
            rest = after;
        }
    }
    tiles
}

/// The cut with the fewest requests; of equals the one with the fewest parts.
fn best_cut(rows: usize, weight: f64, window: &Spans, loads: &Loads, limits: &Limits) -> Cut {
    let each = weight / rows as f64;
    let spans = window.end - window.start;
    let share = each * loads.pages(window.start, window.end);
    // Fewer parts would leave one row more pages than a slice may have.
    let least = ((share / limits.pages).ceil() as u32).clamp(1, spans);
    let most = least.saturating_add(MOST_PARTS).min(spans);
    (least..=most)
        .flat_map(|parts| {
            let pages_of = |part| {
                let part = part_of(window, parts, part);
                each * loads.pages(part.start, part.end)
            };
            let row_pages: Vec<f64> = (0..parts).map(pages_of).collect();
            (1..=limits.pages as u32).rev().take(MOST_LENGTHS).map(move |pages| {
                let pages = f64::from(pages);
                let requests = row_pages.iter().map(|row| requests(rows, *row, pages, limits)).sum();
                Cut { parts, pages, requests }
            })
        })
        .min_by(|left, right| left.requests.total_cmp(&right.requests).then(right.pages.total_cmp(&left.pages)))
        .unwrap_or(Cut { parts: spans, pages: limits.pages, requests: f64::INFINITY })
}

/// The requests of rows that fill `each` pages, cut into slices of at most `pages`.
fn requests(rows: usize, each: f64, pages: f64, limits: &Limits) -> f64 {
    let a_slice = ((pages + 1e-9) / each).floor().clamp(1.0, limits.usual_symbols as f64) as usize;
    let (full, rest) = (rows / a_slice, rows % a_slice);
    let rest_pages = if rest > 0 { whole_pages(rest as f64 * each) } else { 0.0 };
    full as f64 * whole_pages(a_slice as f64 * each) + rest_pages
}

/// One of `parts` nearly equal parts of a window.
fn part_of(window: &Spans, parts: u32, part: u32) -> Spans {
    let spans = u64::from(window.end - window.start);
    let cut = |part: u32| window.start + (spans * u64::from(part) / u64::from(parts)) as u32;
    cut(part)..cut(part + 1)
}

/// How many of the first rows make a slice of at most so many pages; at least one.
fn fitting(rows: &[&Row<'_>], full_row: f64, pages: f64, limits: &Limits) -> usize {
    let (mut share, mut url_bytes) = (0.0, 0_u32);
    let fits = |row: &&&Row<'_>| {
        share += row.weight * full_row;
        url_bytes = url_bytes.saturating_add(row.url_bytes());
        share <= pages + 1e-9 && url_bytes <= limits.url_bytes
    };
    rows.iter().take(limits.symbols).take_while(fits).count().max(1)
}
