//! What every catalog must do: one function a promise, each given an empty catalog.
//!
//! [`catalog_conformance!`](crate::catalog_conformance) lists them once, so that no backend can leave one out.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: that is how a test says so")]

use barkeep_types::{Adjustment, Feed, Hours, TimeRange, Timeframe};
use chrono::DateTime;

use crate::{Catalog, ChangeKind, Definition, Error, Narrowing, Pattern, Upserted, Window, presets};

mod rejections;
mod settings;

pub use rejections::*;
pub use settings::*;

/// Makes a test of every promise. The expression opens an empty catalog, and gives it with whatever must outlive it.
#[macro_export]
macro_rules! catalog_conformance {
    ($open:expr) => {
        $crate::catalog_conformance!(
            $open,
            a_definition_is_read_back_as_it_was_stored,
            the_same_definition_again_changes_nothing,
            another_definition_of_the_name_takes_its_place,
            a_window_is_not_narrowed_in_silence,
            definitions_are_listed_by_name,
            disabling_by_pattern_tells_whom_it_disabled,
            removed_definitions_are_gone,
            an_invalid_definition_changes_nothing,
            every_change_is_logged_with_before_and_after,
            ten_thousand_symbols_are_one_definition,
            writers_at_once_follow_one_another,
            what_was_refused_is_remembered_with_its_latest_reason,
            what_is_forgiven_is_forgotten,
            a_setting_is_read_back_as_it_was_set,
            a_setting_that_stays_the_same_is_no_change,
            an_unset_setting_is_gone,
            the_log_of_settings_tells_who_changed_what,
            the_revision_rises_with_settings_alone,
            an_invalid_setting_changes_nothing,
            settings_changed_at_once_follow_one_another,
        );
    };
    ($open:expr, $($promise:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let (catalog, _outlives) = $open;
                $crate::conformance::$promise(&catalog).await;
            }
        )+
    };
}

fn days(first: i64, last: i64) -> Window {
    let at = |day: i64| DateTime::from_timestamp(day * 86_400, 0).expect("a day of this era");
    Window::Fixed(TimeRange::new(at(first), at(last)).expect("a test's window is not empty"))
}

fn named(name: &str) -> Definition {
    Definition { name: name.into(), ..presets::tech20() }
}

fn pattern(text: &str) -> Pattern {
    text.parse().expect("a test's pattern")
}

async fn upsert(catalog: &dyn Catalog, definition: &Definition) -> Upserted {
    catalog.upsert(definition, Narrowing::Refuse).await.expect("the definition is stored")
}

async fn get(catalog: &dyn Catalog, name: &str) -> Option<Definition> {
    catalog.get(name).await.expect("the catalog is read")
}

async fn log(catalog: &dyn Catalog) -> Vec<(ChangeKind, String)> {
    let changes = catalog.changes(100).await.expect("the log is read");
    changes.into_iter().map(|change| (change.kind, change.name)).collect()
}

/// Whatever a definition says is kept.
pub async fn a_definition_is_read_back_as_it_was_stored(catalog: &dyn Catalog) {
    let odd = Definition {
        timeframes: vec![Timeframe::M1, Timeframe::Mn1],
        feed: Feed::IEX,
        adjustment: Adjustment::SPLIT | Adjustment::DIVIDEND,
        hours: Hours::Extended,
        window: days(19_000, 19_365),
        priority: i16::MIN,
        enabled: false,
        labels: [("desk".into(), "7 \"quoted\" 'twice' \u{1f4c8}".into())].into(),
        ..named("odd.one-1_A")
    };
    for definition in [odd, presets::tech20()] {
        assert_eq!(get(catalog, &definition.name).await, None);
        assert_eq!(upsert(catalog, &definition).await, Upserted::Created);
        assert_eq!(get(catalog, &definition.name).await, Some(definition));
    }
}

/// A second run of a preset says nothing new.
pub async fn the_same_definition_again_changes_nothing(catalog: &dyn Catalog) {
    upsert(catalog, &presets::tech20()).await;
    assert_eq!(upsert(catalog, &presets::tech20()).await, Upserted::Unchanged);
    assert_eq!(log(catalog).await.len(), 1);
}

/// A name stands for one definition.
pub async fn another_definition_of_the_name_takes_its_place(catalog: &dyn Catalog) {
    upsert(catalog, &presets::tech20()).await;
    let other = Definition { priority: 7, window: Window::LastDays(1_000), ..presets::tech20() };
    assert_eq!(upsert(catalog, &other).await, Upserted::Updated);
    assert_eq!(catalog.list().await.expect("the catalog is read"), [other]);
}

/// Whoever asks for less must say so.
pub async fn a_window_is_not_narrowed_in_silence(catalog: &dyn Catalog) {
    upsert(catalog, &presets::tech20()).await;
    let narrow = Definition { window: Window::LastDays(30), ..presets::tech20() };
    let error = catalog.upsert(&narrow, Narrowing::Refuse).await.expect_err("the window would be narrowed");
    assert!(matches!(error, Error::WouldNarrow { .. }), "{error}");
    assert_eq!(error.code(), "VALIDATION_ERROR");
    assert_eq!(get(catalog, "tech20").await, Some(presets::tech20()));
    let allowed = catalog.upsert(&narrow, Narrowing::Allow).await.expect("the narrowing is meant");
    assert_eq!(allowed, Upserted::Updated);
    assert_eq!(get(catalog, "tech20").await, Some(narrow));
}

