use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is good to know.
    Info,
    /// On a working day.
    Ticket,
    /// Now.
    Page,
}

/// Something that is wrong at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// The rule that found it: `DeadJobs`.
    pub rule: String,
    /// What it is about, where a rule may find several things: a definition, a budget. Empty if there is only one.
    pub subject: String,
    /// How soon somebody should look.
    pub severity: Severity,
    /// What was found, for people, in one line.
    pub reason: String,
    /// What to do first.
    pub first_action: String,
}

/// Whether something is wrong, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeState {
    /// It is wrong.
    Firing,
    /// It was wrong and is well again.
    Resolved,
}

/// A message about a concern. As JSON its fields stand side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Whether it is wrong, or no longer.
    pub state: NoticeState,
    /// What it is about.
    #[serde(flatten)]
    pub concern: Concern,
    /// Since when it is or was so.
    pub since: DateTime<Utc>,
    /// When this was found.
    pub at: DateTime<Utc>,
    /// Who says so: the name of the process.
    pub source: String,
}
