//! Whether all is well, and if not, why and what to do first.

mod rules;

use barkeep_notify::{Concern, Severity};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::look::{History, look};
use crate::{Orchestrator, ProgressEvent, Thresholds, metrics};

use rules::RULES;

/// How everything is: over all processes that share the database, as far as this one can see.
///
/// Rules look back over at most an hour, and only over what this process has seen: just started, it knows less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The worst of it.
    pub status: HealthStatus,
    /// What is wrong, the most urgent first, each with what to do first.
    pub concerns: Vec<Concern>,
    /// When this was so.
    pub at: DateTime<Utc>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Nothing is wrong, or nothing but what is good to know.
    Healthy,
    /// Something is wrong that can wait for a working day.
    Degraded,
    /// Somebody is needed now.
    Failing,
}

/// One thing that can be wrong. The same rules stand in `docs/ops/alerts.yml`, for Prometheus.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, the alert's too.
    pub name: &'static str,
    /// How soon somebody should look.
    pub severity: Severity,
    /// What to do first.
    pub first_action: &'static str,
    /// What it finds, if it finds something.
    finds: fn(&History, &Thresholds) -> Option<String>,
}

impl Rule {
    /// The severity as it stands in labels.
    pub fn severity_name(&self) -> &'static str {
        match self.severity {
            Severity::Info => "info",
            Severity::Ticket => "ticket",
            Severity::Page => "page",
        }
    }

    fn concern(&self, history: &History, thresholds: &Thresholds) -> Option<Concern> {
        let reason = (self.finds)(history, thresholds)?;
        let (rule, first_action) = (self.name.to_owned(), self.first_action.to_owned());
        Some(Concern { rule, subject: String::new(), severity: self.severity, reason, first_action })
    }
}

impl Health {
    /// Every rule, in the order in which they are documented.
    pub fn rules() -> &'static [Rule] {
        RULES
    }

    /// What the rules find in what was seen.
    pub(crate) fn of(history: &History, thresholds: &Thresholds) -> Self {
        let mut concerns: Vec<Concern> = RULES.iter().filter_map(|rule| rule.concern(history, thresholds)).collect();
        concerns.sort_by_key(|concern| std::cmp::Reverse(concern.severity));
        let status = match concerns.first().map(|concern| concern.severity) {
            Some(Severity::Page) => HealthStatus::Failing,
            Some(Severity::Ticket) => HealthStatus::Degraded,
            Some(Severity::Info) | None => HealthStatus::Healthy,
        };
        Self { status, concerns, at: history.latest().map(|look| look.at).unwrap_or_default() }
    }

    /// Whether a rule found something.
    pub fn has(&self, rule: &str) -> bool {
        self.concerns.iter().any(|concern| concern.rule == rule)
    }
}

/// Looks and judges; tells of it where it has changed.
pub(crate) async fn health(orchestrator: &Orchestrator) -> Health {
    look(orchestrator).await;
    let watching = orchestrator.watching();
    let health = Health::of(&watching.history(), &orchestrator.settings().thresholds);
    metrics::healthy(&health);
    if watching.has_changed(&health) {
        let rules: Vec<&str> = health.concerns.iter().map(|concern| concern.rule.as_str()).collect();
        let rules = rules.join(" ");
        match health.status {
            HealthStatus::Healthy => tracing::info!(status = ?health.status, rules, "health changed"),
            HealthStatus::Degraded => tracing::warn!(status = ?health.status, rules, "health changed"),
            HealthStatus::Failing => tracing::error!(status = ?health.status, rules, "health changed"),
        }
        orchestrator.progress().tell(ProgressEvent::HealthChanged(health.clone()));
    }
    health
}