/// By bytes: capitals first.
pub async fn definitions_are_listed_by_name(catalog: &dyn Catalog) {
    for name in ["b", "a", "B", "a_1", "a-1"] {
        upsert(catalog, &named(name)).await;
    }
    let names: Vec<_> =
        catalog.list().await.expect("the catalog is read").into_iter().map(|definition| definition.name).collect();
    assert_eq!(names, ["B", "a", "a-1", "a_1", "b"]);
}

/// The names tell whose queued work to cancel.
pub async fn disabling_by_pattern_tells_whom_it_disabled(catalog: &dyn Catalog) {
    for name in ["US_BATCH_1", "US_BATCH_2", "tech20"] {
        upsert(catalog, &named(name)).await;
    }
    let disable = async |names| catalog.disable(&pattern(names)).await.expect("definitions are disabled");
    assert_eq!(disable("US_BATCH_1").await, ["US_BATCH_1"]);
    assert_eq!(disable("US_BATCH_*").await, ["US_BATCH_2"]);
    assert_eq!(disable("US_BATCH_*").await, Vec::<String>::new());
    let enabled = async || {
        let all = catalog.list().await.expect("the catalog is read");
        all.into_iter().filter(|definition| definition.enabled).map(|definition| definition.name).collect::<Vec<_>>()
    };
    assert_eq!(enabled().await, ["tech20"]);
    let names = catalog.enable(&pattern("*")).await.expect("definitions are enabled");
    assert_eq!(names, ["US_BATCH_1", "US_BATCH_2"]);
    assert_eq!(enabled().await.len(), 3);
}

/// And only they are.
pub async fn removed_definitions_are_gone(catalog: &dyn Catalog) {
    for name in ["a1", "a2", "b"] {
        upsert(catalog, &named(name)).await;
    }
    assert_eq!(catalog.remove(&pattern("a*")).await.expect("definitions are removed"), ["a1", "a2"]);
    assert_eq!(catalog.remove(&pattern("a*")).await.expect("nothing is removed"), Vec::<String>::new());
    assert_eq!(catalog.list().await.expect("the catalog is read"), [named("b")]);
}

/// All faults at once, and nothing half done.
pub async fn an_invalid_definition_changes_nothing(catalog: &dyn Catalog) {
    let invalid = Definition { symbols: vec![], window: Window::LastDays(0), ..named("a'; DROP TABLE x; --") };
    let error = catalog.upsert(&invalid, Narrowing::Allow).await.expect_err("the definition is refused");
    assert!(matches!(&error, Error::Invalid(faults) if faults.reasons().len() == 3), "{error}");
    assert_eq!(catalog.list().await.expect("the catalog is read"), []);
    assert_eq!(log(catalog).await, []);
}

/// Who changed what can be told later.
pub async fn every_change_is_logged_with_before_and_after(catalog: &dyn Catalog) {
    let (first, second) = (named("a"), Definition { priority: 1, ..named("a") });
    upsert(catalog, &first).await;
    upsert(catalog, &second).await;
    catalog.disable(&pattern("a")).await.expect("definitions are disabled");
    catalog.enable(&pattern("a")).await.expect("definitions are enabled");
    catalog.remove(&pattern("a")).await.expect("definitions are removed");
    let changes = catalog.changes(4).await.expect("the log is read");
    let kinds: Vec<_> = changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Removed, ChangeKind::Enabled, ChangeKind::Disabled, ChangeKind::Updated]);
    assert_eq!((&changes[3].before, &changes[3].after), (&Some(first), &Some(second.clone())));
    assert_eq!((&changes[0].before, &changes[0].after), (&Some(second), &None));
    assert!(changes.windows(2).all(|pair| pair[0].at >= pair[1].at));
}

/// Batching is the planner's business, not the user's.
pub async fn ten_thousand_symbols_are_one_definition(catalog: &dyn Catalog) {
    let symbols = (0..10_000).map(|number| format!("S{number}").parse().expect("a symbol")).collect();
    let all = Definition { symbols, ..named("all") };
    upsert(catalog, &all).await;
    assert_eq!(get(catalog, "all").await, Some(all));
}

/// Nobody's change is lost, and nobody waits for ever.
pub async fn writers_at_once_follow_one_another(catalog: &dyn Catalog) {
    let definitions: Vec<Definition> =
        (0..20).map(|number| Definition { priority: number, ..named(&format!("d{}", number % 4)) }).collect();
    let upserts = definitions.iter().map(|definition| catalog.upsert(definition, Narrowing::Refuse));
    futures::future::try_join_all(upserts).await.expect("definitions are stored");
    assert_eq!(catalog.list().await.expect("the catalog is read").len(), 4);
    let log = log(catalog).await;
    assert_eq!(log.iter().filter(|(kind, _)| *kind == ChangeKind::Created).count(), 4);
    assert_eq!(log.len(), 20);
}
