//! Metrics, alerts, dashboard and the page about operating: what each says of the others is so.

use std::collections::BTreeSet;
use std::path::Path;

use barkeep_orchestrator::Health;
use barkeep_orchestrator::metrics::{METRICS, MetricKind};
use serde_json::Value;
use tests::Child;

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap()
}

/// Every metric that a text names, as it is called here.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("barkeep_")).map(plain).collect()
}

/// Histograms are three series each, where Prometheus has them.
pub(crate) fn plain(series: &str) -> String {
    let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end));
    let is_histogram =
        |name: &&str| METRICS.iter().any(|metric| metric.name == *name && metric.kind == MetricKind::Histogram);
    histogram.filter(is_histogram).unwrap_or(series).to_owned()
}

fn known() -> BTreeSet<String> {
    METRICS.iter().map(|metric| metric.name.to_owned()).collect()
}

/// The alerts, by name, with severity and first action.
fn alerts() -> Vec<(String, String, String)> {
    let text = read("docs/ops/alerts.yml");
    let alerts = text.split("- alert: ").skip(1);
    let after = |alert: &str, key: &str| {
        let (_, rest) = alert.split_once(key).unwrap_or_else(|| panic!("{key} is missing: {alert}"));
        rest.lines().next().unwrap().trim().trim_matches('"').to_owned()
    };
    let alert = |alert: &str| {
        assert!(alert.contains("expr: ") && alert.contains("summary: "), "{alert}");
        (alert.lines().next().unwrap().trim().to_owned(), after(alert, "severity: "), after(alert, "action: "))
    };
    alerts.map(alert).collect()
}

#[test]
fn f53_alerts_for_prometheus_are_the_rules_of_the_health() {
    let rules: Vec<_> = Health::rules()
        .iter()
        .map(|rule| (rule.name.to_owned(), rule.severity_name().to_owned(), rule.first_action.to_owned()))
        .collect();
    let mut alerts = alerts();
    assert_eq!(alerts.pop().unwrap().0, "Watchdog");
    assert_eq!(alerts, rules);
}

#[test]
fn the_page_about_operating_tells_every_alert_with_the_same_first_action() {
    let text = read("docs/operating.md");
    for rule in Health::rules() {
        let row = format!("| `{}` | {} |", rule.name, rule.severity_name());
        let line = text.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("{row} is missing"));
        let last = line.trim_end_matches('|').rsplit('|').next().unwrap().trim();
        assert_eq!(last, rule.first_action, "{}", rule.name);
    }
}

#[test]
fn f52_alerts_dashboard_and_page_name_metrics_that_there_are() {
    for file in ["docs/ops/alerts.yml", "docs/ops/grafana.json", "docs/operating.md"] {
        let text = read(file);
        let crates = ["barkeep_worker", "barkeep_reader", "barkeep_orchestrator", "barkeep_queue"];
        let unknown: Vec<_> =
            named(&text).difference(&known()).filter(|name| !crates.contains(&name.as_str())).cloned().collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    let shown = named(&read("docs/ops/grafana.json"));
    assert_eq!(shown, known(), "the dashboard shows every metric");
    let page = read("docs/operating.md");
    for metric in METRICS {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", metric.name)));
        let row = row.unwrap_or_else(|| panic!("{} is not documented", metric.name));
        assert!(row.contains(metric.help), "{row}");
        assert!(metric.labels.iter().all(|label| row.contains(&format!("`{label}`"))), "{row}");
    }
}

#[test]
fn the_dashboard_can_be_read() {
    let dashboard: Value = serde_json::from_str(&read("docs/ops/grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 12 && dashboard["title"] == "barkeep");
    for panel in panels {
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{panel}");
    }
}

#[tokio::test]
async fn f52_the_metrics_endpoint_serves_what_prometheus_reads() {
    let outcome = Child::start(env!("CARGO_BIN_EXE_metrics_endpoint"), &[]).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let text = outcome.stdout;
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    let served: BTreeSet<String> = text
        .lines()
        .filter(|line| line.starts_with("barkeep_"))
        .map(|line| plain(line.split(['{', ' ']).next().unwrap()))
        .collect();
    assert!(served.is_subset(&known()), "{:?}", served.difference(&known()));
    // What only goes wrong is not there as long as nothing does.
    let quiet = [
        "barkeep_provider_429_total",
        "barkeep_db_errors_total",
        "barkeep_stopped_total",
        "barkeep_notices_total",
        "barkeep_ratelimit_used_ratio",
    ];
    let missing: Vec<_> = known().difference(&served).filter(|name| !quiet.contains(&name.as_str())).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
    for line in ["barkeep_coverage_ratio{timeframe=\"h1\"} 1", "barkeep_jobs{state=\"failed\"} 0", "barkeep_health 0"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
