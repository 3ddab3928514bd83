//! What goes into statements and comes out of them, the same for every database.

mod budgets;
mod control;
mod endings;
mod history;
mod jobs;
mod workers;

use serde_json::Value;

pub(crate) use budgets::*;
pub(crate) use control::*;
pub(crate) use endings::*;
pub(crate) use history::*;
pub(crate) use jobs::*;
pub(crate) use workers::*;

/// A stored payload. The queue wrote it, so it is JSON, unless somebody edited the table by hand; then the worker that
/// looks for a field in it will say so, which is better than a queue that stands still.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
