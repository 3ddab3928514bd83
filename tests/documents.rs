//! What the documents say of tests, held to the tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of all functions of the workspace, and of the tests that macros make.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            functions(&path, found);
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(text.lines().flat_map(functions_of));
        }
    }
}

/// A function, or what `at_every_moment!` makes one of: `name at Moment::…`.
fn functions_of(line: &str) -> Option<String> {
    let words: Vec<&str> =
        line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let pair = |first: &str, second: &str| words.windows(2).position(|pair| pair[0] == first && pair[1] == second);
    let after_fn = words.iter().position(|word| *word == "fn").map(|at| at + 1);
    let before_at = pair("at", "Moment").and_then(|at| at.checked_sub(1));
    after_fn.or(before_at).and_then(|at| words.get(at)).map(|&name| name.to_owned())
}

/// What stands in backticks and can only be the name of a test: lower case, with underscores, of three words at least.
fn tests_named(document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs").join(document)).unwrap();
    let in_backticks = text.split('`').skip(1).step_by(2);
    let is_name = |text: &&str| {
        text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') && text.matches('_').count() >= 2
    };
    in_backticks.filter(is_name).map(str::to_owned).collect()
}

fn assert_tests_exist(document: &str, at_least: usize) {
    let mut known = BTreeSet::new();
    functions(&root(), &mut known);
    let named = tests_named(document);
    let missing: Vec<_> = named.iter().filter(|name| !known.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/{document} names tests that are not there: {missing:?}");
    assert!(named.len() >= at_least, "docs/{document} names only {} tests", named.len());
}

#[test]
fn every_guarantee_names_tests_that_exist() {
    assert_tests_exist("guarantees.md", 25);
}

#[test]
fn every_row_of_the_features_names_a_test_of_its_own() {
    assert_tests_exist("features.md", 60);
    let text = std::fs::read_to_string(root().join("docs/features.md")).unwrap();
    for row in 1..=60 {
        let prefix = format!("| F{row:02} |");
        let line = text.lines().find(|line| line.starts_with(&prefix)).unwrap_or_else(|| panic!("no row {prefix}"));
        assert!(line.contains(&format!("`f{row:02}_")), "row {row} has no test named after it");
    }
}
