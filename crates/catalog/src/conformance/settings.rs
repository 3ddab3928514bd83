//! What every book of settings must do.

use serde_json::{Value, json};

use crate::{Catalog, Narrowing, SettingsBook, Upserted, presets};

async fn set(book: &dyn SettingsBook, name: &str, value: Value) -> Upserted {
    book.set(name, &value, "a test").await.expect("the setting is stored")
}

async fn get(book: &dyn SettingsBook, name: &str) -> Option<Value> {
    book.setting(name).await.expect("the setting is read")
}

async fn revision(book: &dyn SettingsBook) -> u64 {
    book.settings_revision().await.expect("the revision is read")
}

/// Whatever JSON can say is kept, to the last digit.
pub async fn a_setting_is_read_back_as_it_was_set(book: &dyn SettingsBook) {
    let values = [
        json!(null),
        json!(true),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e16),
        json!(0.1 + 0.2),
        json!("7 \"quoted\" '; DROP TABLE x; -- \u{0} \u{1f4c8}"),
        json!({ "b": [1, 2.0, { "deep": [] }], "a": null, "": {} }),
    ];
    for value in values {
        assert_eq!(get(book, "tick.every_s").await, None);
        assert_eq!(set(book, "tick.every_s", value.clone()).await, Upserted::Created);
        assert_eq!(get(book, "tick.every_s").await, Some(value.clone()));
        let all = book.settings().await.expect("the settings are read");
        assert_eq!(all.iter().map(|setting| &setting.value).collect::<Vec<_>>(), [&value]);
        assert!(book.unset("tick.every_s", "a test").await.expect("the setting is taken away"));
    }
    for name in ["b", "a", "B"] {
        set(book, name, json!(name)).await;
    }
    let all = book.settings().await.expect("the settings are read");
    assert_eq!(all.iter().map(|setting| setting.name.as_str()).collect::<Vec<_>>(), ["B", "a", "b"]);
    assert!(all.iter().all(|setting| setting.by == "a test"));
}

/// Saving a form twice is one change.
pub async fn a_setting_that_stays_the_same_is_no_change(book: &dyn SettingsBook) {
    assert_eq!(set(book, "pace", json!({ "calls": 200 })).await, Upserted::Created);
    let before = revision(book).await;
    assert_eq!(set(book, "pace", json!({ "calls": 200 })).await, Upserted::Unchanged);
    assert_eq!(revision(book).await, before);
    assert_eq!(set(book, "pace", json!({ "calls": 100 })).await, Upserted::Updated);
    assert!(revision(book).await > before);
    assert_eq!(book.setting_changes(10).await.expect("the log is read").len(), 2);
}

/// So that the default holds again.
pub async fn an_unset_setting_is_gone(book: &dyn SettingsBook) {
    set(book, "pace", json!(1)).await;
    set(book, "peace", json!(2)).await;
    let unset = async || book.unset("pace", "a test").await.expect("the setting is taken away");
    assert!(unset().await);
    assert!(!unset().await);
    assert_eq!((get(book, "pace").await, get(book, "peace").await), (None, Some(json!(2))));
}

/// Latest first, with what was there before and after.
pub async fn the_log_of_settings_tells_who_changed_what(book: &dyn SettingsBook) {
    book.set("pace", &json!(1), "ann").await.expect("the setting is stored");
    book.set("pace", &json!(2), "bob").await.expect("the setting is stored");
    book.unset("pace", "cy").await.expect("the setting is taken away");
    let log = book.setting_changes(10).await.expect("the log is read");
    let told: Vec<_> =
        log.iter().map(|change| (change.by.as_str(), change.before.clone(), change.after.clone())).collect();
    let wanted = [("cy", Some(json!(2)), None), ("bob", Some(json!(1)), Some(json!(2))), ("ann", None, Some(json!(1)))];
    assert_eq!(told, wanted);
    assert!(log.iter().all(|change| change.name == "pace"));
    assert!(log.windows(2).all(|pair| pair[0].revision > pair[1].revision && pair[0].at >= pair[1].at));
    assert_eq!(log[0].revision, revision(book).await);
    assert_eq!(book.setting_changes(1).await.expect("the log is read"), log[..1]);
}

/// Who waits for a change of settings is not woken by one of definitions.
pub async fn the_revision_rises_with_settings_alone<C: Catalog + SettingsBook>(catalog: &C) {
    assert_eq!(revision(catalog).await, 0);
    catalog.upsert(&presets::tech20(), Narrowing::Refuse).await.expect("the definition is stored");
    assert_eq!(revision(catalog).await, 0);
    set(catalog, "pace", json!(1)).await;
    let first = revision(catalog).await;
    assert!(first > 0);
    catalog.remove(&"*".parse().expect("a test's pattern")).await.expect("the definition is removed");
    assert_eq!(revision(catalog).await, first);
}

/// Names, authors and values out of bounds are refused before anything is written.
pub async fn an_invalid_setting_changes_nothing(book: &dyn SettingsBook) {
    let long = "n".repeat(65);
    for name in ["", "a b", "a/b", "é", "'; DROP TABLE x; --", &long] {
        let error = book.set(name, &json!(1), "a test").await.expect_err("the name is refused");
        assert_eq!(error.code(), "VALIDATION_ERROR", "{error}");
        book.unset(name, "a test").await.expect_err("the name is refused");
        assert_eq!(get(book, name).await, None);
    }
    let author = "b".repeat(129);
    for by in ["", "two\nlines", "a\0b", &author] {
        book.set("pace", &json!(1), by).await.expect_err("the author is refused");
    }
    let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    book.set("pace", &deep(101), "a test").await.expect_err("the value is refused");
    book.set("pace", &json!("x".repeat(65_536)), "a test").await.expect_err("the value is refused");
    assert_eq!(revision(book).await, 0);
    set(book, "deep", deep(100)).await;
    assert_eq!(get(book, "deep").await, Some(deep(100)));
    set(book, "long", json!("x".repeat(65_000))).await;
}

/// Nobody's change is lost, and each is numbered.
pub async fn settings_changed_at_once_follow_one_another(book: &dyn SettingsBook) {
    let changes = (0..20).map(|value| async move { set(book, "pace", json!(value)).await });
    let done = futures::future::join_all(changes).await;
    assert_eq!(done.iter().filter(|done| **done == Upserted::Created).count(), 1);
    let log = book.setting_changes(100).await.expect("the log is read");
    assert_eq!(log.len(), 20);
    assert_eq!(get(book, "pace").await, log[0].after);
    assert!(log.windows(2).all(|pair| pair[0].before == pair[1].after));
}
